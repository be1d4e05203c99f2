//! `didact compare`: which claims about two trials are valid, and when none is.
//!
//! The runs are real, but the tests set their numbers, so that the verdicts are known.

use serde_json::Value;

use crate::common::{TINY, Workplace, tiny_on_disk};

/// Returns a sweep of three trials: ST-FPM and two U-Nets, `skip=none` and `skip=add`.
fn three_trials(file: &str, seeds: &str) -> String {
    let file = file.replace("epochs = 2", "epochs = 1");
    format!(
        "{file}\n[search]\nseeds = {seeds}\n[search.space]\n\"model.skip\" = [\"none\", \"add\"]\n[report]\nvariants = [\"model.skip\"]\n"
    )
}

/// Sets a metric of all selected epochs; `value` may use the columns `variant`, `category` and `seed`.
fn set(place: &Workplace, metric: &str, value: &str) {
    let set = place.query(&format!(
        "UPDATE results SET value = (SELECT {value} FROM runs r JOIN sweep_trials st ON st.trial_id = r.trial_id
                                     WHERE r.id = results.run_id LIMIT 1)
         WHERE name = '{metric}' AND selection = 'selected' RETURNING run_id"
    ));
    assert!(!set.is_empty());
}

/// Returns the verdict on a metric.
fn verdict<'j>(result: &'j Value, metric: &str) -> &'j Value {
    let all = result["verdicts"].as_array().expect("verdicts");
    all.iter().find(|verdict| verdict["metric"] == metric).expect("is result")
}

fn json(place: &Workplace, arguments: &[&str]) -> Value {
    serde_json::from_str(&place.succeed(arguments).stdout).expect("JSON")
}

#[test]
fn verdicts_are_shown_with_the_number_of_seeds_needed() {
    let place = Workplace::new();
    place.write("tiny.toml", &three_trials(TINY, "[0, 1, 2, 3, 4]"));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let unet = |what: &str| format!("0.8 + 0.001 * seed + CASE variant WHEN 'skip=none' THEN {what} ELSE 0 END");
    set(&place, "pixel_auroc", &unet("0.05 + 0.0001 * seed"));
    set(&place, "image_auroc", &unet("-0.05 + 0.0001 * seed"));
    set(&place, "aupro", &unet("CASE seed WHEN 0 THEN 0.02 WHEN 1 THEN -0.01 ELSE 0.01 END"));
    // The pixel histograms belong to the original numbers, so a plan for other images would be wrong.
    std::fs::remove_dir_all(place.path("didact.artifacts/evaluate")).expect("removed");

    let result = json(&place, &["compare", "tiny:ST-FPM", "tiny:skip=none", "--json"]);
    let text_of = |metric| verdict(&result, metric)["verdict"].as_str().expect("a text").to_owned();
    assert_eq!(
        (text_of("pixel_auroc").as_str(), text_of("image_auroc").as_str()),
        ("better on these images", "worse on these images")
    );
    let undecided = text_of("aupro");
    let needed = verdict(&result, "aupro")["seeds_needed"].as_u64().expect("a number");
    assert!(needed > 7, "{needed}");
    assert_eq!(
        undecided,
        format!(
            "not distinguishable with 5 seeds; {needed} would be enough on these images if the difference is as large as observed"
        )
    );
    let pixel = verdict(&result, "pixel_auroc");
    assert!((pixel["difference"].as_f64().expect("a number") - 0.0502).abs() < 1e-9, "{pixel}");
    assert_eq!(pixel["better_equal_worse"], serde_json::json!([5, 0, 0]));
    assert_eq!(
        (&pixel["method"], &pixel["seeds"]),
        (&"Student's t over seeds, on these images (fewer than 8 seeds)".into(), &5.into())
    );
    assert_eq!(verdict(&result, "image_auroc")["delong"].as_array().map(Vec::len), Some(5), "one per seed");
    assert_eq!(result["friedman"], serde_json::json!([]), "two trials, one category");

    // The reverse comparison, by the trials' keys, as text.
    let trial = |variant: &str| {
        let sql = format!("SELECT trial_id FROM sweep_trial WHERE variant = '{variant}'");
        place.query(&sql).remove(0)[..12].to_owned()
    };
    let text = place.succeed(&["compare", &trial("skip=none"), &trial("ST-FPM"), &trial("skip=add")]).stdout;
    for part in [
        "T01 ST-FPM against T02 skip=none",
        "T03 skip=add against T02 skip=none",
        "worse on these images",
        "would be enough on these images",
        "DeLong, image AUROC",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    // Two variants were compared, so p-values are larger than for a single one.
    let both = json(&place, &["compare", "tiny:ST-FPM", "tiny:skip=none", "tiny:skip=add", "--json"]);
    let p = |result: &Value| verdict(result, "aupro")["p"].as_f64().expect("a number");
    assert!(p(&both) >= p(&result));
}

#[test]
fn metrics_are_those_of_the_command_line_then_of_the_sweep_file() {
    let place = Workplace::new();
    let file = TINY.replace("epochs = 2", "epochs = 1");
    place.write("tiny.toml", &format!("{file}\n[report]\nmetrics = [\"pixel_ap\", \"image_false_alarms\"]\n"));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let metrics = |result: &Value, verdicts: &str| -> Vec<String> {
        let all = result.pointer(verdicts).and_then(Value::as_array).expect("verdicts");
        all.iter().map(|verdict| verdict["metric"].as_str().expect("a name").to_owned()).collect()
    };
    let key = |which: &str| {
        place.query(&format!("SELECT trial_id FROM sweep_trial WHERE variant {which} 'ST-FPM'")).remove(0)
    };
    let (baseline, other) = (key("="), key("<>"));
    let compared = |reference: &str, more: &[&str]| {
        metrics(&json(&place, &[&["compare", reference, &other, "--json"], more].concat()), "/verdicts")
    };
    assert_eq!(compared("tiny:ST-FPM", &[]), ["pixel_ap", "image_false_alarms"]);
    assert_eq!(compared("tiny:ST-FPM", &["--metric", "aupro_05,image_auroc"]), ["aupro_05", "image_auroc"]);
    assert_eq!(compared(&baseline, &[]), ["pixel_auroc", "image_auroc", "aupro"]);

    let reported = |more: &[&str]| metrics(&json(&place, &[&["report", "--json"], more].concat()), "/0/verdicts");
    assert_eq!(reported(&[]), ["pixel_ap", "image_false_alarms"]);
    assert_eq!(reported(&["--metrics", "aupro_05"]), ["aupro_05"]);
    // The metrics are in no key: another choice computes nothing again.
    let attempts = || place.query("SELECT COUNT(*) FROM attempt");
    let before = attempts();
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "report.metrics=[\"pixel_f1max\"]"]);
    assert_eq!(attempts(), before);
    assert_eq!(reported(&[]), ["pixel_f1max"]);

    let unknown = place.run(&["report", "--metrics", "pixel_f1"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
    assert!(unknown.stderr.contains("'pixel_f1max'") && unknown.stderr.contains("aupro_05"), "{}", unknown.stderr);
}

#[test]
fn protocols_are_compared_only_on_request_and_marked() {
    let place = Workplace::new();
    let plain = TINY.replace("depth = 1", "autoencoder = \"none\"").replace("epochs = 2", "epochs = 1");
    let plain = format!("{plain}\n[search]\nseeds = [0, 1]\n");
    place.write("one.toml", &plain.replace("name = \"tiny\"", "name = \"one\""));
    let other = plain.replace("name = \"tiny\"", "name = \"two\"");
    place.write("two.toml", &format!("{other}\n[evaluate]\naggregate = \"sum\"\n"));
    place.succeed(&["sweep", "one.toml", "--no-report"]);
    place.succeed(&["sweep", "two.toml", "--no-report"]);

    let refused = place.run(&["compare", "one", "two"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stdout);
    for part in ["measured under different protocols", "map.aggregate: product, sum", "--across-protocols"] {
        assert!(refused.stderr.contains(part), "{part} is not in\n{}", refused.stderr);
    }
    let marked = place.succeed(&["compare", "one", "two", "--across-protocols"]).stdout;
    assert!(marked.contains("ACROSS PROTOCOLS (map.aggregate: product, sum)"), "{marked}");
    let result = json(&place, &["compare", "one", "two", "--across-protocols", "--json", "--html", "page.html"]);
    assert_eq!(verdict(&result, "aupro")["across"], "map.aggregate: product, sum");
    let page = std::fs::read_to_string(place.path("page.html")).expect("a page");
    assert!(page.contains("Across protocols. ") && page.contains("(map.aggregate: product, sum)"), "{page}");
}

#[test]
fn a_report_ranks_across_protocols_only_on_request_and_marked() {
    let place = Workplace::new();
    let space = "[search.space]\n\"evaluate.aggregate\" = [\"product\", \"sum\"]\n[report]\nvariants = [\"evaluate.aggregate\"]\n";
    place.write("tiny.toml", &format!("{}\n{space}", TINY.replace("epochs = 2", "epochs = 1")));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let separate = json(&place, &["report", "--json"]);
    assert_eq!(separate.as_array().map(Vec::len), Some(2));
    let joint = json(&place, &["report", "--json", "--across-protocols"]);
    assert_eq!((joint.as_array().map(Vec::len), &joint[0]["mark"]), (Some(1), &"across protocols".into()));
    place.succeed(&["report", "--across-protocols"]);
    let page = std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("a page");
    assert!(page.contains("[across protocols] ") && page.contains("Levels: pixel AUROC"));
}

#[test]
fn ambiguous_names_are_refused_with_valid_ones() {
    let place = Workplace::new();
    place.write("tiny.toml", &TINY.replace("epochs = 2", "epochs = 1"));
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--max-trials", "1"]);
    place.run(&["sweep", "tiny.toml", "--no-report", "--time-limit", "0s"]);
    for (other, parts) in [
        ("nothing", vec!["`nothing`"]),
        ("tiny", vec!["`tiny` matches 2 trials; name one of them: ", "(T01 ST-FPM)", "(T02 U-Net, skip=concat)"]),
        ("tiny:ST-FMP", vec!["`tiny` has no variant `ST-FMP`; it has: ST-FPM; U-Net, skip=concat"]),
        ("tinny:ST-FPM", vec!["`tinny`"]),
        ("tiny:U-Net, skip=concat", vec!["`tiny:U-Net, skip=concat` has no finished run"]),
    ] {
        let outcome = place.run(&["compare", "tiny:ST-FPM", other]);
        assert_eq!(outcome.code, Some(2), "{other}: {}{}", outcome.stdout, outcome.stderr);
        for part in parts {
            assert!(outcome.stderr.contains(part), "{part} is not in\n{}", outcome.stderr);
        }
    }
    assert_eq!(place.run(&["compare", "tiny:ST-FPM"]).code, Some(2), "two trials are needed");
}

#[test]
fn three_trials_on_six_categories_are_ranked() {
    let place = Workplace::new();
    place.succeed(&["data", "synth", "drawn", "--side", "32"]);
    // Equal images share their training, so six categories cost as much as one.
    for category in ["a", "b", "c", "d", "e", "f"] {
        copy(&place.path("drawn/weave"), &place.path("data").join(category));
    }
    let file = tiny_on_disk().replace("[\"weave\"]", "[\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]");
    place.write("tiny.toml", &three_trials(&file, "[0, 1, 2, 3, 4]"));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    set(
        &place,
        "pixel_auroc",
        "CASE variant WHEN 'ST-FPM' THEN 0.5 WHEN 'skip=none' THEN 0.6 + 0.001 * unicode(category)
         ELSE 0.7 + 0.002 * unicode(category) END",
    );
    let names = ["compare", "tiny:ST-FPM", "tiny:skip=none", "tiny:skip=add"];
    let text = place.succeed(&names).stdout;
    // Ranks 3, 2, 1 in all six categories: 6⁻⁵; 2.344 · √(3 · 4 / (6 · 6)); 2 / 2⁶, twice by Holm.
    for part in [
        "pixel_auroc: Friedman test over 6 categories (means of 5 seeds, Iman–Davenport F): p < 0.001; rank 1 = highest. Mean ranks \
         that differ by more than the critical difference of 1.35 (Nemenyi, 5 %): T03 skip=add ranks above T01 ST-FPM.",
        "  1.00  T03 skip=add",
        "Wilcoxon over categories, pixel_auroc: p (Holm) = 0.062",
        "every seed has the same difference: no test",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    // Other metrics are what the tiny networks happen to reach.
    let of_auroc = text.lines().find(|line| line.starts_with("pixel_auroc: Friedman")).expect("a test");
    assert!(!of_auroc.contains("T03 skip=add ranks above T02 skip=none"), "{text}");
    let result = json(&place, &[&names[..], &["--json"]].concat());
    let test = result["friedman"].as_array().expect("tests").iter().find(|test| test["metric"] == "pixel_auroc");
    let test = test.expect("of pixel AUROC");
    assert_eq!(test["apart"], serde_json::json!([["T03 skip=add", "T01 ST-FPM"]]));
    assert_eq!(test["categories"].as_array().map(Vec::len), Some(6));

    place.write("page.html", "precious");
    let refused = place.run(&[&names[..], &["--html", "page.html"]].concat());
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("page.html") && refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(std::fs::read_to_string(place.path("page.html")).expect("is there"), "precious");
    place.succeed(&[&names[..], &["--html", "page.html", "--force"]].concat());
    assert_eq!(std::fs::read_to_string(place.path("replaced/page.html")).expect("was moved"), "precious");
    assert_eq!(
        place.succeed(&[&names[..], &["--html", "page.html"]].concat()).stdout,
        text,
        "the text is printed as well"
    );
    let page = std::fs::read_to_string(place.path("page.html")).expect("a page");
    for part in [
        "<h3>T03 skip=add against T01 ST-FPM</h3>",
        "every seed has the same difference: no test",
        "<h2>Ranks over categories</h2><h3>pixel AUROC</h3>",
        "Mean ranks that differ by more than the critical difference of 1.35 (Nemenyi, 5 %): T03 skip=add ranks above T01 ST-FPM.",
        "Wilcoxon over categories, pixel AUROC: p (Holm) = 0.062.",
    ] {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
    for outside in ["<script src", "src=\"http", "href=\"http", "@import", "url("] {
        assert!(!page.contains(outside), "the page is not self-contained: {outside}");
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("created");
    for entry in std::fs::read_dir(from).expect("is there").map(|entry| entry.expect("readable")) {
        match entry.path() {
            path if path.is_dir() => copy(&path, &to.join(entry.file_name())),
            path => drop(std::fs::copy(path, to.join(entry.file_name())).expect("copied")),
        }
    }
}

#[test]
fn eight_seeds_give_claims_about_other_images_also_for_pixel_metrics() {
    let place = Workplace::new();
    let file = TINY.replace("epochs = 2", "epochs = 1");
    place.write("tiny.toml", &format!("{file}\n[search]\nseeds = [0, 1, 2, 3, 4, 5, 6, 7]\n"));
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--jobs", "2"]);
    let arguments = ["compare", "tiny:ST-FPM", "tiny:U-Net, skip=concat", "--json"];
    let result = json(&place, &arguments);
    for metric in ["pixel_auroc", "image_auroc", "aupro"] {
        let verdict = verdict(&result, metric);
        assert_eq!(verdict["method"], "Student's t over seeds and test images", "{verdict}");
        let number = |value: &Value| value.as_f64().expect("a number");
        let (low, high) = (number(&verdict["interval"][0]), number(&verdict["interval"][1]));
        let difference = number(&verdict["difference"]);
        assert!(low <= difference && difference <= high, "{verdict}");
    }
    assert_eq!(json(&place, &arguments), result, "the same numbers each time");
    let histograms = walk(&place.path("didact.artifacts/evaluate"));
    assert_eq!(histograms, 16, "only of selected epochs");

    // Without histograms a pixel metric is tested over seeds, and the reason is shown.
    std::fs::remove_dir_all(place.path("didact.artifacts/evaluate")).expect("removed");
    let result = json(&place, &arguments);
    let why = "Student's t over seeds, on these images (weave, seed 0: the pixel histograms are missing or damaged)";
    assert_eq!(verdict(&result, "aupro")["method"], why);
    assert!(place.succeed(&arguments[..3]).stdout.contains(why));
    assert_eq!(verdict(&result, "image_auroc")["method"], "Student's t over seeds and test images");
}

/// Counts evaluations that contain histograms.
fn walk(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("is there").filter_map(Result::ok);
    entries.filter(|entry| entry.path().join("histograms.bin").is_file()).count()
}
