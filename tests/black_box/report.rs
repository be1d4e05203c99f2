//! The report as files: everything that it promises is there, twice the same bytes, and its commands make the same runs.

use std::collections::BTreeMap;
use std::process::Command;

use crate::common::{TINY, Workplace};

/// A sweep with every part of a report: three axes, two categories, two seeds, weights that move, the oracle.
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

/// All files of a folder with their bytes.
fn files(place: &Workplace, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(place.path(folder)).expect("a folder").map(|entry| entry.expect("an entry"));
    let files = entries.filter(|entry| entry.path().is_file());
    files
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).expect("readable")))
        .collect()
}

#[test]
fn a_report_has_every_part_and_comes_out_the_same_twice() {
    let place = Workplace::new();
    place.write("wide.toml", WIDE);
    place.succeed(&["sweep", "wide.toml"]);
    let first = files(&place, "reports/wide");
    let page = String::from_utf8(first["index.html"].clone()).expect("text");
    for part in
        ["summary", "leaderboard", "ablation", "hyperparameters", "learning", "cost", "pictures", "reproduce", "origin"]
    {
        assert!(page.contains(&format!("id=\"{part}\"")) && page.contains(&format!("href=\"#{part}\"")), "{part}");
    }
    for figure in [
        "bars-aupro",
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
        "pareto",
    ] {
        for ending in ["png", "svg"] {
            assert!(first.contains_key(&format!("{figure}.{ending}")), "{figure}.{ending}");
        }
    }
    place.succeed(&["report", "wide", "--watch", "--out", "again"]);
    let second = files(&place, "again");
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (name, bytes) in &first {
        assert!(second[name] == *bytes, "{name} differs");
    }
}

#[test]
fn the_commands_of_a_report_make_its_runs_again() {
    let place = Workplace::new();
    let searched = "\n[search]\nseeds = [0, 1]\n[search.space]\n\"model.skip\" = [\"none\", \"concat\"]\n";
    place.write("my sweep.toml", &format!("{TINY}{searched}"));
    place.succeed(&["sweep", "my sweep.toml", "--set", "evaluate.smoothing_sigma=2.0"]);
    let page = std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("a page");
    let commands: Vec<String> = page
        .split("<pre>didact ")
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
