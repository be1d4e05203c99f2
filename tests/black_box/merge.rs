//! `didact store merge`: two stores become one, without duplicates and without a stage that is computed twice.

use crate::common::{TINY, Workplace};
use crate::torture::points_of;

const ROWS: &str = "SELECT run_id, selection, name, value FROM result ORDER BY 1, 2, 3";
const SCORES: &str = "SELECT run_id, selection, image, label, score FROM image_score ORDER BY 1, 2, 3";
const CURVES: &str = "SELECT stage_id, name, step, value FROM metric ORDER BY 1, 2, 3";
const STAGES: &str = "SELECT id, kind, state FROM stage ORDER BY id";

fn with_seeds(seeds: &str) -> String {
    format!("{}\n[search]\nseeds = {seeds}\n", TINY.replace("epochs = 2", "epochs = 1"))
}

/// Runs [`TINY`] with these seeds in a store of its own.
fn store(seeds: &str) -> Workplace {
    let place = Workplace::new();
    place.write("tiny.toml", &with_seeds(seeds));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    place
}

fn merging(other: &Workplace) -> [String; 5] {
    let folder = other.path("didact.artifacts").display().to_string();
    ["store".to_owned(), "merge".to_owned(), other.store(), "--from-artifacts".to_owned(), folder]
}

fn merge(place: &Workplace, other: &Workplace) -> crate::common::CommandOutcome {
    place.run(&merging(other).each_ref().map(String::as_str))
}

fn assert_intact(place: &Workplace) {
    let checked = place.succeed(&["store", "check"]).stdout;
    assert_eq!(checked, "the store and its artifacts are intact\n");
}

#[test]
fn the_union_of_two_stores_is_the_store_of_both_sweeps() {
    let (ours, theirs, both) = (store("[0]"), store("[1, 2]"), store("[0, 1, 2]"));
    let attempts = ours.count("SELECT COUNT(*) FROM attempt") + theirs.count("SELECT COUNT(*) FROM attempt");
    // The stages that all seeds share were computed in both stores.
    let shared = theirs.query("SELECT id FROM stage").len() + ours.query("SELECT id FROM stage").len()
        - both.query("SELECT id FROM stage").len();
    let outcome = merge(&ours, &theirs);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("sweep tiny-2; 4 new runs"), "{}", outcome.stdout);
    assert_intact(&ours);
    assert_eq!(ours.query("SELECT name FROM sweep ORDER BY name"), ["tiny", "tiny-2"]);
    for rows in [ROWS, SCORES, CURVES, STAGES, "SELECT id, state FROM run ORDER BY id"] {
        assert_eq!(ours.query(rows), both.query(rows), "{rows}");
    }
    assert_eq!(
        ours.query("SELECT path, digest FROM artifact ORDER BY path"),
        both.query("SELECT path, digest FROM artifact ORDER BY path")
    );

    // The sweep of all seeds finds everything done.
    ours.write("tiny.toml", &with_seeds("[0, 1, 2]"));
    ours.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_eq!(ours.count("SELECT COUNT(*) FROM attempt"), attempts - shared as i64, "nothing was computed");

    // A second merge has nothing to add, and neither has one in the other direction.
    let before = [ROWS, SCORES, CURVES, STAGES].map(|rows| ours.query(rows));
    let again = merge(&ours, &theirs);
    assert!(again.stdout.contains("no new sweep; 0 new runs; 0 stages"), "{}", again.stdout);
    assert_eq!([ROWS, SCORES, CURVES, STAGES].map(|rows| ours.query(rows)), before);
    assert_eq!(merge(&both, &ours).code, Some(0));
    assert_eq!([ROWS, SCORES, CURVES, STAGES].map(|rows| both.query(rows)), before);
    assert_intact(&both);
    let itself = merge(&ours, &ours);
    assert_eq!(itself.code, Some(2), "{}", itself.stderr);
    assert!(itself.stderr.contains("is the store itself"), "{}", itself.stderr);
}

#[test]
fn what_differs_under_one_key_is_refused_and_told() {
    let (ours, theirs) = (store("[0]"), store("[0, 1]"));
    let joint = ours.query("SELECT s.id FROM stage s WHERE s.kind = 'joint' ORDER BY id").remove(0);
    // As another device would have computed it.
    let other =
        format!("UPDATE artifacts SET digest = 'other' WHERE stage_id = (SELECT id FROM stages WHERE key = '{joint}')");
    theirs.query(&other);
    let digest = format!("SELECT digest FROM artifact WHERE stage_id = '{joint}'");
    let before = ours.query(&digest);
    let outcome = merge(&ours, &theirs);
    assert_eq!(outcome.code, Some(4), "{}", outcome.stdout);
    let told =
        format!("not taken: joint {}: this store has another artifact under this key and keeps it", &joint[..12]);
    assert!(outcome.stdout.contains(&told), "{}", outcome.stdout);
    assert_eq!(ours.query(&digest), before);
    assert_eq!(ours.count("SELECT COUNT(*) FROM run WHERE state = 'done'"), 4, "the other runs were taken");
    assert_intact(&ours);
}

#[test]
fn a_damaged_artifact_is_not_taken_and_computed_again() {
    let (ours, theirs) = (store("[0]"), store("[0, 1]"));
    let known: Vec<String> = ours.query("SELECT id FROM stage WHERE kind = 'joint'");
    let joint = theirs.query("SELECT id FROM stage WHERE kind = 'joint'");
    let new = joint.into_iter().find(|id| !known.contains(id)).expect("a stage of seed 1");
    let file = theirs.path("didact.artifacts/joint").join(&new).join("last.safetensors");
    let mut content = std::fs::read(&file).expect("a file");
    content[100] ^= 1;
    std::fs::write(&file, content).expect("written");
    let outcome = merge(&ours, &theirs);
    assert_eq!(outcome.code, Some(4), "{}", outcome.stdout);
    assert!(outcome.stdout.contains(&format!("not taken: joint {}: ", &new[..12])), "{}", outcome.stdout);
    assert_intact(&ours);
    ours.succeed(&["sweep", "tiny.toml", "--no-report", "--set", "search.seeds=[0,1]"]);
    assert_eq!(ours.query("SELECT DISTINCT state FROM run"), ["done"]);
    assert_eq!(ours.query(ROWS), theirs.query(ROWS), "the same bits");
}

#[test]
fn a_killed_merge_loses_nothing_and_can_be_repeated() {
    let (theirs, both) = (store("[1]"), store("[0, 1]"));
    for point in points_of("merge:") {
        let ours = store("[0]");
        let before = [ROWS, STAGES].map(|rows| ours.query(rows));
        let mut command = ours.command(&merging(&theirs).each_ref().map(String::as_str));
        let output = command.env("DIDACT_FAULT", &point).output().expect("starts");
        assert_eq!(output.status.code(), None, "the merge passed {point} alive");
        if point != "merge:after-commit" {
            assert_eq!([ROWS, STAGES].map(|rows| ours.query(rows)), before, "{point}");
        }
        assert_eq!(merge(&ours, &theirs).code, Some(0), "{point}");
        assert_eq!([ROWS, STAGES].map(|rows| ours.query(rows)), [ROWS, STAGES].map(|rows| both.query(rows)), "{point}");
        assert_intact(&ours);
    }
}
