//! Failures: which are retried, how they are reported, and when a sweep stops.

use crate::background::assert_each_stage_done_once;
use crate::common::{TINY, Workplace, tiny_on_disk};

const SWEEP: [&str; 3] = ["sweep", "tiny.toml", "--no-report"];
const RETRY: [&str; 4] = ["sweep", "tiny.toml", "--no-report", "--retry-failed"];

#[test]
fn changed_images_fail_once_and_are_retried_after_repair() {
    let place = Workplace::new();
    place.succeed(&["data", "synth", "data", "--side", "32"]);
    place.write("tiny.toml", &tiny_on_disk());
    let planned = place.command(&SWEEP).env("DIDACT_FAULT", "plan:after-commit").output().expect("starts");
    assert_eq!(planned.status.code(), None, "killed once the plan is written, before any worker");
    let images = place.path("data/weave/train/good");
    std::fs::rename(images.join("000.png"), place.path("aside.png")).expect("moved");
    place.succeed(&["worker", "--sweep", "tiny"]);
    let failed = place.query("SELECT kind, failure_class, attempts FROM stage WHERE state = 'failed'");
    assert_eq!(failed, ["features|data|1"]);
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["failed"]);

    let run = place.query("SELECT id FROM run").remove(0);
    let why = place.succeed(&["why", &run[..12]]).stdout;
    for part in [
        "is failed",
        "features: data: ",
        "the files of weave have changed since the sweep was planned",
        "add `--retry-failed` to retry it",
        "skipped",
        "command to repeat it in a separate sweep:\ndidact sweep tiny.toml \\\n",
    ] {
        assert!(why.contains(part), "{part:?} is not in\n{why}");
    }

    std::fs::rename(place.path("aside.png"), images.join("000.png")).expect("put back");
    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    assert_eq!(place.run(&SWEEP).code, Some(1), "a permanent failure is not retried");
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts);
    place.succeed(&RETRY);
    assert_each_stage_done_once(&place);
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE failure_class IS NOT NULL OR reason IS NOT NULL"), 0);
}

#[test]
fn a_slot_whose_workers_keep_dying_is_given_up_and_reported() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    // Every worker dies before it publishes, so no stage finishes.
    let output = place.command(&SWEEP).env("DIDACT_FAULT", "publish:before-rename").output().expect("starts");
    let outcome = place.outcome(&output);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    for part in [
        "worker 1 was killed by signal 9",
        "worker 1 stops: its last 5 processes died",
        "no worker could continue; add --retry-failed",
    ] {
        assert!(outcome.stderr.contains(part), "{part:?} is not in\n{}", outcome.stderr);
    }
    // Two stages need no others. One failed after three attempts; the other waits to be retried.
    let stages = "SELECT state, failure_class, attempts FROM stage WHERE attempts > 0 ORDER BY state";
    assert_eq!(place.query(stages), ["failed|signal|3", "pending|signal|2"]);
    assert_eq!(place.query("SELECT DISTINCT state, failure_class FROM attempt"), ["lost|signal"]);
    let status = place.succeed(&["status"]).stdout;
    assert!(status.contains("breaker: worker 1: its last 5 processes died"), "{status}");
    assert!(status.contains("signal: the worker process was killed by signal 9 (attempt 3)"), "{status}");

    place.succeed(&RETRY);
    assert_each_stage_done_once(&place);
}

#[test]
fn a_worker_with_only_transient_failures_stops_claiming() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    place.write("didact.artifacts/tmp", "a file where attempts want a folder");
    let outcome = place.run(&SWEEP);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("worker 1 stops: its last 5 attempts failed"), "{}", outcome.stderr);
    assert_eq!(place.query("SELECT DISTINCT state, failure_class FROM attempt"), ["failed|store"]);
    assert_eq!(place.query("SELECT kind, message LIKE '%didact.artifacts/tmp/%' FROM event"), ["breaker|1"]);

    std::fs::remove_file(place.path("didact.artifacts/tmp")).expect("removed");
    place.succeed(&RETRY);
    assert_each_stage_done_once(&place);
}

#[test]
fn a_sweep_stops_at_max_failures() {
    let place = Workplace::new();
    let space = "[search.space]\n\"joint.student.learning_rate\" = [1e4, 0.1]\n[baseline]\nrerun = false\n";
    // Without clipping the first trial diverges at once; the second would take long.
    place.write("tiny.toml", &format!("{}\n{space}", TINY.replace("epochs = 2", "epochs = 2000\nclip_norm = 0")));
    let outcome = place.run(&["sweep", "tiny.toml", "--no-report", "--max-failures", "1"]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("1 run failed (--max-failures): 1 run is left"), "{}", outcome.stderr);
    assert_eq!(place.query("SELECT state FROM run ORDER BY state"), ["failed", "pending"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt WHERE state = 'running'"), 0);
    assert_eq!(place.query("SELECT kind FROM event"), ["max-failures"]);
    // Earlier failures do not count, so the other trial may run.
    let again = place.run(&["sweep", "tiny.toml", "--no-report", "--max-failures", "1", "--time-limit", "1s"]);
    assert_eq!(again.code, Some(130), "{}", again.stderr);
}

#[test]
fn a_stage_that_times_out_resumes_from_its_checkpoint_until_it_is_done() {
    let place = Workplace::new();
    place.write("tiny.toml", &TINY.replace("epochs = 2", "epochs = 200"));
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--max-trials", "1", "--stage-timeout", "1s"]);
    assert_each_stage_done_once(&place);
    let timed_out = place.query(
        "SELECT DISTINCT s.kind, a.state, a.failure_class, a.reason FROM attempt a JOIN stage s ON s.id = a.stage_id
         WHERE a.state <> 'done'",
    );
    assert_eq!(timed_out, ["joint|failed|timeout|exceeded --stage-timeout"]);
    let epochs = "SELECT COUNT(*), MIN(step), MAX(step) FROM metric WHERE name = 'loss'";
    assert_eq!(place.query(epochs), ["200|1|200"]);
}

#[test]
fn a_stage_that_exceeds_the_memory_limit_fails_alone() {
    let place = Workplace::new();
    // One trial processes 192 images of 64 px at once and needs twice the limit; the other processes four. All other stages need
    // half of the limit.
    let space = "[search.space]\n\"joint.batch_size\" = [192, 4]\n[baseline]\nrerun = false\n";
    let larger =
        TINY.replace("image_size = 32", "image_size = 64").replace("side = 32, train = 10", "side = 64, train = 240");
    place.write("tiny.toml", &format!("{}\n{space}", larger.replace("epochs = 2\nbatch_size = 4\n", "epochs = 1\n")));
    let outcome = place.run(&["sweep", "tiny.toml", "--no-report", "--jobs", "2", "--memory", "80M"]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    for part in [
        " exceeded its memory limit (--memory)\n",
        "1 of 2 runs done, 1 failed",
        "joint: oom: the worker process exceeded its memory limit (--memory) (attempt 3)",
    ] {
        assert!(outcome.stderr.contains(part), "{part:?} is not in\n{}", outcome.stderr);
    }
    let stages = "SELECT kind, failure_class, attempts, beside FROM stage WHERE state = 'failed'";
    assert_eq!(place.query(stages), ["joint|oom|3|0"], "half of two workers: no concurrent stage");
    assert_eq!(place.query("SELECT DISTINCT state, failure_class FROM attempt WHERE state <> 'done'"), ["lost|oom"]);

    place.succeed(&[&RETRY[..], &["--memory", "1G"]].concat());
    assert_each_stage_done_once(&place);
}
