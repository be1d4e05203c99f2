//! Signals that end a command in order, and what they mean when they come again.

use crate::background::{BackgroundCommand, assert_same_bits, freeze, has_checkpoint, workers};
use crate::common::{Workplace, one_long_trial};
use crate::processes::wait_for;

/// Starts a sweep, asks it to stop, and sends the signal again while its worker cannot answer. Returns whether it waits for its worker.
fn waits_at_the_second(signal: i32, in_slurm: bool) -> bool {
    let place = Workplace::new().with_slow_epochs();
    place.write("tiny.toml", &one_long_trial());
    let mut command = place.command(&["sweep", "tiny.toml", "--no-report"]);
    if in_slurm {
        command.env("SLURM_JOB_ID", "7");
    }
    let mut sweep = BackgroundCommand::new(command, place.path("sweep.log"));
    wait_for("a checkpoint of joint training", || has_checkpoint(&place));
    let frozen = freeze(&place, workers(&place).remove(0));
    sweep.signal(signal);
    sweep.wait_for_output("stopping");
    sweep.signal(signal);
    std::thread::sleep(std::time::Duration::from_millis(500));
    let waits = sweep.is_running();
    drop(frozen);
    assert_eq!(sweep.end(), 130, "{}", sweep.output());
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_same_bits(&place);
    waits
}

#[test]
fn signals_of_programs_may_come_twice() {
    for signal in [libc::SIGHUP, libc::SIGUSR1, libc::SIGUSR2] {
        assert!(waits_at_the_second(signal, false), "signal {signal}");
    }
}

#[test]
fn a_second_termination_ends_a_command_at_once_except_under_slurm() {
    assert!(!waits_at_the_second(libc::SIGTERM, false));
    assert!(waits_at_the_second(libc::SIGTERM, true));
}

#[test]
fn a_lone_worker_says_whether_work_is_left() {
    let place = Workplace::new().with_slow_epochs();
    place.write("tiny.toml", &one_long_trial());
    let mut sweep = place.start("sweep.log", &["sweep", "tiny.toml", "--no-report"]);
    wait_for("a checkpoint of joint training", || has_checkpoint(&place));
    sweep.signal(libc::SIGINT);
    assert_eq!(sweep.end(), 130);
    let mut worker = place.start("worker.log", &["worker", "--sweep", "tiny"]);
    wait_for("the worker's stage", || !workers(&place).is_empty());
    worker.signal(libc::SIGUSR1);
    assert_eq!(worker.end(), 130, "{}", worker.output());
    assert_eq!(place.query("SELECT DISTINCT state FROM attempt WHERE state <> 'done'"), ["interrupted"]);
    place.succeed(&["worker", "--sweep", "tiny"]);
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
    assert_same_bits(&place);
}
