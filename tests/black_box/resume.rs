//! Sweeps that are killed and started again: the same bits, and nothing is repeated except the lost step.

use crate::background::{assert_same_bits, has_checkpoint, partials, start_until_joint_training, workers};
use crate::common::two_long_trials;
use crate::processes::kill;

#[test]
fn a_killed_sweep_resumes_and_ends_with_the_same_bits() {
    let (place, mut sweep) = start_until_joint_training(&two_long_trials());
    let workers = workers(&place);
    sweep.kill();
    for worker in workers {
        kill(worker);
    }
    let finished = place.count("SELECT COUNT(*) FROM stage WHERE state = 'done'");

    // With one thread instead of all, because the bits must not depend on it.
    let outcome = place.succeed(&["sweep", "tiny.toml", "--no-report", "--jobs", "2"]);
    assert!(outcome.stderr.contains(&format!("({finished} done before)")), "{}", outcome.stderr);
    assert_same_bits(&place);
    let states = place.query("SELECT state, COUNT(*) FROM attempt WHERE state <> 'done' GROUP BY 1");
    assert_eq!(states.len(), 1, "{states:?}");
    assert!(states[0] == "lost|1" || states[0] == "interrupted|1", "{states:?}");
    // The curve has every epoch once.
    let epochs = place.query(
        "SELECT COUNT(*), MIN(step), MAX(step) FROM metric m JOIN stage s ON s.id = m.stage_id AND s.kind = 'joint'
         WHERE m.name = 'loss' GROUP BY m.stage_id",
    );
    assert_eq!(epochs, ["40|1|40", "40|1|40"]);
}

#[test]
fn a_killed_worker_costs_one_attempt_and_the_sweep_continues() {
    let (place, mut sweep) = start_until_joint_training(&two_long_trials());
    for worker in workers(&place) {
        kill(worker);
    }
    assert!(sweep.wait().success());
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
    assert_eq!(place.query("SELECT state, failure_class FROM attempt WHERE state <> 'done'"), ["lost|signal"]);
    assert_same_bits(&place);
}

#[test]
fn an_interrupted_sweep_exits_with_130_and_a_checkpoint() {
    let (place, mut sweep) = start_until_joint_training(&two_long_trials());
    sweep.signal(libc::SIGINT);
    assert_eq!(sweep.end(), 130);
    assert_eq!(place.query("SELECT state FROM attempt WHERE state <> 'done'"), ["interrupted"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE state = 'running'"), 0);
    assert!(has_checkpoint(&place));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_same_bits(&place);
    assert!(partials(&place).is_empty(), "finished stages keep no partial checkpoints");
}
