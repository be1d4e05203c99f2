//! `data check` and `sweep` report the same faults of real-world data sets, with the same exit code.

use crate::common::{CommandOutcome, TINY, Workplace};

/// Returns [`TINY`] over `data/` with this `[data]`, only ST-FPM.
fn sweep(data: &str) -> String {
    TINY.replace("layout = \"synthetic\"\ncategories = [\"weave\"]", &format!("root = \"data\"\n{data}"))
        .replace("synthetic = { side = 32, train = 10, test_good = 3, test_per_defect = 2 }\n", "")
        .replace("depth = 1", "autoencoder = \"none\"")
}

/// Creates the synthetic category `weave` below `data/` with few images.
fn place() -> Workplace {
    let place = Workplace::new();
    place.succeed(&["data", "synth", "data", "--side", "32"]);
    for other in ["grain", "washer", "weave/test/thread", "weave/ground_truth/thread"] {
        std::fs::remove_dir_all(place.path("data").join(other)).expect("removed");
    }
    (8..40).for_each(|index| remove(&place, &format!("train/good/{index:03}.png")));
    place
}

fn remove(place: &Workplace, file: &str) {
    std::fs::remove_file(place.path("data/weave").join(file)).expect("removed");
}

fn rename(place: &Workplace, from: &str, to: &str) {
    let (from, to) = (place.path("data/weave").join(from), place.path("data/weave").join(to));
    std::fs::create_dir_all(to.parent().expect("has a folder")).expect("created");
    std::fs::rename(from, to).expect("renamed");
}

/// Runs both commands on a sweep file; their exit codes must be equal.
fn run_both(place: &Workplace, data: &str) -> (CommandOutcome, CommandOutcome) {
    place.write("t.toml", &sweep(data));
    let (check, sweep) = (place.run(&["data", "check", "t.toml"]), place.run(&["sweep", "t.toml", "--dry-run"]));
    assert_eq!(check.code, sweep.code, "check: {}{}\nsweep: {}", check.stdout, check.stderr, sweep.stderr);
    (check, sweep)
}

#[track_caller]
fn refused(place: &Workplace, data: &str, message: &str) {
    let (check, sweep) = run_both(place, data);
    assert_eq!(check.code, Some(3), "{}", check.stdout);
    assert!(format!("{}{}", check.stdout, check.stderr).contains(message), "{}{}", check.stdout, check.stderr);
    assert!(sweep.stderr.contains(message), "{}", sweep.stderr);
}

#[test]
fn unused_files_are_named_and_counted() {
    let place = place();
    rename(&place, "test/stain/001.png", "test/stain/rgb/001.png");
    rename(&place, "ground_truth/hole/002_mask.png", "ground_truth/hole/002_gt.png");
    place.write("data/weave/test/@eaDir/x.png", "");
    place.write("data/weave/license.txt", "");
    place.write("data/cable/test/good/readme.txt", "");
    let (check, sweep) = run_both(&place, "layout = \"mvtec\"");
    assert_eq!(check.code, Some(0));
    insta::assert_snapshot!(format!("{}\n{}", check.stdout, sweep.stderr));
}

#[test]
fn a_category_without_a_test_image_is_refused_by_both() {
    let place = place();
    std::fs::remove_dir_all(place.path("data/weave/test")).expect("removed");
    refused(&place, "layout = \"mvtec\"", "test of weave has 0 images, needs at least 1");
}

#[test]
fn invalid_masks_are_refused_by_both() {
    let place = place();
    let mask = place.path("data/weave/ground_truth/hole/001_mask.png");
    let good = image::open(&mask).expect("a mask").into_luma8();
    good.save_with_format(&mask, image::ImageFormat::Jpeg).expect("written");
    refused(&place, "layout = \"mvtec\"", "001_mask.png is a JPEG");
    let (check, _) = run_both(&place, "layout = \"mvtec\"\nmask_threshold = 127");
    assert_eq!(check.code, Some(0), "{}", check.stdout);
    let alpha = image::RgbaImage::from_fn(32, 32, |x, y| image::Rgba([0, 0, 0, good.get_pixel(x, y).0[0]]));
    alpha.save(&mask).expect("written");
    refused(&place, "layout = \"mvtec\"", "alpha channel");
    image::GrayImage::new(32, 32).save(&mask).expect("written");
    let (check, sweep) = run_both(&place, "layout = \"mvtec\"");
    for text in [check.stdout, sweep.stderr] {
        assert!(text.contains("mark no pixel") && text.contains("test/hole/001.png"), "{text}");
    }
}

#[test]
fn a_missing_mask_is_reported_and_its_image_omitted_on_request() {
    let place = place();
    remove(&place, "ground_truth/hole/001_mask.png");
    let (check, sweep) = run_both(&place, "layout = \"mvtec\"");
    assert!(check.stdout.contains("test/hole/001.png has no mask"), "{}", check.stdout);
    assert!(
        sweep.stderr.contains("data.unmasked = \"leave-out\"") && sweep.stderr.contains("test/hole/001.png"),
        "{}",
        sweep.stderr
    );
    refused(&place, "layout = \"mvtec\"\nunmasked = \"refuse\"", "1 defective test image of weave has no mask");
    let pixel = |place: &Workplace| {
        place.query("SELECT DISTINCT value IS NULL FROM result WHERE name = 'pixel_auroc' AND selection = 'selected'")
    };
    place.succeed(&["sweep", "t.toml", "--no-report", "--set", "data.unmasked=\"void\"", "--set", "name=\"void\""]);
    assert_eq!(pixel(&place), ["1"]);
    place.succeed(&[
        "sweep",
        "t.toml",
        "--no-report",
        "--set",
        "data.unmasked=\"leave-out\"",
        "--set",
        "name=\"left\"",
    ]);
    let mut undefined = pixel(&place);
    undefined.sort();
    assert_eq!(undefined, ["0", "1"], "without the image, pixel metrics are defined");
    let mut protocols = place.query("SELECT DISTINCT json_extract(content, '$.unmasked') FROM protocol");
    protocols.sort();
    assert_eq!(protocols, ["leave-out", "void"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE kind = 'joint'"), 1, "trained once");
}

#[test]
fn a_table_describes_images_in_any_folders() {
    let place = place();
    place.write("mvtec.toml", &sweep("layout = \"mvtec\"").replace("name = \"tiny\"", "name = \"mvtec\""));
    place.succeed(&["sweep", "mvtec.toml", "--no-report"]);
    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    let mut table = "category,split,kind,image,mask\n".to_owned();
    (0..8).for_each(|i| table.push_str(&format!("nut,train,normal,weave/train/good/{i:03}.png,\n")));
    (0..12).for_each(|i| table.push_str(&format!("nut,test,normal,weave/test/good/{i:03}.png,\n")));
    for kind in ["hole", "stain"] {
        (0..6).for_each(|i| {
            let mask = format!("weave/ground_truth/{kind}/{i:03}_mask.png");
            table.push_str(&format!("nut,test,{kind},weave/test/{kind}/{i:03}.png,{mask}\n"));
        });
    }
    place.write("data/images.csv", &table);
    let (check, _) = run_both(&place, "layout = \"table\"\ntable = \"images.csv\"");
    assert!(
        check.stdout.contains("good 12, hole 6, stain 6") && !check.stdout.contains("not used"),
        "{}",
        check.stdout
    );
    place.succeed(&["sweep", "t.toml", "--no-report"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts, "equal images and masks need no new work");
    let mut layouts = place.query("SELECT DISTINCT json_extract(content, '$.layout') FROM protocol");
    layouts.sort();
    assert_eq!(layouts, ["mvtec", "table"]);
    place.write("data/images.csv", &table.replacen(",train,", ",trian,", 1));
    refused(
        &place,
        "layout = \"table\"\ntable = \"images.csv\"",
        "images.csv, line 2, column `split`: it is \"trian\"",
    );
}

#[test]
fn images_and_masks_of_one_folder_are_separated_and_test_normals_drawn() {
    let place = place();
    let weave = place.path("data/weave");
    for (folder, name) in [("train/good", "n"), ("test/hole", "d"), ("ground_truth/hole", "d")] {
        for index in 0..6 {
            let mask = if folder.starts_with("ground") { "_mask" } else { "" };
            rename(&place, &format!("{folder}/{index:03}{mask}.png"), &format!("all/{name}{index}{mask}.png"));
        }
    }
    ["train", "test", "ground_truth"]
        .iter()
        .for_each(|folder| std::fs::remove_dir_all(weave.join(folder)).expect("removed"));
    refused(&place, "layout = \"folder\"\nfolder = { normals = \"all\", anomalies = \"all/d*\" }", "are the same file");
    let folder = "layout = \"folder\"\ntest_normals_share = 0.3\nsplit_seed = 4\n\
                  folder = { normals = \"all/n*.png\", anomalies = \"all/d?.png\", masks = \"all/*_mask.png\" }";
    let (check, _) = run_both(&place, folder);
    assert!(check.stdout.contains("all 6, good 2") && !check.stdout.contains("not used"), "{}", check.stdout);
    place.succeed(&["sweep", "t.toml", "--no-report"]);
    assert_eq!(place.query("SELECT DISTINCT json_extract(content, '$.test_normals.seed') FROM protocol"), ["4"]);
    assert_eq!(
        place.query("SELECT value IS NULL FROM result WHERE name = 'pixel_auroc' AND selection = 'selected'"),
        ["0"]
    );
}

#[test]
fn wrong_data_settings_of_a_sweep_file_are_reported_with_their_position() {
    let place = place();
    let cases = [
        "layout = \"folder\"\nfolder = { normals = \"ok\", test_normals = \"./ok/\", anomalies = [\"nok\", \"nok\"], masks = [\"m\", \"nok\"] }",
        "layout = \"folder\"\ntest_normals_share = 0.2\nfolder = { normals = \"a[\", test_normals = \"fine\" }",
        "layout = \"table\"",
        "layout = \"mvtec\"\ntable = \"t.csv\"\nunmaskd = \"void\"",
        "layout = \"mvtec\"\nmask_threshold = 255\nunmasked = \"leave\"\ntest_normals_share = 1.0",
    ];
    let messages = cases.map(|data| {
        place.write("bad.toml", &sweep(data));
        let outcome = place.run(&["sweep", "bad.toml"]);
        format!("exit code {}\n{}", outcome.code.expect("not killed"), outcome.stderr)
    });
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn many_image_sizes_are_shown_as_a_range_and_listed_in_json() {
    let place = place();
    let draw = |index: u32, width: u32, height: u32| {
        let file = place.path("data/weave/train/good").join(format!("{index:03}.png"));
        image::RgbImage::new(width, height).save(file).expect("written");
    };
    draw(0, 40, 30);
    draw(1, 64, 33);
    let few = place.succeed(&["data", "check", "data"]).stdout;
    assert!(few.contains("40×30 1, 64×33 1, 32×32 "), "{few}");
    draw(2, 36, 80);
    let many = place.succeed(&["data", "check", "data"]).stdout;
    assert!(many.contains("  32×30 to 64×80 (4 sizes)  ") && !many.contains("40×30"), "{many}");
    let json: serde_json::Value =
        serde_json::from_str(&place.succeed(&["data", "check", "data", "--json"]).stdout).expect("JSON");
    let sizes = json["categories"][0]["sizes"].as_array().expect("a list");
    assert_eq!(
        sizes[..3],
        [serde_json::json!(["40×30", 1]), serde_json::json!(["64×33", 1]), serde_json::json!(["36×80", 1])]
    );
    assert_eq!((sizes.len(), &sizes[3][0]), (4, &serde_json::json!("32×32")));
}

#[test]
fn stand_ins_have_the_categories_and_a_share_of_the_counts_of_a_published_data_set() {
    let place = Workplace::new();
    let written =
        place.succeed(&["data", "synth", "mvtec", "--like", "mvtec", "--share", "0.1", "--side", "32"]).stdout;
    assert!(written.contains("wrote 552 images to mvtec"), "{written}");
    let checked = place.run(&["data", "check", "mvtec", "--json"]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    let report: serde_json::Value = serde_json::from_str(&checked.stdout).expect("JSON");
    let categories = report["categories"].as_array().expect("categories");
    assert_eq!(categories.len(), 15);
    // MVTec's bottle has 209, 20 and 63 images; a started image counts.
    let bottle = &categories[0];
    assert_eq!((bottle["name"].as_str(), bottle["train"].as_u64()), (Some("bottle"), Some(21)));
    let expected = serde_json::json!([["good", 2], ["colour", 3], ["knot", 2], ["scratch", 2]]);
    let mut test = bottle["test"].as_array().expect("counts").clone();
    test.sort_by_key(|pair| pair[0] != "good");
    assert_eq!(serde_json::Value::from(test), expected);

    for share in ["0", "1.5", "NaN"] {
        let refused = place.run(&["data", "synth", "other", "--like", "mvtec", "--share", share]);
        assert_eq!(refused.code, Some(2));
        assert!(refused.stderr.contains("expected a number above 0, up to 1"), "{}", refused.stderr);
    }
    assert!(!place.path("other").exists());
}
