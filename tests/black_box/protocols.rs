//! Protocols of published data sets: a submission of MVTec AD 2 from drawn stand-ins, checked file by file.

use std::fs::File;
use std::path::Path;

use tiff::decoder::{Decoder, DecodingResult};

use crate::common::{TINY, Workplace, one_long_trial};

const OBJECTS: [&str; 8] = ["can", "fabric", "fruit_jelly", "rice", "sheet_metal", "vial", "wallplugs", "walnuts"];

/// Trains ST-FPM on stand-ins of all objects.
fn finished_sweep() -> Workplace {
    let place = Workplace::new();
    place.succeed(&["data", "synth", "data", "--like", "mvtec-ad2", "--share", "0.02", "--side", "40"]);
    let text = one_long_trial()
        .replace("epochs = 40", "epochs = 1")
        .replace("layout = \"synthetic\"\ncategories = [\"weave\"]", "layout = \"mvtec-ad2\"\nroot = \"data\"")
        .replace("synthetic = { side = 32, train = 10, test_good = 3, test_per_defect = 2 }\n", "");
    place.write("tiny.toml", &(text + "\n[report]\nmetrics = \"paper\"\n"));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    place
}

/// Returns the bits of a map of 16-bit floats, 40 pixels wide and high.
fn map(path: &Path) -> Vec<f32> {
    let mut decoder = Decoder::new(File::open(path).expect("is there")).expect("a TIFF file");
    assert_eq!(decoder.dimensions().expect("a size"), (40, 40));
    match decoder.read_image().expect("decodes") {
        DecodingResult::F16(values) => values.into_iter().map(f32::from).collect(),
        _ => panic!("{} has other values", path.display()),
    }
}

#[test]
fn a_submission_of_mvtec_ad_2_is_written_and_checked_file_by_file() {
    let place = finished_sweep();
    let written = place.succeed(&["submit", "tiny", "--out", "submission"]);
    assert!(written.stdout.contains("submission is complete: maps of 32 images of 8 objects"), "{}", written.stdout);
    for (object, split) in OBJECTS.iter().flat_map(|object| ["test_private", "test_private_mixed"].map(|s| (object, s)))
    {
        let images = std::fs::read_dir(place.path("data").join(object).join(split)).expect("is there");
        let stems: Vec<String> =
            images.map(|entry| entry.expect("readable").file_name().to_string_lossy().replace(".png", "")).collect();
        assert_eq!(stems.len(), 2);
        let (mut defective, mut normal) = (f32::INFINITY, f32::NEG_INFINITY);
        for stem in stems {
            let below =
                |tree: &str, ending: &str| place.path(&format!("submission/{tree}/{object}/{split}/{stem}.{ending}"));
            let values = map(&below("anomaly_images", "tiff"));
            let cut = image::open(below("anomaly_images_thresholded", "png")).expect("decodes");
            let cut = cut.as_luma8().expect("one channel of 8 bits");
            assert_eq!(cut.dimensions(), (40, 40));
            assert!(values.iter().any(|value| *value > 0.0), "values survive in 16 bits");
            for (value, grey) in values.into_iter().zip(cut.as_raw()) {
                match grey {
                    255 => defective = defective.min(value),
                    0 => normal = normal.max(value),
                    other => panic!("{object}/{split}/{stem} has the value {other}"),
                }
            }
        }
        // The threshold is a value between 1 and 2 in the written maps.
        assert!(normal <= defective && normal < 2.001 && defective > 0.999, "{object}/{split}: {normal} {defective}");
    }
    let check = |expected: i32| {
        let outcome = place.run(&["submit", "--check", "submission", "--data", "data"]);
        assert_eq!(outcome.code, Some(expected), "{}{}", outcome.stdout, outcome.stderr);
        outcome.stdout
    };
    check(0);
    std::fs::remove_file(place.path("submission/anomaly_images_thresholded/rice/test_private/000_regular.png"))
        .expect("removed");
    std::fs::remove_dir_all(place.path("submission/anomaly_images/vial/test_private_mixed")).expect("removed");
    insta::assert_snapshot!(check(3));
    // Every lighting of the public images has its own numbers.
    let names = place.query("SELECT DISTINCT name FROM result WHERE name LIKE 'seg_f1@%' ORDER BY name");
    assert_eq!(names, ["overexposed", "regular", "shift_1", "underexposed"].map(|name| format!("seg_f1@{name}")));
    let tables = place.succeed(&["export", "tiny", "--format", "md"]).stdout;
    assert!(tables.contains("SegF1 under each lighting") && tables.contains("mAD"), "{tables}");
}

#[test]
fn an_incomplete_submission_names_the_missing_objects_and_other_data_sets_are_refused() {
    let place = Workplace::new();
    place.write("tiny.toml", &TINY.replace("epochs = 2\nbatch_size = 4\n", "epochs = 1\nbatch_size = 4\n"));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let refused = place.run(&["submit", "tiny", "--out", "submission"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("weave is not an object of MVTec AD 2"), "{}", refused.stderr);
    std::fs::create_dir(place.path("empty")).expect("created");
    let empty = place.run(&["submit", "--check", "empty"]);
    assert_eq!(empty.code, Some(3));
    assert!(empty.stdout.contains("walnuts/test_private_mixed: there is no file\n"), "{}", empty.stdout);
    assert!(empty.stdout.contains("the published data set has 4090 private images"), "{}", empty.stdout);
}
