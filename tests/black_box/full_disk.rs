//! Full disks at each kind of write: nothing is lost, and with free space the sweep ends with the same numbers.

use crate::background::{BackgroundCommand, assert_each_stage_done_once, assert_same_bits, has_checkpoint};
use crate::common::{TINY, Workplace, one_long_trial};
use crate::disks::{Mount, fill, small_disk};
use crate::processes::wait_for;

/// Size of the disk in bytes: more than [`one_long_trial`] needs.
const ROOM: u64 = 200 << 20;

const SWEEP: [&str; 3] = ["sweep", "tiny.toml", "--no-report"];

/// Creates a workplace with its artifacts on a small disk.
fn artifacts_on_a_small_disk() -> Option<(Workplace, Mount)> {
    let place = Workplace::new().with_slow_epochs();
    place.write("tiny.toml", &one_long_trial());
    let folder = place.path("didact.artifacts");
    std::fs::create_dir(&folder).expect("created");
    let disk = small_disk(&folder, ROOM)?;
    Some((place, disk))
}

/// Creates a workplace on a small disk, with its artifacts elsewhere.
fn store_on_a_small_disk() -> Option<(Workplace, Mount, tempfile::TempDir)> {
    let place = Workplace::new().with_slow_epochs();
    let disk = small_disk(place.folder(), ROOM)?;
    place.write("tiny.toml", &one_long_trial());
    let artifacts = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(artifacts.path(), place.path("didact.artifacts")).expect("linked");
    Some((place, disk, artifacts))
}

/// Asserts that the sweep ends as with enough space.
#[track_caller]
fn assert_nothing_lost(place: &Workplace, mut sweep: BackgroundCommand) {
    assert_eq!(sweep.end(), 0, "{}", sweep.output());
    assert_each_stage_done_once(place);
    assert_same_bits(place);
}

#[test]
fn without_space_for_artifacts_stages_fail_and_are_retried() {
    let Some((place, _disk)) = artifacts_on_a_small_disk() else { return };
    let filler = fill(&place.path("didact.artifacts"));
    let sweep = place.start("sweep.log", &SWEEP);
    let failed = "SELECT DISTINCT state, failure_class, reason LIKE '%No space left on device%' FROM attempt WHERE state = 'failed'";
    sweep.wait_for_output("sweep tiny: ");
    wait_for("a failed attempt", || place.query(failed) == ["failed|store|1"]);
    drop(filler);
    assert_nothing_lost(&place, sweep);
}

#[test]
fn without_space_for_a_checkpoint_training_resumes_from_the_previous_one() {
    let Some((place, _disk)) = artifacts_on_a_small_disk() else { return };
    let sweep = place.start("sweep.log", &SWEEP);
    wait_for("a checkpoint of joint training", || has_checkpoint(&place));
    let filler = fill(&place.path("didact.artifacts"));
    let failed =
        "SELECT s.kind, a.failure_class FROM attempt a JOIN stage s ON s.id = a.stage_id WHERE a.state = 'failed'";
    wait_for("a failed attempt", || place.query(failed).first().is_some_and(|row| row == "joint|store"));
    drop(filler);
    assert_nothing_lost(&place, sweep);
}

#[test]
fn without_space_for_rows_workers_end_and_others_take_over() {
    let Some((place, _disk, _artifacts)) = store_on_a_small_disk() else { return };
    let sweep = place.start("sweep.log", &SWEEP);
    wait_for("a checkpoint of joint training", || has_checkpoint(&place));
    let filler = fill(place.folder());
    sweep.wait_for_output("could not use the store");
    drop(filler);
    assert_nothing_lost(&place, sweep);
}

#[test]
fn without_space_for_a_store_a_sweep_is_refused() {
    let Some((place, _disk, _artifacts)) = store_on_a_small_disk() else { return };
    let filler = fill(place.folder());
    let refused = place.run(&SWEEP);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("full"), "{}", refused.stderr);
    drop(filler);
    let sweep = place.start("sweep.log", &SWEEP);
    assert_nothing_lost(&place, sweep);
}

#[test]
fn without_space_for_a_report_the_older_one_is_kept() {
    let place = Workplace::new().with_slow_epochs();
    place.write("tiny.toml", &TINY.replace("epochs = 2", "epochs = 1"));
    place.succeed(&["sweep", "tiny.toml", "--no-report"]);
    let folder = place.path("paper");
    std::fs::create_dir(&folder).expect("created");
    let Some(_disk) = small_disk(&folder, 32 << 20) else { return };
    place.succeed(&["report", "--out", "paper"]);
    let files = || -> Vec<(std::path::PathBuf, Vec<u8>)> {
        let entries =
            walkdir::WalkDir::new(&folder).sort_by_file_name().into_iter().map(|entry| entry.expect("readable"));
        let files = entries.filter(|entry| entry.file_type().is_file() && entry.file_name() != "filler");
        files.map(|entry| (entry.path().to_owned(), std::fs::read(entry.path()).expect("readable"))).collect()
    };
    place.query("UPDATE sweeps SET question = 'Does it change?' RETURNING 1");
    let before = files();
    let filler = fill(&folder);
    let refused = place.run(&["report", "--out", "paper"]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    drop(filler);
    let after: Vec<_> = files();
    assert!(before.iter().all(|file| after.contains(file)), "an older file was changed");
    place.succeed(&["report", "--out", "paper"]);
    let page = std::fs::read_to_string(folder.join("index.html")).expect("a page");
    assert!(page.contains("Does it change?"));
}
