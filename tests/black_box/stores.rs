//! Stores of an earlier version, read-only stores, and stores that are removed or cleaned while in use.

use std::path::Path;

use crate::background::{assert_each_stage_done_once, assert_same_bits, is_alive, start_until_joint_training, workers};
use crate::common::{TINY, Workplace, one_long_trial};
use crate::disks::read_only;
use crate::processes::wait_for;

const SWEEP: [&str; 3] = ["sweep", "tiny.toml", "--no-report"];

#[test]
fn a_store_of_an_earlier_didact_is_refused_and_not_touched() {
    let earlier = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores/earlier.sqlite");
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    let path = place.path("didact.db");
    // The first versions had no application id in the header.
    for application_id in ["1684628577", "0"] {
        std::fs::copy(&earlier, &path).expect("copied");
        place.query(&format!("PRAGMA application_id = {application_id}"));
        let bytes = std::fs::read(&path).expect("is there");
        for command in [&SWEEP[..], &["sweep", "tiny.toml", "--dry-run"], &["status"], &["report"], &["gc"]] {
            let refused = place.run(command);
            assert_eq!(refused.code, Some(4), "{command:?}: {}", refused.stderr);
            for part in ["didact.db was made by an earlier version", "Start a new store", "keep the earlier version"] {
                assert!(refused.stderr.contains(part), "{command:?}: {}", refused.stderr);
            }
            assert!(std::fs::read(&path).expect("is there") == bytes, "{command:?} wrote to it");
        }
    }
    assert!(!place.path("didact.artifacts").exists());
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--store", "new.db"]);
}

#[test]
fn only_a_sweep_creates_a_store() {
    let place = Workplace::new();
    for command in [&["cancel", "tiny"][..], &["gc"], &["worker", "--sweep", "tiny"], &["status"]] {
        let refused = place.run(command);
        assert_eq!(refused.code, Some(4), "{}", refused.stderr);
        assert!(refused.stderr.contains("there is no store at didact.db"), "{}", refused.stderr);
    }
    assert!(!place.path("didact.db").exists());
}

/// Support for servers is compiled only on request.
#[test]
fn places_for_which_this_program_was_not_built_are_explained() {
    let place = Workplace::on_file();
    place.write("tiny.toml", TINY);
    let mut refused = Vec::new();
    if !cfg!(feature = "postgres") {
        refused.push((vec!["--store", "postgres://ada@db/didact", "--artifacts", "x"], "--features postgres"));
    }
    if !cfg!(feature = "s3") {
        refused.push((vec!["--artifacts", "s3://bucket/prefix"], "--features s3"));
    }
    for (options, remedy) in refused {
        let outcome = place.run(&[&SWEEP[..], &options].concat());
        assert_eq!(outcome.code, Some(4), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("was built without") && outcome.stderr.contains(remedy), "{}", outcome.stderr);
    }
}

#[test]
fn deleting_a_store_ends_its_sweep() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    let worker = workers(&place).remove(0);
    std::fs::remove_file(place.path("didact.db")).expect("removed");
    assert_eq!(sweep.end(), 4, "{}", sweep.output());
    assert!(sweep.output().contains("was deleted or replaced while it was in use"), "{}", sweep.output());
    assert!(!is_alive(worker), "no worker is left");
    assert!(!place.path("didact.db").exists(), "no new store was created");
}

#[test]
fn a_store_that_replaces_that_of_a_sweep_is_unchanged() {
    let other = Workplace::new();
    other.write("tiny.toml", &TINY.replace("\"tiny\"", "\"other\""));
    other.succeed(&["sweep", "tiny.toml", "--no-report", "--max-trials", "1"]);
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    let worker = workers(&place).remove(0);
    // Another file gets the same name, as when a backup is restored.
    std::fs::copy(other.path("didact.db"), place.path("copy.db")).expect("copied");
    std::fs::rename(place.path("copy.db"), place.path("didact.db")).expect("replaced");
    let bytes = std::fs::read(place.path("didact.db")).expect("is there");
    assert_eq!(sweep.end(), 4, "{}", sweep.output());
    assert!(sweep.output().contains("was deleted or replaced while it was in use"), "{}", sweep.output());
    assert!(!is_alive(worker), "no worker is left");
    assert!(std::fs::read(place.path("didact.db")).expect("is there") == bytes, "the other store was changed");
}

#[test]
fn cleaning_does_not_affect_a_running_sweep() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    let unknown = place.write("didact.artifacts/tmp/left-behind/file", "of an unknown attempt");
    let removed = place.succeed(&["gc"]).stdout;
    assert!(removed.starts_with("0 items"), "{removed}");
    assert!(unknown.exists(), "its owner is unknown");
    let mut collections = 0;
    let mut ended = false;
    wait_for("the end of the sweep", || {
        ended = place.query("SELECT DISTINCT state FROM run") == ["done"];
        let removed = place.succeed(&["gc"]).stdout;
        // Checkpoints may be removed as soon as their stage is done, but nothing else.
        assert!(!removed.contains("artifact") && !removed.contains("left over from"), "{removed}");
        collections += 1;
        ended
    });
    assert_eq!(sweep.end(), 0, "{}", sweep.output());
    assert!(collections > 1, "the sweep had already ended");
    assert_each_stage_done_once(&place);
    assert_same_bits(&place);
}

#[test]
fn a_store_in_a_read_only_folder_can_be_read_but_a_sweep_is_refused() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    place.succeed(&SWEEP);
    let run = place.query("SELECT id FROM run").remove(0);
    let status = place.succeed(&["status"]).stdout;
    let elsewhere = Workplace::new();
    let report = elsewhere.path("report").display().to_string();

    let Some(_mount) = read_only(place.folder()) else { return };
    assert_eq!(place.succeed(&["status"]).stdout, status);
    place.succeed(&["why", &run]);
    place.succeed(&["report", "--out", &report]);
    assert!(elsewhere.path("report/index.html").is_file());
    for command in [&SWEEP[..], &["cancel", "tiny"], &["gc"]] {
        let refused = place.run(command);
        assert_eq!(refused.code, Some(4), "{}", refused.stderr);
        assert!(refused.stderr.contains("the folder . cannot be written"), "{}", refused.stderr);
    }
    assert_eq!(place.succeed(&["status"]).stdout, status);
}
