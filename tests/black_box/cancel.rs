//! Cancelling during training: the worker stops, shared stages continue, and a new plan revives the run.

use crate::background::{BackgroundCommand, has_checkpoint, is_alive, workers};
use crate::common::{TINY, Workplace};
use crate::processes::wait_for;

/// Returns a sweep of two trials: one trains for minutes, one finishes at once. They share everything before joint training.
fn long_and_short(pretrain_epochs: usize) -> String {
    let space = "[search.space]\n\"joint.epochs\" = [5000, 2]\n[baseline]\nrerun = false\n";
    format!("{}\n{space}", TINY.replace("[pretrain]\nepochs = 1", &format!("[pretrain]\nepochs = {pretrain_epochs}")))
}

/// Starts a sweep and waits until its first trial is in joint training.
fn start_until_the_long_trial() -> (Workplace, BackgroundCommand) {
    let place = Workplace::new();
    place.write("tiny.toml", &long_and_short(1));
    let sweep = place.start("sweep.log", &["sweep", "tiny.toml", "--no-report"]);
    wait_for("a checkpoint of joint training", || has_checkpoint(&place));
    (place, sweep)
}

/// Returns the key of the long or the short trial.
fn trial(place: &Workplace, epochs: usize) -> String {
    place.query(&format!("SELECT trial_id FROM sweep_trial WHERE axes LIKE '%{epochs}%'")).remove(0)
}

/// Returns the state of every run, the long one first.
fn runs(place: &Workplace) -> Vec<String> {
    place.query(
        "SELECT r.state FROM run r JOIN sweep_run sr ON sr.run_id = r.id JOIN sweep s ON s.id = sr.sweep_id
         WHERE s.name = 'tiny' ORDER BY sr.position",
    )
}

/// Attempts that did not succeed, by kind of stage.
const LEFT: &str = "SELECT s.kind, a.state FROM attempt a JOIN stage s ON s.id = a.stage_id WHERE a.state <> 'done'";

#[test]
fn a_cancelled_run_keeps_its_checkpoint_and_the_others_continue() {
    let (place, mut sweep) = start_until_the_long_trial();
    let long = trial(&place, 5000);
    let run = place.query(&format!("SELECT id FROM run WHERE trial_id = '{long}'")).remove(0);
    let output = place.succeed(&["cancel", &run[..12]]).stdout;
    assert_eq!(output, format!("run {}: 1 run cancelled; finished runs are kept\n", &run[..12]));
    assert_eq!(sweep.end(), 0, "{}", sweep.output());
    assert!(sweep.output().contains("1 of 2 runs done, 0 failed, 1 pruned or cancelled"), "{}", sweep.output());
    assert_eq!(runs(&place), ["cancelled", "done"]);
    assert_eq!(place.query(LEFT), ["joint|interrupted"]);
    assert!(has_checkpoint(&place));
    let why = place.succeed(&["why", &run[..12]]).stdout;
    assert!(why.contains("is cancelled\ncancelled by the user; start the sweep again to revive it"), "{why}");

    let epochs = place.count("SELECT MAX(step) FROM metric");
    let mut again = place.start("again.log", &["sweep", "tiny.toml", "--no-report"]);
    wait_for("the progress of the revived run", || place.count("SELECT MAX(step) FROM metric") > epochs);
    assert_eq!(runs(&place), ["running", "done"]);
    again.signal(libc::SIGINT);
    assert_eq!(again.end(), 130);
    assert_eq!(place.count("SELECT MIN(step) FROM metric WHERE step > 2"), 3, "no epoch was lost or repeated");
}

#[test]
fn a_cancelled_trial_leaves_the_stages_that_another_trial_needs() {
    let place = Workplace::new();
    place.write("tiny.toml", &long_and_short(60));
    let mut sweep = place.start("sweep.log", &["sweep", "tiny.toml", "--no-report"]);
    let pretraining = "SELECT COUNT(*) FROM stage WHERE kind = 'pretrain' AND state = 'running'";
    sweep.wait_for_output("sweep tiny: ");
    wait_for("pretraining", || place.count(pretraining) == 1);
    assert!(place.succeed(&["cancel", &trial(&place, 5000)]).stdout.contains("1 run cancelled"));
    assert_eq!(sweep.end(), 0, "{}", sweep.output());
    assert_eq!(runs(&place), ["cancelled", "done"]);
    assert_eq!(place.query(LEFT), [""; 0], "the pretraining was not interrupted");
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE kind = 'joint' AND state = 'done'"), 1);
}

#[test]
fn a_cancelled_sweep_ends_and_another_with_the_same_run_continues() {
    let (place, mut sweep) = start_until_the_long_trial();
    let worker = workers(&place).remove(0);
    // The other sweep also needs the short trial.
    let other = TINY.replace("\"tiny\"", "\"other\"");
    let space = "[search.space]\n\"joint.epochs\" = [2, 3]\n[baseline]\nrerun = false\n";
    place.write("other.toml", &format!("{other}\n{space}"));
    let planned = place.command(&["sweep", "other.toml"]).env("DIDACT_FAULT", "plan:after-commit").output();
    assert_eq!(planned.expect("starts").status.code(), None, "killed once the plan is written");
    assert!(place.succeed(&["cancel", "tiny"]).stdout.contains("sweep tiny: 1 run cancelled"));
    wait_for("the end of the long stage", || !place.query(LEFT).is_empty());
    assert_eq!(sweep.end(), 0, "{}", sweep.output());
    wait_for("the worker's end", || !is_alive(worker));
    assert_eq!(runs(&place), ["cancelled", "done"], "the run that another sweep needs is not cancelled");
    place.succeed(&["sweep", "other.toml", "--no-report"]);
    assert_eq!(place.query("SELECT state, COUNT(*) FROM run GROUP BY 1"), ["cancelled|1", "done|2"]);
}
