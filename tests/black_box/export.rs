//! `didact export`: all numbers for programs, tables for papers, and refused exports.

use serde_json::Value;

use crate::common::{TINY, Workplace};

const TWO_SEEDS: &str = "[0, 1]";
/// Enough seeds that the highest mean may be bold.
const FIVE_SEEDS: &str = "[0, 1, 2, 3, 4]";

/// Creates a sweep of two trials, one with an axis; its numbers are set, so that snapshots are equal everywhere.
fn place(seeds: &str) -> Workplace {
    let place = Workplace::new();
    let space = "\n[search.space]\n\"model.skip\" = [\"none\"]\n\"model.width\" = [0.5]\n[report]\nvariants = [\"model.skip\"]\n";
    place
        .write("tiny.toml", &format!("{}\n[search]\nseeds = {seeds}{space}", TINY.replace("epochs = 2", "epochs = 1")));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    place.query("DELETE FROM results WHERE name NOT IN ('pixel_auroc', 'image_auroc', 'aupro', 'parameters', 'flops', 'epoch') RETURNING 1");
    place.query(
        "UPDATE results SET value = (SELECT 0.8 + 0.001 * seed + 0.1 * (1 - baseline) * (1 + 0.01 * seed)
                                     FROM runs r JOIN sweep_trials st ON st.trial_id = r.trial_id WHERE r.id = run_id)
         WHERE name IN ('pixel_auroc', 'image_auroc') RETURNING 1",
    );
    place.query("UPDATE results SET value = NULL, reason = 'no mask' WHERE name = 'aupro' RETURNING 1");
    place.query("UPDATE attempts SET seconds = 1.5, peak_rss_bytes = 1000000 + number, costs = '{}' RETURNING 1");
    place
}

/// Replaces keys by `[0]`, `[1]`, …, because they change with the revisions of stages.
fn without_keys(text: &str) -> String {
    let is_key = |word: &str| word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit());
    let mut keys: Vec<&str> = Vec::new();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| is_key(word)) {
        if !keys.contains(&word) {
            keys.push(word);
        }
    }
    keys.iter().enumerate().fold(text.to_owned(), |text, (place, key)| text.replace(key, &format!("[{place}]")))
}

#[test]
fn exports_are_long_or_wide_and_reproducible() {
    let place = place(TWO_SEEDS);
    for (name, arguments) in [
        ("export_csv_long", vec!["export"]),
        ("export_csv_wide", vec!["export", "tiny", "--shape", "wide"]),
        ("export_json_wide", vec!["export", "--format", "json", "--shape", "wide"]),
    ] {
        let text = place.succeed(&arguments).stdout;
        assert_eq!(place.succeed(&arguments).stdout, text, "the same store gives the same bytes");
        insta::assert_snapshot!(name, without_keys(&text));
    }
    let long: Value = serde_json::from_str(&place.succeed(&["export", "--format", "json"]).stdout).expect("JSON");
    let rows = long.as_array().expect("rows").len() as i64;
    assert_eq!(rows, place.count("SELECT COUNT(*) FROM result"));
    assert_eq!((&long[0]["model.width"], &long[rows as usize - 1]["model.width"]), (&Value::Null, &0.5.into()));
}

#[test]
fn tables_are_exported_for_markdown_and_latex() {
    let place = place(FIVE_SEEDS);
    insta::assert_snapshot!("export_md", place.succeed(&["export", "--format", "md"]).stdout);
    insta::assert_snapshot!("export_latex", place.succeed(&["export", "--format", "latex"]).stdout);
}

#[test]
fn only_files_that_export_wrote_are_replaced() {
    let place = place(TWO_SEEDS);
    let old = place.write("numbers.csv", "precious");
    let refused = place.run(&["export", "--out", "numbers.csv"]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("numbers.csv") && refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(std::fs::read_to_string(&old).expect("readable"), "precious");
    assert_eq!(place.run(&["export", "--out", "didact.db"]).code, Some(4), "the store is not an export, either");
    place.succeed(&["export", "--out", "numbers.csv", "--force"]);
    assert_eq!(std::fs::read_to_string(place.path("replaced/numbers.csv")).expect("was moved"), "precious");
    // Its own file is replaced without a message; a file that somebody changed is kept.
    place.succeed(&["export", "--out", "numbers.csv", "--format", "json"]);
    place.write("numbers.csv", "precious, too");
    let output = place.succeed(&["export", "--out", "numbers.csv"]).stdout;
    assert_eq!(std::fs::read_to_string(place.path("replaced-2/numbers.csv")).expect("was moved"), "precious, too");
    assert_eq!(output, "");
    assert_eq!(std::fs::read_to_string(&old).expect("readable"), place.succeed(&["export"]).stdout);
    let entries = std::fs::read_dir(place.folder()).expect("readable").filter_map(Result::ok);
    assert!(!entries.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().ends_with(".tmp")));
}

#[test]
fn a_failed_export_gives_one_error() {
    let place = place(TWO_SEEDS);
    place.write("a-file", "");
    let cases: [&[&str]; 5] = [
        &["export", "tinny"],
        &["export", "--format", "xlsx"],
        &["export", "--format", "md", "--shape", "wide"],
        &["export", "--out", "a-file/numbers.csv"],
        &["compare", "tiny:ST-FPM", "tiny:skip=none", "--html", "absent/page.html"],
    ];
    let messages = cases.map(|case| {
        let outcome = place.run(case);
        format!("exit code {}\n{}", outcome.code.expect("not killed"), outcome.stderr)
    });
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn parquet_is_a_feature_of_the_build() {
    let place = place(TWO_SEEDS);
    let outcome = place.run(&["export", "--format", "parquet", "--out", "numbers.parquet"]);
    if cfg!(feature = "parquet") {
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let bytes = std::fs::read(place.path("numbers.parquet")).expect("readable");
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    } else {
        assert_eq!(outcome.code, Some(2));
        assert!(outcome.stderr.contains("--features parquet"), "{}", outcome.stderr);
        assert!(!place.path("numbers.parquet").exists());
    }
}
