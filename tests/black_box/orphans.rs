//! The workers of a sweep end with its process, however it ends, and nothing is lost.

use crate::background::{assert_same_bits, has_checkpoint, is_alive, start_until_joint_training, workers};
use crate::common::one_long_trial;
use crate::processes::wait_for;

const AGAIN: [&str; 3] = ["sweep", "tiny.toml", "--no-report"];

#[test]
fn workers_exit_when_their_sweep_is_killed() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    let worker = workers(&place).remove(0);
    sweep.kill();
    wait_for("the worker's end", || !is_alive(worker));
    assert_eq!(place.query("SELECT state FROM attempt WHERE state <> 'done'"), ["interrupted"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE state = 'running'"), 0);
    assert!(has_checkpoint(&place));
    assert_eq!(place.query("SELECT reason FROM worker"), ["asked to stop"]);
    place.succeed(&AGAIN);
    assert_same_bits(&place);
}

#[test]
fn a_termination_signal_ends_a_sweep_orderly() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    let worker = workers(&place).remove(0);
    sweep.signal(libc::SIGTERM);
    assert_eq!(sweep.end(), 130);
    assert!(sweep.output().contains("interrupted; the same command continues"), "{}", sweep.output());
    assert!(!is_alive(worker), "a sweep waits for its workers");
    assert_eq!(place.query("SELECT state FROM attempt WHERE state <> 'done'"), ["interrupted"]);
    assert!(has_checkpoint(&place));
}

#[test]
fn a_second_interrupt_ends_a_sweep_at_once_without_losses() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    let worker = workers(&place).remove(0);
    // The worker cannot store its epoch, so it cannot exit.
    let mut lock = None;
    wait_for("the write lock", || {
        lock = place.lock();
        lock.is_some()
    });
    sweep.signal(libc::SIGINT);
    sweep.wait_for_output("interrupt again to exit at once");
    sweep.signal(libc::SIGINT);
    assert_eq!(sweep.end(), 130);
    assert!(is_alive(worker));
    drop(lock);
    wait_for("the worker's end", || !is_alive(worker));
    assert_eq!(place.query("SELECT state FROM attempt WHERE state <> 'done'"), ["interrupted"]);
    place.succeed(&AGAIN);
    assert_same_bits(&place);
}
