//! Sweeps over data sets of other layouts: the synthetic data set, converted to each of them.

use std::path::Path;

use crate::common::{TINY, Workplace};

/// Returns [`TINY`] over `data/` with this `[data]` in addition to root and size.
fn sweep(name: &str, data: &str) -> String {
    let drawn = "layout = \"synthetic\"\ncategories = [\"weave\"]";
    TINY.replace("name = \"tiny\"", &format!("name = \"{name}\""))
        .replace(drawn, &format!("root = \"data\"\n{data}"))
        .replace("synthetic = { side = 32, train = 10, test_good = 3, test_per_defect = 2 }\n", "")
}

/// Creates a workplace with the synthetic category `weave` below `data/`.
fn place() -> Workplace {
    let place = Workplace::new();
    place.succeed(&["data", "synth", "data", "--side", "32"]);
    for other in ["grain", "washer"] {
        std::fs::remove_dir_all(place.path("data").join(other)).expect("removed");
    }
    place
}

/// Moves folders or files; creates missing parent folders.
fn rename(place: &Workplace, from: &str, to: &str) {
    let (from, to) = (place.path("data/weave").join(from), place.path("data/weave").join(to));
    std::fs::create_dir_all(to.parent().expect("has a folder")).expect("created");
    std::fs::rename(&from, &to).unwrap_or_else(|error| panic!("{} to {}: {error}", from.display(), to.display()));
}

/// Converts the category to MVTec LOCO's layout: eight validation images; each mask split in two, in a folder of its image.
fn make_loco(place: &Workplace) {
    for index in 32..40 {
        rename(place, &format!("train/good/{index:03}.png"), &format!("validation/good/{index:03}.png"));
    }
    for (kind, anomaly) in [("hole", "logical_anomalies"), ("stain", "structural_anomalies")] {
        rename(place, &format!("test/{kind}"), &format!("test/{anomaly}"));
        for index in 0..6 {
            let mask_path = place.path(&format!("data/weave/ground_truth/{kind}/{index:03}_mask.png"));
            let folder = place.path(&format!("data/weave/ground_truth/{anomaly}/{index:03}"));
            cut(&mask_path, &folder);
        }
        std::fs::remove_dir_all(place.path(&format!("data/weave/ground_truth/{kind}"))).expect("removed");
    }
    for folder in ["test/thread", "ground_truth/thread"] {
        std::fs::remove_dir_all(place.path("data/weave").join(folder)).expect("removed");
    }
    place.write("data/weave/defects_config.json", AREAS);
}

/// Saturation areas for the values that [`cut`] writes.
const AREAS: &str = r#"[
    {"defect_name": "even", "pixel_value": 236, "saturation_threshold": 4, "relative_saturation": false},
    {"defect_name": "odd", "pixel_value": 237, "saturation_threshold": 0.5, "relative_saturation": true}
]"#;

/// Writes the even rows of a mask to one file and the odd rows to another, with LOCO's values.
fn cut(mask_path: &Path, folder: &Path) {
    let full = image::open(mask_path).expect("a mask").into_luma8();
    std::fs::create_dir_all(folder).expect("created");
    for part in 0..2 {
        let mut mask = full.clone();
        for (_, y, pixel) in mask.enumerate_pixels_mut() {
            pixel.0[0] = if pixel.0[0] > 0 && y % 2 == part { 236 + part as u8 } else { 0 };
        }
        mask.save(folder.join(format!("{part:03}.png"))).expect("written");
    }
}

/// Returns names and values of a sweep's selected numbers.
fn numbers(place: &Workplace, sweep: &str) -> Vec<String> {
    place.query(&format!(
        "SELECT st.variant, x.name, x.value FROM sweep s JOIN sweep_trial st ON st.sweep_id = s.id JOIN sweep_run sr ON sr.sweep_id = s.id
         JOIN run r ON r.id = sr.run_id AND r.trial_id = st.trial_id JOIN result x ON x.run_id = r.id WHERE s.name = '{sweep}' AND x.selection = 'selected' AND x.name LIKE '%au%' ORDER BY 1, 2"
    ))
}

fn protocols(place: &Workplace, fact: &str) -> Vec<String> {
    place.query(&format!("SELECT DISTINCT json_extract(content, '$.{fact}') FROM protocol"))
}

#[test]
fn loco_is_detected_with_validation_images_held_out_and_masks_joined() {
    let place = place();
    make_loco(&place);
    let output = place.succeed(&["data", "check", "data"]).stdout;
    insta::assert_snapshot!(output);
    place.write("loco.toml", &sweep("loco", "layout = \"auto\""));
    place.succeed(&["sweep", "loco.toml"]);
    assert_eq!(protocols(&place, "layout"), ["loco"]);
    assert_eq!(protocols(&place, "split.held_out"), ["validation"]);
    assert_eq!(protocols(&place, "mask_rule"), ["> 0 in any mask of the image, nearest"]);
    assert_eq!(protocols(&place, "counts.train"), ["32"]);
    assert_eq!(protocols(&place, "counts.validation"), ["8"]);
    let report = std::fs::read_to_string(place.path("reports/loco/index.html")).expect("a report");
    assert!(
        report.contains("the data set&#39;s validation images") || report.contains("the data set's validation images")
    );
    // The same masks in one file each give the same ground truth.
    let joined = numbers(&place, "loco");
    for kind in ["logical_anomalies", "structural_anomalies"] {
        for index in 0..6 {
            let folder = place.path(&format!("data/weave/ground_truth/{kind}/{index:03}"));
            let part = |part: usize| image::open(folder.join(format!("{part:03}.png"))).expect("a mask").into_luma8();
            let (mut union, other) = (part(0), part(1));
            union.iter_mut().zip(other.iter()).for_each(|(a, b)| *a = (*a).max(*b));
            std::fs::remove_file(folder.join("001.png")).expect("removed");
            union.save(folder.join("000.png")).expect("written");
        }
    }
    place.write("whole.toml", &sweep("whole", "layout = \"loco\""));
    place.succeed(&["sweep", "whole.toml", "--no-report"]);
    assert!(!joined.is_empty());
    assert_eq!(numbers(&place, "whole"), joined);
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE kind = 'joint'"), 2, "masks do not affect training");
    // sPRO is measured over all defects and for each kind.
    let names = place.query("SELECT DISTINCT name FROM result WHERE name LIKE 'auspro%' AND value > 0 ORDER BY name");
    let kinds = ["", ":logical_anomalies", ":structural_anomalies"];
    assert_eq!(
        names,
        ["auspro", "auspro_05"].iter().flat_map(|m| kinds.map(|k| format!("{m}{k}"))).collect::<Vec<_>>()
    );
}

#[test]
fn saturation_areas_of_loco_are_checked_before_anything_starts() {
    let place = place();
    make_loco(&place);
    let sweep = sweep("loco", "layout = \"loco\"") + "\n[report]\nmetrics = [\"auspro_05\"]\n";
    place.write("loco.toml", &sweep);
    let config = place.path("data/weave/defects_config.json");
    let refused = || {
        let outcome = place.run(&["sweep", "loco.toml"]);
        assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
        outcome.stderr
    };
    place.write("data/weave/defects_config.json", &AREAS.replace("237", "\"odd\""));
    let unreadable = refused();
    place.write("data/weave/defects_config.json", &AREAS.replace("237", "238"));
    let unlisted = refused();
    std::fs::remove_file(config).expect("removed");
    insta::assert_snapshot!([unreadable, unlisted, refused()].join("\n"));
}

#[test]
fn folders_of_any_names_give_the_same_training_as_mvtecs() {
    let place = place();
    place.write("mvtec.toml", &sweep("mvtec", "layout = \"auto\""));
    place.succeed(&["sweep", "mvtec.toml", "--no-report"]);
    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    // The same images under other names: the sweep has its own runs, but nothing is left to compute.
    // Normal images come before defects in both, because keys depend on the order.
    for (from, to) in
        [("train/good", "fine"), ("test/good", "also-fine"), ("test", "defects"), ("ground_truth", "marks")]
    {
        rename(&place, from, to);
    }
    let data = r#"layout = "folder"
folder = { normals = "fine", test_normals = "also-fine", anomalies = "defects", masks = "marks" }"#;
    place.write("folder.toml", &sweep("folder", data));
    place.succeed(&["sweep", "folder.toml", "--no-report"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts);
    assert_eq!(numbers(&place, "folder"), numbers(&place, "mvtec"));
    let output = place.succeed(&["data", "check", "folder.toml"]).stdout;
    assert!(output.starts_with("folder layout at [folder]/data"), "{output}");
}

#[test]
fn btad_and_raw_visa_are_swept() {
    let place = place();
    for (from, to) in [("train/good", "train/ok"), ("test/good", "test/ok"), ("test/hole", "test/ko")] {
        rename(&place, from, to);
    }
    rename(&place, "ground_truth/hole", "ground_truth/ko");
    for kind in ["stain", "thread"] {
        for folder in ["test", "ground_truth"] {
            std::fs::remove_dir_all(place.path("data/weave").join(folder).join(kind)).expect("removed");
        }
    }
    place.write("btad.toml", &sweep("btad", "layout = \"btad\""));
    place.succeed(&["sweep", "btad.toml", "--no-report"]);
    // The same images in VisA's original layout.
    let mut table = "object,split,label,image,mask\n".to_owned();
    let moves =
        [("train/ok", "train", "Normal", 40), ("test/ok", "test", "Normal", 12), ("test/ko", "test", "Anomaly", 6)];
    for (folder, split, label, count) in moves {
        for index in 0..count {
            let image = format!("Data/Images/{label}/{split}-{index:03}.png");
            rename(&place, &format!("{folder}/{index:03}.png"), &image);
            let mut mask = String::new();
            if label == "Anomaly" {
                mask = format!("Data/Masks/Anomaly/{split}-{index:03}.png");
                rename(&place, &format!("ground_truth/ko/{index:03}_mask.png"), &mask);
                mask.insert_str(0, "weave/");
            }
            let label = if label == "Normal" { "normal" } else { "anomaly" };
            table.push_str(&format!("weave,{split},{label},weave/{image},{mask}\n"));
        }
    }
    for folder in ["train", "test", "ground_truth"] {
        std::fs::remove_dir_all(place.path("data/weave").join(folder)).expect("removed");
    }
    place.write("data/split_csv/1cls.csv", &table);
    place.write("visa.toml", &sweep("visa", "layout = \"visa\""));
    place.succeed(&["sweep", "visa.toml", "--no-report"]);
    let mut layouts = protocols(&place, "layout");
    layouts.sort();
    assert_eq!(layouts, ["btad", "visa"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE kind = 'joint'"), 2, "equal images are trained on once");
    let failed = place.write("data/split_csv/1cls.csv", &table.replacen(",train,", ",trian,", 1));
    let outcome = place.run(&["sweep", "visa.toml", "--no-report"]);
    assert_eq!(outcome.code, Some(3));
    assert!(
        outcome.stderr.contains("1cls.csv, line 2, column `split`: it is \"trian\""),
        "{failed:?}: {}",
        outcome.stderr
    );
}

#[test]
fn held_out_images_can_be_another_share_or_a_list() {
    let place = place();
    place.write("listed.toml", &sweep("listed", "layout = \"mvtec\"\nheld_out = [\"weave/train/good/003.png\"]"));
    place.succeed(&["sweep", "listed.toml", "--no-report"]);
    place.write("share.toml", &sweep("share", "layout = \"mvtec\"\nheld_out = 0.5"));
    place.succeed(&["sweep", "share.toml", "--no-report"]);
    let mut kinds = protocols(&place, "split.held_out");
    kinds.sort();
    assert_eq!(kinds, ["listed", "share"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE kind = 'features'"), 2, "features are shared");
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE kind = 'joint'"), 4);
}

#[test]
fn unsuitable_data_is_reported_before_anything_starts() {
    let place = place();
    make_loco(&place);
    let cases = [
        "layout = \"mvtec\"",
        "layout = \"folder\"",
        "layout = \"folder\"\nfolder = { normals = \"../ok\", anomalies = [\"nok\", \"/tmp\"], masks = \"nok\", mask = 3 }",
        "layout = \"btad\"\nfolder = { normals = \"ok\" }",
        "layout = \"loco\"\nheld_out = 1.5",
        "layout = \"loco\"\nheld_out = \"validation\"",
        "layout = \"loco\"\nheld_out = [\"a.png\", \"a.png\"]",
        "layout = \"loco\"\nheld_out = [\"weave/train/good/900.png\"]",
    ];
    let messages = cases.map(|data| {
        place.write("bad.toml", &sweep("bad", data));
        let outcome = place.run(&["sweep", "bad.toml"]);
        format!("exit code {}\n{}", outcome.code.expect("not killed"), outcome.stderr)
    });
    insta::assert_snapshot!(messages.join("\n"));
    assert!(!place.path("didact.db").exists(), "nothing was started");
}
