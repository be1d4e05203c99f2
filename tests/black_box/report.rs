//! The report's files: every part exists, the bytes are reproducible, and its commands repeat the runs.

use std::collections::BTreeMap;
use std::process::Command;

use crate::background::{start_until_joint_training, workers};
use crate::common::{TINY, Workplace, one_long_trial};
use crate::processes::send;

/// A sweep for every part of a report: three axes, two categories, two seeds, adaptive loss weights, the oracle.
pub const WIDE: &str = r#"schema = 1
name = "wide"
question = "Does a report show everything?"

[data]
layout = "synthetic"
categories = ["weave", "grain"]
image_size = 64
synthetic = { side = 64, train = 10, test_good = 3, test_per_defect = 2 }

[teacher]
weights = "demo"

[pretrain]
epochs = 1
batch_size = 4

[joint]
epochs = 2
batch_size = 4
loss = { weighting = "dwa" }

[evaluate]
oracle_epochs = 1

[search]
seeds = [0, 1]
[search.space]
"model.skip" = ["none", "concat"]
"model.depth" = [1, 2]
"joint.student.learning_rate" = [0.1, 0.4]
"#;

/// Returns all files of a folder with their content.
fn files(place: &Workplace, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(place.path(folder)).expect("a folder").map(|entry| entry.expect("an entry"));
    let files = entries.filter(|entry| entry.path().is_file());
    files
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).expect("readable")))
        .collect()
}

#[test]
fn a_report_has_every_part_and_is_reproducible() {
    let place = Workplace::new();
    place.write("wide.toml", WIDE);
    place.succeed(&["sweep", "wide.toml"]);
    let first = files(&place, "reports/wide");
    let page = String::from_utf8(first["index.html"].clone()).expect("text");
    for part in ["verdict", "leaderboard", "effect", "why", "price", "trust", "appendix", "origin"] {
        assert!(page.contains(&format!("id=\"{part}\"")) && page.contains(&format!("href=\"#{part}\"")), "{part}");
    }
    for figure in [
        "seeds-aupro",
        "forest",
        "levels",
        "interaction",
        "shapes",
        "slices",
        "parallel",
        "history",
        "loss-weave",
        "rules",
        "stability",
        "pareto-parameters",
    ] {
        for ending in ["png", "svg", "csv"] {
            assert!(first.contains_key(&format!("{figure}.{ending}")), "{figure}.{ending}");
        }
    }
    assert!(first.contains_key("article-grain.png"), "the article's picture");
    assert!(page.contains("<div class=\"gallery\">") && page.contains("href=\"#gallery=grain/"), "the gallery");
    place.succeed(&["report", "wide", "--watch", "--out", "again"]);
    let second = files(&place, "again");
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (name, bytes) in &first {
        assert!(second[name] == *bytes, "{name} differs");
    }
}

#[test]
fn the_commands_of_a_report_repeat_its_runs() {
    let place = Workplace::new();
    let searched = "\n[search]\nseeds = [0, 1]\n[search.space]\n\"model.skip\" = [\"none\", \"concat\"]\n";
    place.write("my sweep.toml", &format!("{TINY}{searched}"));
    place.succeed(&["sweep", "my sweep.toml", "--set", "evaluate.smoothing_sigma=2.0"]);
    let page = std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("a page");
    let commands: Vec<String> = page
        .split("<pre tabindex=\"0\">didact ")
        .skip(1)
        .map(|rest| rest.split_once("</pre>").expect("an end").0)
        .map(|text| text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
        .collect();
    assert_eq!(commands.len(), 3, "the baseline and two variants: {commands:?}");
    for command in commands {
        let script = format!("\"$DIDACT\" {command} --dry-run --jobs 1");
        let output = Command::new("sh")
            .args(["-c", &script])
            .env("DIDACT", env!("CARGO_BIN_EXE_didact"))
            .env_remove("DIDACT_STORE")
            .current_dir(place.folder())
            .output()
            .expect("a shell");
        let outcome = place.outcome(&output);
        assert_eq!(outcome.code, Some(0), "{command}\n{}", outcome.stderr);
        assert!(outcome.stdout.contains("nothing is left to do"), "{command}\n{}", outcome.stdout);
    }
}

/// Creates files as a user's folder may contain them next to a report.
fn write_foreign_files(place: &Workplace, folder: &str) -> Vec<std::path::PathBuf> {
    let names = [
        "loss-ours.png",
        "roc-curve.svg",
        "maps-a.png",
        "pareto-front.png",
        "notes.md",
        "tables/results-ours.tex",
        "tables/effects-mine.csv",
        "protocol-2-forest.png",
    ];
    names.iter().map(|name| place.write(&format!("{folder}/{name}"), "precious")).collect()
}

fn assert_unchanged(files: &[std::path::PathBuf]) {
    for file in files {
        assert_eq!(std::fs::read_to_string(file).expect("is there"), "precious", "{}", file.display());
    }
}

#[test]
fn a_report_replaces_only_files_of_its_sweep() {
    let place = Workplace::new();
    place.write("tiny.toml", &TINY.replace("epochs = 2", "epochs = 1"));
    let mut foreign_files = write_foreign_files(&place, "reports/tiny");
    place.succeed(&["sweep", "tiny.toml"]);
    assert_unchanged(&foreign_files);

    foreign_files.extend(write_foreign_files(&place, "paper"));
    place.succeed(&["report", "--out", "paper"]);
    place.succeed(&["report", "--out", "paper", "--watch"]);
    let page = std::fs::read_to_string(place.path("paper/index.html")).expect("a page");
    // A figure of an earlier report is removed, because the manifest lists it.
    let manifest = place.path("paper/.didact-files.jsonl");
    let known = std::fs::read_to_string(&manifest).expect("an account");
    let digest = blake3::hash(b"older").to_hex();
    let line = format!("{{\"file\":\"loss-gone.png\",\"blake3\":\"{digest}\",\"of\":\"report of sweep tiny\"}}\n");
    std::fs::write(&manifest, known + &line).expect("written");
    let older = place.write("paper/loss-gone.png", "older");
    place.succeed(&["report", "--out", "paper"]);
    assert!(!older.exists());
    assert_eq!(std::fs::read_to_string(place.path("paper/index.html")).expect("a page"), page);
    assert_unchanged(&foreign_files);

    // Foreign files with names of the report are refused, and nothing is changed.
    let foreign = [place.write("mine/index.html", "precious"), place.write("mine/report.md", "precious")];
    let refused = place.run(&["report", "--out", "mine"]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    for part in ["mine contains files", "index.html, report.md", "--force", "mine/replaced"] {
        assert!(refused.stderr.contains(part), "{part} is not in\n{}", refused.stderr);
    }
    assert_unchanged(&foreign);
    assert_eq!(files(&place, "mine").len(), 2);
    place.succeed(&["report", "--out", "mine", "--force"]);
    assert_unchanged(&[place.path("mine/replaced/index.html"), place.path("mine/replaced/report.md")]);
    assert!(place.path("mine/report.json").is_file());

    // Another sweep's report is kept as well.
    let other = TINY.replace("epochs = 2", "epochs = 1").replace("name = \"tiny\"", "name = \"other\"");
    place.write("other.toml", &other);
    place.succeed(&["sweep", "other.toml", "--no-report"]);
    let refused = place.run(&["report", "other", "--out", "mine"]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("(report of sweep tiny)"), "{}", refused.stderr);
    // A sweep reports this before it works for hours.
    let page = place.write("reports/other/index.html", "precious");
    let refused = place.run(&["sweep", "other.toml"]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("--no-report") && refused.stderr.contains("index.html"), "{}", refused.stderr);
    assert_unchanged(&[page]);
}

#[test]
fn a_report_of_an_older_version_is_moved_aside_and_an_edited_one_is_kept() {
    let place = Workplace::new();
    place.write("tiny.toml", &TINY.replace("epochs = 2", "epochs = 1"));
    place.succeed(&["sweep", "tiny.toml"]);
    // Older versions wrote no manifest.
    std::fs::remove_file(place.path("reports/tiny/.didact-files.jsonl")).expect("an account");
    let before = files(&place, "reports/tiny");
    let output = place.succeed(&["report"]).stderr;
    assert!(output.contains("moved ") && output.contains("reports/tiny/replaced"), "{output}");
    assert_eq!(files(&place, "reports/tiny/replaced"), before);
    place.write("reports/tiny/report.md", "edited");
    let output = place.succeed(&["report"]).stderr;
    assert!(output.contains("moved report.md"), "{output}");
    assert_eq!(std::fs::read_to_string(place.path("reports/tiny/replaced-2/report.md")).expect("is kept"), "edited");
    assert!(std::fs::read_to_string(place.path("reports/tiny/report.md")).expect("a report").starts_with("# tiny"));
}

/// Returns the differences in a table of the page, in all rows but the first.
fn differences(markdown: &str, title: &str) -> Vec<String> {
    let table = markdown.split(&format!("### {title}\n")).nth(1).unwrap_or_else(|| panic!("no {title} in\n{markdown}"));
    let rows = table.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.skip(2).map(str::to_owned).collect()
}

#[test]
fn every_page_and_export_shows_the_same_difference() {
    let place = Workplace::new();
    let space = "[search]\nseeds = [0, 1, 2]\n[search.space]\n\"model.skip\" = [\"none\"]\n[report]\nvariants = [\"model.skip\"]\n";
    place.write("tiny.toml", &format!("{}\n{space}", TINY.replace("epochs = 2", "epochs = 1")));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    // The means are 0.8 and 0.64; the paired differences are −0.02 and −0.1.
    place.query(
        "UPDATE results SET value = (SELECT CASE WHEN st.baseline THEN CASE r.seed WHEN 0 THEN 0.6 WHEN 1 THEN 0.8 ELSE 1.0 END
                                     ELSE CASE r.seed WHEN 0 THEN 0.58 ELSE 0.7 END END
                                     FROM runs r JOIN sweep_trials st ON st.trial_id = r.trial_id WHERE r.id = run_id)
         WHERE name = 'pixel_auroc' AND selection = 'selected' RETURNING 1",
    );
    place.query(
        "UPDATE runs SET state = 'failed', reason = 'diverged' WHERE seed = 2
         AND trial_id IN (SELECT trial_id FROM sweep_trials WHERE baseline = 0) RETURNING 1",
    );
    let output = place.succeed(&["report", "--json"]).stdout;
    let found: serde_json::Value = serde_json::from_str(&output).expect("JSON");
    let verdicts = found[0]["verdicts"].as_array().expect("verdicts");
    let pixel = verdicts.iter().find(|verdict| verdict["metric"] == "pixel_auroc").expect("is compared");
    assert!((pixel["difference"].as_f64().expect("a number") + 0.06).abs() < 1e-9, "{pixel}");
    assert_eq!((&pixel["seeds"], &pixel["incomplete_seeds"]), (&2.into(), &serde_json::json!([2])));
    place.succeed(&["report"]);
    let read = |name: &str| std::fs::read_to_string(place.path("reports/tiny").join(name)).expect("readable");
    assert!(read("index.html").contains("−0.0600 (without seed 2)"));
    let comparison = differences(&read("report.md"), "Comparison with ST-FPM, re-run under the same protocol");
    assert!(comparison[0].contains("−0.0600") && comparison[0].contains("2, without seed 2"), "{comparison:?}");
    let csv = read("tables/comparisons.csv");
    assert!(csv.contains("-0.06") && csv.contains("T02 "), "{csv}");
    for file in [read("index.html"), read("report.md")] {
        assert!(!file.contains("−0.1600"), "the difference of the means is shown nowhere");
    }
    let arguments = ["compare", "tiny:ST-FPM", "tiny:skip=none"];
    let text = place.run(&arguments).stdout;
    assert!(text.contains("−0.0600") && text.contains("2 seeds (without seed 2"), "{text}");
}

#[test]
fn a_point_equal_to_the_baseline_is_in_effects_and_exports() {
    let place = Workplace::new();
    let space = "[search]\nseeds = [0]\n[search.space]\n\"model.autoencoder\" = [\"none\", \"unet\"]\n\"joint.student.learning_rate\" = [0.1, 0.4]\n";
    place.write("tiny.toml", &format!("{}\n{space}", TINY.replace("epochs = 2", "epochs = 1")));
    place.succeed(&["sweep", "tiny.toml"]);
    let markdown = std::fs::read_to_string(place.path("reports/tiny/report.md")).expect("a report");
    let levels = differences(&markdown, "Levels: pixel AUROC");
    let cells = |row: &String| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let runs: Vec<(String, String)> =
        levels.iter().map(cells).map(|cells| (cells[2].clone(), cells[3].clone())).collect();
    let two = |level: &str| (level.to_owned(), "2".to_owned());
    assert_eq!(runs, [two("0.1"), two("0.4"), two("none"), two("unet")], "{levels:?}");
    let csv = place.succeed(&["export", "--shape", "wide"]).stdout;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let head = reader.headers().expect("a head").clone();
    let place_of = |name: &str| head.iter().position(|column| column == name).expect("a column");
    let points: Vec<[String; 4]> = reader
        .records()
        .map(|row| row.expect("a row"))
        .map(|row| {
            ["short_id", "baseline", "model.autoencoder", "joint.student.learning_rate"]
                .map(|n| row[place_of(n)].to_owned())
        })
        .collect();
    assert_eq!(points.len(), 4);
    assert_eq!(points[0], ["T01", "true", "none", "0.4"].map(str::to_owned), "{points:?}");
}

#[test]
fn a_run_whose_worker_was_killed_is_not_shown_as_running() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    let worker = workers(&place).remove(0);
    // Both end at once, so that nobody tells the store.
    sweep.signal(libc::SIGSTOP);
    send(worker, libc::SIGKILL);
    sweep.kill();
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE state = 'running'"), 1);
    place.succeed(&["report", "tiny"]);
    let page = std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("a page");
    assert!(page.contains("<strong>Stopped.") && page.contains("0 of 1 run done, 1 pending"), "{page}");
}
