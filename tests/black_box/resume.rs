//! Killed in the middle and started again: the same bits, nothing repeated but the step that was lost.

use std::path::PathBuf;
use std::process::{Child, Stdio};

use crate::common::{TINY, Workplace};
use crate::processes::{kill, send, wait_for};

/// Joint training long enough to be caught in its middle.
fn long_sweep() -> String {
    TINY.replace("epochs = 2\nbatch_size = 4\n", "epochs = 40\nbatch_size = 4\n")
}

/// Bytes of the weights that every joint stage left, by stage.
fn weights(place: &Workplace) -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let mut all: Vec<_> = std::fs::read_dir(place.path("didact.artifacts/joint"))
        .expect("joint artifacts")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let read = |name: &str| std::fs::read(path.join(name)).expect("a file");
            let key = path.file_name().expect("a name").to_string_lossy().into_owned();
            (key, read("selected.safetensors"), read("last.safetensors"))
        })
        .collect();
    all.sort();
    all
}

/// Whether a joint stage has a checkpoint that a resumed attempt would start from.
fn has_checkpoint(place: &Workplace) -> bool {
    let partial = place.path("didact.artifacts/partial");
    std::fs::read_dir(partial).is_ok_and(|entries| {
        entries.filter_map(Result::ok).any(|entry| {
            // The student is there in joint training only.
            std::fs::read(entry.path().join("last.safetensors"))
                .is_ok_and(|bytes| bytes.windows(14).take(20_000).any(|window| window == b"student.conv1."))
        })
    })
}

/// A sweep in the middle of joint training, with a checkpoint behind it.
fn caught_in_joint_training() -> (Workplace, Child) {
    let place = Workplace::new();
    place.write("tiny.toml", &long_sweep());
    let mut command = place.command(&["sweep", "tiny.toml", "--no-report"]);
    let sweep = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    wait_for("a checkpoint of joint training", || has_checkpoint(&place));
    (place, sweep)
}

fn workers(place: &Workplace) -> Vec<i32> {
    let rows = place.query("SELECT DISTINCT pid FROM attempt WHERE state = 'running'");
    rows.iter().filter_map(|row| row.parse().ok()).collect()
}

/// Every file that joint training left is, byte by byte, that of a sweep which nobody disturbed.
#[track_caller]
fn assert_same_bits(place: &Workplace) {
    let undisturbed = Workplace::new();
    undisturbed.write("tiny.toml", &long_sweep());
    undisturbed.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let (ours, theirs) = (weights(place), weights(&undisturbed));
    assert_eq!(ours.len(), theirs.len());
    for ((stage, selected, last), (other, other_selected, other_last)) in ours.iter().zip(&theirs) {
        assert_eq!(stage, other);
        assert!(selected == other_selected, "the selected weights of {stage} differ");
        assert!(last == other_last, "the last weights and moments of {stage} differ");
    }
}

#[test]
fn a_killed_sweep_goes_on_and_ends_with_the_same_bits() {
    let (place, mut sweep) = caught_in_joint_training();
    let workers = workers(&place);
    sweep.kill().expect("killed");
    sweep.wait().expect("ended");
    for worker in workers {
        kill(worker);
    }
    let finished = place.count("SELECT COUNT(*) FROM stage WHERE state = 'done'");

    // One thread instead of all: the bits must not depend on it.
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
fn a_killed_worker_costs_one_attempt_and_the_sweep_goes_on_by_itself() {
    let (place, mut sweep) = caught_in_joint_training();
    for worker in workers(&place) {
        kill(worker);
    }
    assert!(sweep.wait().expect("ended").success());
    assert_eq!(place.query("SELECT DISTINCT state FROM run"), ["done"]);
    assert_eq!(place.query("SELECT state, failure_class FROM attempt WHERE state <> 'done'"), ["lost|signal"]);
    assert_same_bits(&place);
}

#[test]
fn an_interrupted_sweep_leaves_with_130_and_a_checkpoint() {
    let (place, mut sweep) = caught_in_joint_training();
    assert!(send(sweep.id() as i32, libc::SIGINT));
    assert_eq!(sweep.wait().expect("ended").code(), Some(130));
    assert_eq!(place.query("SELECT state FROM attempt WHERE state <> 'done'"), ["interrupted"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM stage WHERE state = 'running'"), 0);
    assert!(partials(&place).iter().any(|path| path.join("last.safetensors").is_file()));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    assert_same_bits(&place);
    assert!(partials(&place).is_empty(), "finished stages keep no partial checkpoints");
}

fn partials(place: &Workplace) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(place.path("didact.artifacts/partial")).expect("the folder is there");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}
