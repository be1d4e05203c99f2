//! Copies of artifacts in a scratch folder: what stages read, and what happens if the copies are damaged or cannot be made.

use std::path::PathBuf;

use crate::background::{assert_each_stage_done_once, assert_same_bits, has_checkpoint};
use crate::common::{Workplace, one_long_trial};
use crate::disks::{read_only, small_disk};
use crate::processes::wait_for;
use crate::torture::points_of;

/// Returns a workplace with a sweep of which some stages are done.
fn begun() -> Workplace {
    let place = Workplace::new().with_slow_epochs();
    place.write("tiny.toml", &one_long_trial());
    let mut sweep = place.start("sweep.log", &["sweep", "tiny.toml", "--no-report"]);
    wait_for("a checkpoint of joint training", || has_checkpoint(&place));
    sweep.signal(libc::SIGINT);
    assert_eq!(sweep.end(), 130, "{}", sweep.output());
    place
}

const WORKER: [&str; 5] = ["worker", "--sweep", "tiny", "--scratch", "scratch"];

/// Returns the copies of artifacts.
fn copies(place: &Workplace) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(place.path("scratch")).into_iter().filter_map(Result::ok);
    entries.map(walkdir::DirEntry::into_path).filter(|path| path.ends_with("files.json")).collect()
}

#[track_caller]
fn assert_nothing_lost(place: &Workplace) {
    assert_each_stage_done_once(place);
    assert_same_bits(place);
    assert_eq!(place.succeed(&["store", "check"]).stdout, "the store and its artifacts are intact\n");
}

#[test]
fn stages_read_copies_and_the_last_worker_removes_them() {
    let place = begun();
    let mut worker = place.start("worker.log", &WORKER);
    wait_for("copies", || !copies(&place).is_empty());
    assert_eq!(worker.end(), 0, "{}", worker.output());
    assert_eq!(std::fs::read_dir(place.path("scratch")).expect("a folder").count(), 0, "the copies are removed");
    assert_nothing_lost(&place);
}

#[test]
fn copies_of_a_killed_worker_are_verified_and_used() {
    for point in points_of("scratch:") {
        let place = begun();
        let killed = place.command(&WORKER).env("DIDACT_FAULT", &point).output().expect("starts");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&killed.status), Some(libc::SIGKILL), "{point}");
        // One worker is killed with its copies complete, and they are damaged.
        let mut worker = place.start("worker.log", &WORKER);
        wait_for("copies", || !copies(&place).is_empty());
        worker.kill();
        for manifest in copies(&place) {
            for file in std::fs::read_dir(manifest.parent().expect("a folder")).expect("a folder") {
                let path = file.expect("a file").path();
                let bytes: Vec<u8> = std::fs::read(&path).expect("read").iter().map(|byte| !byte).collect();
                if path != manifest {
                    std::fs::write(&path, bytes).expect("written");
                }
            }
        }
        place.succeed(&WORKER);
        assert_nothing_lost(&place);
    }
}

#[test]
fn without_space_for_copies_stages_read_the_originals() {
    let place = begun();
    std::fs::create_dir(place.path("scratch")).expect("created");
    let Some(_disk) = small_disk(&place.path("scratch"), 64 << 10) else { return };
    let outcome = place.succeed(&WORKER);
    assert!(outcome.stderr.contains("reading the original"), "{}", outcome.stderr);
    assert_nothing_lost(&place);
}

#[test]
fn while_artifacts_are_read_only_workers_wait() {
    let place = begun();
    let Some(protected) = read_only(&place.path("didact.artifacts")) else { return };
    let mut worker = place.start("worker.log", &WORKER);
    worker.wait_for_output("waiting until it can be written");
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt WHERE state = 'failed'"), 1, "{}", worker.output());
    drop(protected);
    assert_eq!(worker.end(), 0, "{}", worker.output());
    assert_nothing_lost(&place);
}
