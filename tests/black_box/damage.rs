//! Damaged artifacts: didact detects them before it reads them, reports them, and computes them again with the same bits.

use std::path::{Path, PathBuf};

use crate::common::{TINY, Workplace};
use crate::inventory::Inventory;
use crate::torture::points_of;

const SWEEP: [&str; 3] = ["sweep", "tiny.toml", "--no-report"];

/// Runs a sweep with every kind of stage.
fn finished_sweep() -> Workplace {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    place.succeed(&SWEEP);
    place
}

/// Returns every file of every artifact without logs.
fn files(place: &Workplace) -> Vec<PathBuf> {
    let kinds = ["features", "pretrain", "joint", "score", "evaluate"];
    let mut files = Vec::new();
    for folder in kinds.map(|kind| place.path("didact.artifacts").join(kind)) {
        if !folder.exists() {
            continue;
        }
        let entries = walkdir::WalkDir::new(folder).sort_by_file_name();
        let entries = entries.into_iter().map(|entry| entry.expect("can be listed"));
        files.extend(entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path));
    }
    files
}

/// Kinds of damage: missing, truncated, zeroed, or with one flipped bit.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Missing,
    Truncated,
    Zeroed,
    Flipped,
}

fn damage(path: &Path, kind: Damage) {
    let mut bytes = std::fs::read(path).expect("readable");
    match kind {
        Damage::Missing => return std::fs::remove_file(path).expect("removed"),
        Damage::Truncated => bytes.truncate(bytes.len() / 2),
        Damage::Zeroed => bytes.fill(0),
        Damage::Flipped => {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }
    }
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn a_check_detects_every_damage_of_every_kind_of_file() {
    let place = finished_sweep();
    let before = Inventory::of(&place);
    let output = place.succeed(&["store", "check"]).stdout;
    assert!(output.contains("are intact"), "{output}");
    // One file of each kind per stage, because there are many masks and maps.
    let mut seen = std::collections::BTreeSet::new();
    let name = |path: &Path| {
        let relative = path.strip_prefix(place.path("didact.artifacts")).expect("below").to_path_buf();
        let mut parts = relative.iter().map(|part| part.to_string_lossy().into_owned());
        (
            parts.next(),
            relative.file_name().map(|name| name.to_string_lossy().replace(|c: char| c.is_ascii_digit(), "")),
        )
    };
    let samples: Vec<PathBuf> = files(&place).into_iter().filter(|path| seen.insert(name(path))).collect();
    assert!(samples.len() >= 14, "{samples:?}");
    for how in [Damage::Missing, Damage::Truncated, Damage::Zeroed, Damage::Flipped] {
        samples.iter().for_each(|path| damage(path, how));
        let output = place.run(&["store", "check"]);
        assert_eq!(output.code, Some(4), "{how:?}: {}", output.stdout);
        place.succeed(&["store", "check", "--repair"]);
        place.succeed(&SWEEP);
        Inventory::of(&place).assert_equals(&before, &format!("{how:?}"));
        place.succeed(&["store", "check"]);
    }
    assert!(place.count("SELECT COUNT(*) FROM event WHERE kind = 'damaged'") >= 20);
}

#[test]
fn the_next_sweep_recomputes_missing_or_truncated_artifacts() {
    let place = finished_sweep();
    let before = Inventory::of(&place);
    for how in [Damage::Missing, Damage::Truncated] {
        for kind in ["features", "pretrain", "joint", "score", "evaluate"] {
            let file = files(&place).into_iter().rfind(|path| {
                path.starts_with(place.path("didact.artifacts").join(kind)) && !path.ends_with("files.json")
            });
            damage(&file.expect("a file"), how);
        }
        place.succeed(&SWEEP);
        Inventory::of(&place).assert_equals(&before, &format!("{how:?}"));
    }
}

#[test]
fn a_flipped_bit_is_detected_before_a_stage_uses_the_file() {
    let place = finished_sweep();
    let before = Inventory::of(&place);
    // Every later stage is pending again and would be computed from the damaged file.
    for kind in ["pretrain", "joint", "score", "evaluate"] {
        std::fs::remove_dir_all(place.path("didact.artifacts").join(kind)).expect("removed");
    }
    let features = files(&place).into_iter().filter(|path| path.ends_with("level1.f32"));
    features.for_each(|path| damage(&path, Damage::Flipped));
    place.succeed(&SWEEP);
    Inventory::of(&place).assert_equals(&before, "after a flipped bit");
    let output = place.query("SELECT message FROM event WHERE kind = 'damaged' AND message LIKE 'features%'");
    assert_eq!(output.len(), 2, "{output:?}");
    assert!(output[0].contains("level1.f32 differs from the published file"), "{output:?}");
}

#[test]
fn predictions_and_pictures_do_not_use_damaged_files() {
    let place = Workplace::new();
    place.succeed(&["data", "synth", "data", "--side", "32"]);
    place.write("tiny.toml", &crate::common::tiny_on_disk());
    place.succeed(&SWEEP);
    let run = place.query("SELECT id FROM run ORDER BY id")[0].clone();
    for file in files(&place).into_iter().filter(|path| path.ends_with("selected.safetensors")) {
        damage(&file, Damage::Flipped);
    }
    let refused = place.run(&["predict", &run, "data/weave/test", "--out", "out"]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("are damaged") && refused.stderr.contains("selected.safetensors"),
        "{}",
        refused.stderr
    );
    assert!(!place.path("out").exists());
    for file in files(&place).into_iter().filter(|path| path.ends_with("test-level1.f32")) {
        damage(&file, Damage::Zeroed);
    }
    let output = place.succeed(&["report"]).stderr;
    assert!(output.contains("test-level1.f32 differs from the published file"), "{output}");
    let page = std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("written");
    assert!(page.contains("no picture of"), "the report mentions the missing picture");
}

#[test]
fn a_kill_during_the_return_of_a_damaged_stage_loses_nothing() {
    let place = finished_sweep();
    let before = Inventory::of(&place);
    let points = points_of("reopen:");
    assert_eq!(points.len(), 2);
    for point in points {
        let features = files(&place).into_iter().filter(|path| path.ends_with("level1.f32"));
        features.for_each(|path| damage(&path, Damage::Flipped));
        let output =
            place.command(&["store", "check", "--repair"]).env("DIDACT_FAULT", &point).output().expect("starts");
        assert_eq!(output.status.code(), None, "the check passed {point} alive");
        place.succeed(&["store", "check", "--repair"]);
        place.succeed(&SWEEP);
        Inventory::of(&place).assert_equals(&before, &point);
    }
}

#[test]
fn contradictory_states_are_reported_and_repaired() {
    let place = finished_sweep();
    let before = Inventory::of(&place);
    place.query("DELETE FROM results");
    place.query("DELETE FROM image_scores");
    place.query("DELETE FROM artifacts WHERE path LIKE 'score/%'");
    let output = place.run(&["store", "check"]);
    assert_eq!(output.code, Some(4));
    assert!(output.stdout.contains("is marked as done, but has no results"), "{}", output.stdout);
    assert!(output.stdout.contains("is not recorded in the store, although its stage is done"), "{}", output.stdout);
    place.succeed(&["store", "check", "--repair"]);
    place.succeed(&SWEEP);
    Inventory::of(&place).assert_equals(&before, "repaired");
    place.write("didact.artifacts/joint/notes.txt", "mine");
    let output = place.succeed(&["store", "check", "--json"]).stdout;
    let output: serde_json::Value = serde_json::from_str(&output).expect("JSON");
    assert_eq!(output[0]["severity"], "note", "{output}");
    assert!(output[0]["what"].as_str().is_some_and(|what| what.contains("notes.txt")), "{output}");
}
