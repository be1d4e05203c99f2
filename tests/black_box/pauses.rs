//! Sweeps that are stopped and resumed, and the status of processes that no longer exist.

use crate::background::{
    assert_each_stage_done_once, assert_same_bits, freeze, is_alive, start_until_joint_training, state, workers,
};
use crate::common::{Workplace, one_long_trial};
use crate::processes::{kill, send, wait_for};

const AGAIN: [&str; 3] = ["sweep", "tiny.toml", "--no-report"];

/// Returns the sweep's process, as recorded in the store.
fn sweep_of(worker: i32) -> i32 {
    let status = std::fs::read_to_string(format!("/proc/{worker}/status")).expect("it runs");
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).expect("a parent");
    parent.trim().parse().expect("a number")
}

fn epochs(place: &Workplace) -> i64 {
    place.count("SELECT COUNT(*) FROM metric WHERE name = 'loss'")
}

#[test]
fn ctrl_z_stops_all_processes_of_a_sweep_without_losses() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    let worker = workers(&place).remove(0);
    let parent = sweep_of(worker);
    sweep.signal(libc::SIGTSTP);
    wait_for("a stopped sweep", || state(parent) == Some('T') && state(worker) == Some('T'));
    let before = epochs(&place);
    let output = place.succeed(&["status"]).stdout;
    assert!(output.contains("(stopped)") && output.contains(" 1 running,"), "{output}");
    // As if the machine had slept for longer than the duration of a lease.
    place.query("UPDATE stages SET lease_until = '2020-01-01T00:00:00.000Z' WHERE state = 'running' RETURNING id");
    assert_eq!(epochs(&place), before);
    sweep.signal(libc::SIGCONT);
    assert_eq!(sweep.end(), 0, "{}", sweep.output());
    assert_eq!(place.query("SELECT DISTINCT state FROM attempt"), ["done"]);
    assert_each_stage_done_once(&place);
    assert_same_bits(&place);
}

#[test]
fn stopped_workers_exit_when_their_sweep_is_killed() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    let worker = workers(&place).remove(0);
    sweep.signal(libc::SIGTSTP);
    wait_for("a stopped worker", || state(worker) == Some('T'));
    sweep.kill();
    wait_for("the worker's end", || !is_alive(worker));
    assert_eq!(place.query("SELECT state FROM attempt WHERE state <> 'done'"), ["interrupted"]);
    place.succeed(&AGAIN);
    assert_same_bits(&place);
}

#[test]
fn a_closing_terminal_ends_a_sweep_orderly() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    let worker = workers(&place).remove(0);
    sweep.signal(libc::SIGHUP);
    sweep.signal(libc::SIGHUP);
    assert_eq!(sweep.end(), 130, "{}", sweep.output());
    assert!(!is_alive(worker), "a sweep waits for its workers");
    assert_eq!(place.query("SELECT state FROM attempt WHERE state <> 'done'"), ["interrupted"]);
}

#[test]
fn status_shows_stages_of_processes_that_no_longer_exist() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    let worker = workers(&place).remove(0);
    let frozen = freeze(&place, worker);
    sweep.kill();
    kill(worker);
    drop(frozen);
    wait_for("the worker's end", || !is_alive(worker));
    let output = place.succeed(&["status"]).stdout;
    assert!(output.contains(": 0 of 1 runs done, 0 running, 0 failed; time left unknown"), "{output}");
    assert!(
        output.contains("1 stage was running in processes that have ended; the next `didact sweep` continues"),
        "{output}"
    );
    assert!(!output.contains("\nworker "), "{output}");
    let json: serde_json::Value = serde_json::from_str(&place.succeed(&["status", "--json"]).stdout).expect("JSON");
    assert_eq!((json["gone_stages"].as_i64(), json["workers"].as_array().map(Vec::len)), (Some(1), Some(0)));
    assert!(json["stages"].as_array().expect("stages").iter().all(|row| row["state"] != "running"), "{json}");
    // The query changed nothing in the store.
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE state = 'running'"), 1);
    place.succeed(&AGAIN);
    assert!(!place.succeed(&["status"]).stdout.contains("have ended"));
    assert_same_bits(&place);
}

#[test]
fn the_output_shows_when_a_stage_is_retried() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    let worker = workers(&place).remove(0);
    let frozen = freeze(&place, worker);
    send(worker, libc::SIGKILL);
    drop(frozen);
    sweep.wait_for_output("was killed by signal 9");
    sweep.wait_for_output("failed because worker 1 died (attempt 1 of 3 without progress; will be retried in ");
    assert_eq!(sweep.end(), 0, "{}", sweep.output());
    assert_each_stage_done_once(&place);
}
