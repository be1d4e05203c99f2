//! Leases: which worker holds a stage, when it is taken back, and how a late result is refused.

use crate::background::{assert_each_stage_done_once, assert_same_bits, freeze, start_until_joint_training, workers};
use crate::common::{Workplace, one_long_trial};
use crate::processes::{kill, wait_for};

const AGAIN: [&str; 3] = ["sweep", "tiny.toml", "--no-report"];

/// Returns the files of all checkpoints except those that are being written.
fn checkpoints(place: &Workplace) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let files = walkdir::WalkDir::new(place.path("didact.artifacts/partial")).sort_by_file_name();
    let files = files.into_iter().filter_map(Result::ok).map(walkdir::DirEntry::into_path);
    files
        .filter(|path| path.extension().is_some_and(|ending| ending == "safetensors"))
        .map(|path| (path.clone(), std::fs::read(path).expect("a file")))
        .collect()
}

#[test]
fn a_worker_that_resumes_late_is_superseded_and_changes_nothing() {
    let (place, mut first) = start_until_joint_training(&one_long_trial());
    let late_worker = freeze(&place, workers(&place).remove(0));
    // Other processes see it as a process from before the last boot.
    let running = place.query(
        "UPDATE attempts SET process_started = '1@another-boot/1' WHERE state = 'running'
         RETURNING token, (SELECT key FROM stages WHERE id = stage_id)",
    );
    let (attempt, stage) = running[0].split_once('|').expect("two columns");
    let epochs = format!("SELECT COALESCE(MAX(step), 0) FROM metric WHERE stage_id = '{stage}'");
    let epochs_before = place.count(&epochs);
    let mut second = place.start("second.log", &AGAIN);
    wait_for("the other worker's progress", || place.count(&epochs) > epochs_before + 3);
    let lost = format!("SELECT state, failure_class, reason FROM attempt WHERE id = '{attempt}'");
    assert_eq!(place.query(&lost), ["lost|signal|the worker process no longer exists"]);

    // Both run, but the holder of the stage is stopped, so the other worker causes every change from here on.
    let holder = place.query("SELECT pid FROM attempt WHERE state = 'running'").remove(0).parse().expect("a process");
    let holder = freeze(&place, holder);
    let before = checkpoints(&place);
    drop(late_worker);
    wait_for("the late result", || place.query(&lost) == ["superseded|NULL|NULL"]);
    assert!(checkpoints(&place) == before, "the late worker changed its successor's checkpoints");
    drop(holder);

    assert_eq!((second.end(), first.end()), (0, 0), "{}\n{}", second.output(), first.output());
    assert_each_stage_done_once(&place);
    let others = place.query("SELECT state FROM attempt WHERE state <> 'done'");
    assert_eq!(others, ["superseded"], "a late result is not a failure");
    assert_same_bits(&place);
}

#[test]
fn a_lease_of_another_machine_is_respected_until_it_expires() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    let worker = workers(&place).remove(0);
    let frozen = freeze(&place, worker);
    place.query("UPDATE attempts SET host = 'elsewhere' WHERE state = 'running'");
    let elsewhere = place.query("SELECT stage_id FROM attempt WHERE host = 'elsewhere'");
    assert_eq!(elsewhere.len(), 1);
    sweep.kill();
    kill(worker);
    drop(frozen);
    let outcome = place.run(&[&AGAIN[..], &["--time-limit", "1s"]].concat());
    assert_eq!(outcome.code, Some(130), "{}", outcome.stderr);
    assert_eq!(place.query("SELECT stage_id FROM attempt WHERE state = 'running'"), elsewhere, "its lease is valid");

    place.query("UPDATE stages SET lease_until = '2020-01-01T00:00:00.000Z' WHERE state = 'running' RETURNING id");
    place.succeed(&AGAIN);
    assert_each_stage_done_once(&place);
    let lost = place.query("SELECT host, state, failure_class, reason FROM attempt WHERE state = 'lost'");
    assert_eq!(lost, ["elsewhere|lost|signal|its lease expired: the worker stopped renewing it"]);
    assert_same_bits(&place);
}

#[test]
fn a_clock_set_back_by_hours_delays_no_stage() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    sweep.signal(libc::SIGINT);
    assert_eq!(sweep.end(), 130);
    // A retry time that was stored before the clock was set back.
    place.query("UPDATE stages SET not_before = '2999-01-01T00:00:00.000Z' WHERE state = 'pending' RETURNING id");
    place.succeed(&AGAIN);
    assert_each_stage_done_once(&place);
}

#[test]
fn a_worker_that_is_killed_while_it_stops_was_interrupted() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    let worker = workers(&place).remove(0);
    let frozen = freeze(&place, worker);
    // What the worker writes when it is asked to stop.
    let stage = place.query("UPDATE attempts SET stopping = 1 WHERE state = 'running' RETURNING stage_id").remove(0);
    kill(worker);
    drop(frozen);
    let ended = "SELECT state, failure_class FROM attempt WHERE reason IS NOT NULL";
    wait_for("the end of its attempt", || place.query(ended) == ["interrupted|NULL"]);
    assert_eq!(sweep.end(), 0, "{}", sweep.output());
    let counted = format!(
        "SELECT attempts, (SELECT COUNT(*) FROM attempts WHERE stage_id = {stage}) FROM stages WHERE id = {stage}"
    );
    assert_eq!(place.query(&counted), ["1|2"], "an interruption is not a failure");
    assert_same_bits(&place);
}
