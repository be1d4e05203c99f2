//! `didact predict`: scores new images with a finished run; reproduces the run's own scores to the bit.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::common::{CommandOutcome, Workplace, one_long_trial, tiny_on_disk};

/// Runs a sweep of two runs, a U-Net and ST-FPM, over images on disk.
fn finished_sweep() -> Workplace {
    let place = Workplace::new();
    place.succeed(&["data", "synth", "data", "--side", "32"]);
    place.write("tiny.toml", &tiny_on_disk());
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    place
}

fn runs(place: &Workplace) -> Vec<String> {
    place.query("SELECT id FROM run ORDER BY id")
}

fn prediction(place: &Workplace, out: &str) -> Value {
    let text = std::fs::read_to_string(place.path(out).join("scores.json")).expect("the scores are there");
    serde_json::from_str(&text).expect("JSON")
}

/// Returns scores by path below the category. Scores are 32-bit numbers; serde_json reads 64-bit ones with an error in the last bit.
fn scores(prediction: &Value) -> BTreeMap<String, f32> {
    let images = prediction["images"].as_array().expect("a list");
    let name = |image: &Value| image["image"].as_str().expect("a path").replace("data/weave/", "");
    images.iter().map(|image| (name(image), image["score"].as_f64().expect("a number") as f32)).collect()
}

fn stored(place: &Workplace, run: &str) -> BTreeMap<String, f32> {
    let rows = place.query(&format!(
        "SELECT image, score FROM image_score WHERE run_id = '{run}' AND selection = 'selected' ORDER BY image"
    ));
    let row = |row: String| {
        let (image, score) = row.split_once('|').expect("two columns");
        (image.to_owned(), score.parse::<f64>().expect("a number") as f32)
    };
    rows.into_iter().map(row).collect()
}

#[test]
fn scores_of_the_runs_own_test_set_equal_the_stored_ones_to_the_bit() {
    let place = finished_sweep();
    for run in runs(&place) {
        let stored = stored(&place, &run);
        assert!(
            stored.len() > 8 && !stored.len().is_multiple_of(8),
            "the last batch is a smaller one: {}",
            stored.len()
        );
        let outcome = place.succeed(&["predict", &run[..12], "data/weave/test", "--out", "all"]);
        let all = prediction(&place, "all");
        assert_eq!(scores(&all), stored);
        // Each image alone, in reverse order: a score does not depend on other images.
        for image in stored.keys().rev().step_by(5) {
            let path = format!("data/weave/{image}");
            place.succeed(&["predict", &run, &path, "--out", "one"]);
            assert_eq!(scores(&prediction(&place, "one"))[image], stored[image], "{image} alone");
        }

        let threshold = all["threshold"].as_f64().expect("a threshold");
        let evaluation = place.query(&format!(
            "SELECT s.id FROM run_stage rs JOIN stage s ON s.id = rs.stage_id
             WHERE rs.run_id = '{run}' AND s.kind = 'evaluate' AND s.job LIKE '%\"selection\":\"selected\"%'"
        ));
        let results = place.path("didact.artifacts/evaluate").join(&evaluation[0]).join("results.json");
        let results: Value = serde_json::from_slice(&std::fs::read(results).expect("readable")).expect("JSON");
        assert_eq!(results["held_out_threshold"].as_f64(), Some(threshold));
        let above = stored.values().filter(|score| f64::from(**score) > threshold).count();
        let anomalous =
            all["images"].as_array().expect("a list").iter().filter(|i| i["verdict"] == "anomalous").count();
        assert_eq!(anomalous, above);
        assert!(outcome.stdout.contains(&format!("{above} anomalous")), "{}", outcome.stdout);
        assert_eq!(outcome.stderr.lines().last(), Some(format!("{0}/{0} images", stored.len()).as_str()));
    }
}

#[test]
fn map_and_overlay_agree_with_the_scores() {
    let place = finished_sweep();
    // The image is not square, and its size differs from the networks' input size.
    image::RgbImage::from_fn(60, 44, |x, y| image::Rgb([(x * 4) as u8, (y * 5) as u8, 90]))
        .save(place.path("wide.png"))
        .expect("written");
    place.succeed(&["predict", &runs(&place)[0], "wide.png", "--out", "out"]);
    let image = &prediction(&place, "out")["images"][0];
    assert_eq!((image["width"].as_u64(), image["height"].as_u64()), (Some(60), Some(44)));
    assert_eq!((&image["map"]["file"], &image["overlay"]), (&"wide-map.png".into(), &"wide-overlay.png".into()));
    let map = image::open(place.path("out/wide-map.png")).expect("a map");
    assert_eq!((map.color(), map.width(), map.height()), (image::ColorType::L16, 32, 32));
    let grey = map.into_luma16();
    assert_eq!((grey.iter().min(), grey.iter().max()), (Some(&0), Some(&u16::MAX)));
    // The image score is the highest value of the map.
    assert_eq!(image["map"]["maximum"].as_f64().map(|v| v as f32), image["score"].as_f64().map(|v| v as f32));
    let overlay = image::open(place.path("out/wide-overlay.png")).expect("an overlay");
    assert_eq!((overlay.width(), overlay.height()), (60, 44));
}

#[test]
fn foreign_files_are_not_overwritten() {
    let place = finished_sweep();
    let run = &runs(&place)[0];
    let image = "data/weave/test/good/000.png";
    let foreign = ["out/scores.json", "out/000-map.png"].map(|name| place.write(name, "precious"));
    let refused = place.run(&["predict", run, image, "--out", "out"]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("000-map.png, scores.json"), "{}", refused.stderr);
    for file in &foreign {
        assert_eq!(std::fs::read_to_string(file).expect("is there"), "precious");
    }
    place.succeed(&["predict", run, image, "--out", "out", "--force"]);
    assert_eq!(std::fs::read_to_string(place.path("out/replaced/scores.json")).expect("was moved"), "precious");
    place.succeed(&["predict", run, image, "--out", "out"]);
}

#[test]
fn images_of_equal_names_are_kept_apart_and_bad_images_do_not_stop_others() {
    let place = finished_sweep();
    let run = &runs(&place)[0];
    place.write("data/weave/test/good/torn.png", "no image");
    let outcome = place.run(&[
        "predict",
        run,
        "data/weave/test/*/00[02].png",
        "data/weave/test/good/torn.png",
        "absent.png",
        "--out",
        "out",
    ]);
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    let result = prediction(&place, "out");
    let names: Vec<String> = scores(&result).into_keys().collect();
    assert!(names.contains(&"test/good/000.png".to_owned()) && names.len() > 2, "{names:?}");
    for name in names {
        let relative = name.trim_start_matches("test/").trim_end_matches(".png");
        assert!(place.path("out").join(format!("{relative}-map.png")).is_file(), "{relative}");
        assert!(place.path("out").join(format!("{relative}-overlay.png")).is_file(), "{relative}");
    }
    assert_eq!(result["unreadable"].as_array().map(Vec::len), Some(2));
    assert!(outcome.stderr.contains("torn.png is not a readable image"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("absent.png: no such file or folder"), "{}", outcome.stderr);
    let temporary: Vec<String> = walkdir::WalkDir::new(place.path("out"))
        .into_iter()
        .filter_map(|entry| Some(entry.ok()?.path().display().to_string()))
        .filter(|path| path.ends_with(".tmp"))
        .collect();
    assert!(temporary.is_empty(), "{temporary:?}");
}

#[cfg(unix)]
#[test]
fn pipes_and_long_names_do_not_stop_other_images() {
    let place = finished_sweep();
    let run = &runs(&place)[0];
    let image = place.path("data/weave/test/good/000.png");
    let long = |last: char| format!("in/{}{last}.png", "n".repeat(245));
    std::fs::create_dir(place.path("in")).expect("created");
    for name in [long('a'), long('b'), "in/short.png".to_owned()] {
        std::fs::copy(&image, place.path(&name)).expect("copied");
    }
    let pipe = std::ffi::CString::new(place.path("in/pipe.png").to_string_lossy().into_owned()).expect("a path");
    // SAFETY: the path ends with a zero byte and outlives the call.
    assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
    let outcome = place.run(&["predict", run, "in", "in/pipe.png", "--out", "out"]);
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("pipe.png: it is a named pipe"), "{}", outcome.stderr);
    let result = prediction(&place, "out");
    let maps: Vec<&str> =
        result["images"].as_array().expect("a list").iter().filter_map(|i| i["map"]["file"].as_str()).collect();
    assert_eq!(maps.len(), 3);
    assert!(maps.iter().all(|map| place.path("out").join(map).is_file()), "{maps:?}");
    assert!(maps.contains(&"short-map.png"));
    // A foreign file with the name of an output is reported before any computation.
    std::fs::create_dir_all(place.path("blocked/short-overlay.png/inside")).expect("created");
    let outcome = place.run(&["predict", run, "in/short.png", &long('a'), "--out", "blocked"]);
    assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("short-overlay.png"), "{}", outcome.stderr);
    assert!(place.path("blocked/short-overlay.png/inside").is_dir());
}

/// Returns exit code and message without keys.
fn message_of(outcome: &CommandOutcome, runs: &[String]) -> String {
    let message = runs.iter().fold(outcome.stderr.clone(), |message, run| message.replace(&run[..12], "[key of run]"));
    format!("exit code {}\n{message}", outcome.code.expect("not killed"))
}

#[test]
fn failed_predictions_are_explained() {
    let place = finished_sweep();
    let runs = runs(&place);
    let run = runs[0].as_str();
    std::fs::create_dir(place.path("empty")).expect("created");
    place.write("a-file", "");
    let cases: [&[&str]; 6] = [
        &["predict", "ffff0000", "data", "--out", "out"],
        &["predict", "tiny", "data", "--out", "out"],
        &["predict", run, "empty", "*.bmp", "--out", "out"],
        &["predict", run, "a-file", "--out", "out"],
        &["predict", run, "data/weave/test/good", "--out", "a-file/out"],
        &["predict", run, "data/weave/test/good", "--out", "out", "--device", "cuda"],
    ];
    let mut messages: Vec<String> = cases.iter().map(|case| message_of(&place.run(case), &runs)).collect();
    // No sweep contains the student without auto-encoders any more.
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "baseline.rerun=false"]);
    place.succeed(&["gc"]);
    let removed = place.query("SELECT id FROM run WHERE id NOT IN (SELECT run_id FROM sweep_run)").remove(0);
    let outcome = place.run(&["predict", &removed, "data/weave/test/good", "--out", "out"]);
    let joint = outcome.stderr.split("joint/").nth(1).and_then(|rest| rest.get(..64)).unwrap_or("-").to_owned();
    messages.push(message_of(&outcome, &runs).replace(&joint, "[key]"));
    insta::assert_snapshot!(messages.join("\n"));
    assert!(!place.path("out/scores.json").exists());
}

#[test]
fn a_run_that_is_not_done_cannot_predict() {
    let place = Workplace::new();
    place.write("tiny.toml", &one_long_trial());
    place.run(&["sweep", "tiny.toml", "--no-report", "--time-limit", "0s"]);
    let run = runs(&place).remove(0);
    let outcome = place.run(&["predict", &run, "x.png", "--out", "out"]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("is pending") && outcome.stderr.contains("didact why"), "{}", outcome.stderr);
}
