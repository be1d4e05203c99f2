//! Stages that another version of didact planned: a worker that computes other keys leaves them unchanged and reports it.

use crate::background::start_until_joint_training;
use crate::common::{TINY, Workplace, one_long_trial};

/// Returns everything in the store that a refusing worker must not change.
fn untouched(place: &Workplace) -> [Vec<String>; 4] {
    [
        "SELECT id, state, attempts, failure_class, reason, token, lease_until, not_before FROM stage ORDER BY id",
        "SELECT id, state, reason FROM run ORDER BY id",
        "SELECT id, state FROM attempt ORDER BY id",
        "SELECT stage_id, digest FROM artifact ORDER BY stage_id",
    ]
    .map(|sql| place.query(sql))
}

#[test]
fn a_new_metric_is_computed_for_the_same_runs_from_their_maps() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let runs = || place.query("SELECT r.id, p.id FROM run r JOIN protocol p ON p.id = r.protocol_id ORDER BY r.id");
    let all = || place.query("SELECT run_id, selection, name, value FROM result ORDER BY 1, 2, 3");
    let (runs_before, numbers) = (runs(), all());
    // As a version without the metric left the store: its evaluations have other keys.
    for sql in [
        "UPDATE stages SET key = 'dead' || substr(key, 5) WHERE kind = 'evaluate'",
        "DELETE FROM results WHERE name = 'seg_f1'",
        "UPDATE sweeps SET written = NULL",
    ] {
        place.query(sql);
    }
    let trained =
        || place.count("SELECT COUNT(*) FROM attempt a JOIN stage s ON s.id = a.stage_id WHERE s.kind = 'joint'");
    let evaluations = place.path("didact.artifacts/evaluate");
    let folders = || std::fs::read_dir(&evaluations).expect("is there").map(|entry| entry.expect("readable").path());
    for folder in folders().collect::<Vec<_>>() {
        let name = folder.file_name().expect("a key").to_string_lossy().into_owned();
        std::fs::rename(&folder, evaluations.join(format!("dead{}", &name[4..]))).expect("renamed");
    }
    let before = trained();
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_eq!((runs(), all(), trained()), (runs_before, numbers, before));
    let old = "SELECT COUNT(*) FROM run_stage rs JOIN stage s ON s.id = rs.stage_id WHERE s.id LIKE 'dead%'";
    assert_eq!(place.count(old), 0, "runs have only their new evaluations");
    assert_eq!(place.count("SELECT COUNT(*) FROM run WHERE state = 'done'"), 2);
    place.succeed(&["store", "check"]);
    assert_eq!(folders().count(), 8);
    place.succeed(&["gc"]);
    assert_eq!(folders().count(), 4, "nothing needs the old evaluations");
}

#[test]
fn a_worker_refuses_stages_with_other_keys_and_leaves_them_unchanged() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    // As another version would leave a sweep: planned, but not evaluated.
    for sql in [
        "DELETE FROM artifacts WHERE stage_id IN (SELECT id FROM stages WHERE kind = 'evaluate')",
        "UPDATE stages SET state = 'pending', attempts = 0, finished_at = NULL WHERE kind = 'evaluate'",
        "UPDATE runs SET state = 'pending'",
        "DELETE FROM results",
        "CREATE TABLE original AS SELECT stage_id, job FROM stage_jobs",
    ] {
        place.query(sql);
    }
    std::fs::remove_dir_all(place.path("didact.artifacts/evaluate")).expect("removed");
    let before = untouched(&place);
    for (what, job) in [
        ("another value", "json_set(job, '$.evaluate.evaluate.fuse_size', 3)"),
        ("a setting that this version does not write", "json_remove(job, '$.evaluate.masks')"),
        ("a kind of stage that this version does not know", "replace(job, '{\"evaluate\":', '{\"measure\":')"),
    ] {
        place.query(&format!(
            "UPDATE stage_jobs SET job = {job} WHERE stage_id IN (SELECT id FROM stages WHERE kind = 'evaluate')"
        ));
        assert_eq!(
            place.count(
                "SELECT COUNT(*) FROM stage_jobs j JOIN original o USING (stage_id) JOIN stages s ON s.id = o.stage_id
                 WHERE j.job = o.job AND s.kind = 'evaluate'"
            ),
            0
        );
        let refused = place.run(&["worker", "--sweep", "tiny", "--threads", "1"]);
        assert_eq!(refused.code, Some(4), "{what}: {}", refused.stderr);
        assert!(
            refused.stderr.contains("the stage evaluate ") && refused.stderr.contains("another version"),
            "{what}: {}",
            refused.stderr
        );
        assert_eq!(untouched(&place), before, "{what}");
        assert!(!place.path("didact.artifacts/evaluate").exists(), "{what}: something was published");
        place
            .query("UPDATE stage_jobs SET job = (SELECT o.job FROM original o WHERE o.stage_id = stage_jobs.stage_id)");
    }
    assert_eq!(place.count("SELECT COUNT(*) FROM event WHERE kind = 'other-version'"), 3);
    // With the original jobs, the same worker computes the stages.
    place.succeed(&["worker", "--sweep", "tiny", "--threads", "1"]);
    assert_eq!(place.query("SELECT DISTINCT state FROM stage"), ["done"]);
}

#[test]
fn a_sweep_whose_worker_refuses_ends_with_its_message() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    place.query(
        "UPDATE stage_jobs SET job = json_set(job, '$.score.split.seed', 7)
         WHERE stage_id IN (SELECT id FROM stages WHERE kind = 'score')",
    );
    place.query("UPDATE sweeps SET written = 'by another version'");
    assert_eq!(sweep.end(), 4, "{}", sweep.output());
    let output = sweep.output();
    assert_eq!(output.matches("was planned by another version of didact").count(), 1, "{output}");
    assert!(output.contains("Run the sweep again with this version"), "{output}");
    assert_eq!(
        place.query("SELECT DISTINCT state FROM stage WHERE kind = 'joint'"),
        ["done"],
        "finished stages are kept"
    );
    assert_eq!(
        place.query("SELECT DISTINCT state, attempts, failure_class FROM stage WHERE kind = 'score'"),
        ["pending|0|NULL"]
    );
    assert!(!place.path("didact.artifacts/score").exists(), "something was published");
    // This version plans the sweep again and continues.
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
}
