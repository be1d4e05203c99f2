//! Parts of a sweep and their order: limits of trials and time, a single run, and the effect of a changed file.

use crate::background::{assert_each_stage_done_once, assert_same_bits};
use crate::common::{TINY, Workplace, two_long_trials};
use crate::processes::wait_for;

/// Returns a sweep of three trials with different learning rates and no baseline.
fn three_trials() -> String {
    format!("{TINY}\n[search.space]\n\"joint.student.learning_rate\" = [0.3, 0.2, 0.1]\n[baseline]\nrerun = false\n")
}

const ATTEMPTS: &str = "SELECT COUNT(*) FROM attempt";

#[test]
fn runs_finish_one_by_one_with_the_baseline_and_first_seeds_first() {
    let place = Workplace::new();
    place.write("tiny.toml", &format!("{TINY}\n[search]\nseeds = [0, 1]\n"));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let order = "SELECT DISTINCT st.variant || ' ' || r.seed FROM run r JOIN sweep_trial st ON st.trial_id = r.trial_id
        JOIN run_stage rs ON rs.run_id = r.id JOIN attempt a ON a.stage_id = rs.stage_id
        GROUP BY r.id ORDER BY MAX(a.finished_at)";
    let ended = place.query(order);
    assert_eq!(ended, ["ST-FPM 0", "U-Net, skip=concat 0", "ST-FPM 1", "U-Net, skip=concat 1"]);
    // Until the first run is done, no stage starts that it does not need.
    let early_attempts =
        "SELECT COUNT(*) FROM attempt a WHERE a.stage_id NOT IN (SELECT stage_id FROM run_stage WHERE run_id = 'RUN')
        AND a.started_at < (SELECT MAX(b.finished_at) FROM attempt b JOIN run_stage rs ON rs.stage_id = b.stage_id
                            WHERE rs.run_id = 'RUN')";
    let first = place.query("SELECT run_id FROM sweep_run ORDER BY position LIMIT 1").remove(0);
    assert_eq!(place.count(&early_attempts.replace("RUN", &first)), 0);
}

#[test]
fn max_trials_is_a_total_and_every_change_is_reported() {
    let place = Workplace::new();
    place.write("tiny.toml", &three_trials());
    let limit_trials =
        |trials: &str| place.succeed(&["sweep", "tiny.toml", "--no-report", "--max-trials", trials]).stderr;
    assert!(!limit_trials("1").contains("has changed"), "a new sweep changes nothing");
    let attempts = place.count(ATTEMPTS);
    let two = limit_trials("2");
    assert!(two.contains("the sweep has changed: 1 trial added (T02 learning_rate=0.2"), "{two}");
    assert!(two.contains("0 removed, 1 kept"), "{two}");
    // Features and pretraining exist: joint training, two scores, two evaluations.
    assert_eq!(place.count(ATTEMPTS), attempts + 5);
    limit_trials("2");
    assert_eq!(place.count(ATTEMPTS), attempts + 5, "the limit counts existing trials");
    let one = limit_trials("1");
    assert!(one.contains("0 trials added, 1 removed"), "{one}");
    assert_eq!(place.count("SELECT COUNT(*) FROM sweep_run"), 1);
    assert_eq!(place.count("SELECT COUNT(DISTINCT run_id) FROM result"), 2, "removed runs stay in the store");
    assert_eq!(place.query("SELECT DISTINCT kind FROM event"), ["replanned"]);
}

#[test]
fn a_dry_run_reports_a_changed_file_and_the_remaining_time() {
    let place = Workplace::new();
    place.write("tiny.toml", &three_trials());
    let unknown = place.succeed(&["sweep", "tiny.toml", "--dry-run"]).stdout;
    assert!(unknown.contains("time left: unknown until a stage of each kind is done"), "{unknown}");
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let done = place.succeed(&["sweep", "tiny.toml", "--dry-run"]).stdout;
    assert!(done.contains("nothing is left to do") && !done.contains("has changed"), "{done}");

    place.write("tiny.toml", &three_trials().replace("[0.3, 0.2, 0.1]", "[0.4, 0.2, 0.1]"));
    let before = place.query("SELECT run_id, position FROM sweep_run ORDER BY position");
    let dry = place.succeed(&["sweep", "tiny.toml", "--dry-run"]).stdout;
    for part in ["18 stages (13 done already", "1 trial added", "1 removed", "2 kept", "time left: about "] {
        assert!(dry.contains(part), "{part:?} is not in\n{dry}");
    }
    assert_eq!(place.query("SELECT run_id, position FROM sweep_run ORDER BY position"), before, "nothing was planned");
    let output = place.succeed(&["sweep", "tiny.toml", "--no-report"]).stderr;
    assert!(output.contains("(13 of 18 stages done already)"), "{output}");
    assert_each_stage_done_once(&place);
}

#[test]
fn a_single_run_can_be_computed_before_the_rest() {
    let place = Workplace::new();
    place.write("tiny.toml", &three_trials());
    let planned = place.command(&["sweep", "tiny.toml"]).env("DIDACT_FAULT", "plan:after-commit").output();
    assert_eq!(planned.expect("starts").status.code(), None, "killed once the plan is written");
    let run = place.query("SELECT run_id FROM sweep_run ORDER BY position DESC").remove(0);
    place.succeed(&["sweep", "tiny.toml", "--only", &run[..12]]);
    assert_eq!(place.query("SELECT id FROM run WHERE state = 'done'"), [run.as_str()]);
    assert_eq!(place.query("SELECT DISTINCT run_id FROM result"), [run.as_str()]);
    assert!(!place.path("reports").exists(), "a single run writes no report of the sweep");
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_each_stage_done_once(&place);
}

#[test]
fn a_sweep_in_time_slices_ends_with_the_same_bits() {
    let place = Workplace::new().with_slow_epochs();
    place.write("tiny.toml", &two_long_trials());
    let mut slices = 0;
    wait_for("the end of a sweep in slices", || {
        let outcome = place.run(&["sweep", "tiny.toml", "--no-report", "--time-limit", "0.7s"]);
        slices += 1;
        match outcome.code {
            Some(0) => true,
            Some(130) if outcome.stderr.contains("left; the same command continues") => false,
            _ => panic!("{}", outcome.stderr),
        }
    });
    assert!(slices > 1, "it was never stopped");
    // A completed sweep succeeds even if the time limit ends it.
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--time-limit", "0s"]);
    assert_each_stage_done_once(&place);
    // A slice may end between two stages.
    assert!(place.query("SELECT DISTINCT state FROM attempt WHERE state NOT IN ('done', 'interrupted')").is_empty());
    assert_same_bits(&place);
}
