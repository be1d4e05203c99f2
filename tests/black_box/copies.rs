//! Copies of stores: a store that is not in use is one file; copies of a store in use; files of other programs.

use std::path::PathBuf;

use crate::background::start_until_joint_training;
use crate::common::{TINY, Workplace, one_long_trial, query};
use crate::disks::{fill, small_disk};
use crate::processes::{processes_in, wait_for};
use crate::torture::points_of;

const SWEEP: [&str; 3] = ["sweep", "tiny.toml", "--no-report"];

/// Returns the files next to a store that have its name.
fn files_next_to(place: &Workplace, store: &str) -> Vec<String> {
    let entries = std::fs::read_dir(place.path(store).parent().expect("a folder")).expect("readable");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(store)).collect();
    names.sort();
    names
}

#[test]
fn a_store_that_is_not_in_use_is_one_file() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    let alone = |what: &str| assert_eq!(files_next_to(&place, "didact.db"), ["didact.db"], "after {what}");
    place.succeed(&["sweep", "tiny.toml", "--no-report", "--jobs", "2"]);
    alone("sweep");
    let copy = Workplace::new();
    std::fs::copy(place.path("didact.db"), copy.path("didact.db")).expect("copied");
    let status = place.succeed(&["status"]).stdout;
    alone("status");
    assert_eq!(copy.succeed(&["status"]).stdout, status, "the file alone is the store");
    for command in [&["report"][..], &["why", "no such"], &["cancel", "nothing"], &["gc"], &["status", "none"]] {
        place.run(command);
        alone(command[0]);
    }
    place.succeed(&["store", "check"]);
    alone("check");
}

#[test]
fn an_interrupted_sweep_leaves_one_file_and_the_next_process_cleans_up_after_a_killed_one() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    sweep.signal(libc::SIGINT);
    assert_eq!(sweep.end(), 130, "{}", sweep.output());
    assert_eq!(files_next_to(&place, "didact.db"), ["didact.db"]);

    let mut sweep = place.start("again.log", &SWEEP);
    sweep.wait_for_output("sweep tiny: ");
    sweep.kill();
    wait_for("workers leave", || processes_in(place.folder()).is_empty());
    place.succeed(&["status"]);
    assert_eq!(files_next_to(&place, "didact.db"), ["didact.db"]);
}

#[test]
fn a_store_in_use_can_be_backed_up_and_an_incomplete_copy_is_refused() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    std::fs::copy(place.path("didact.db"), place.path("bare.db")).expect("copied");
    place.succeed(&["store", "backup", "whole.db"]);
    let done = "SELECT COUNT(*) FROM attempt";
    let now = query(&place.path("whole.db"), done);
    assert_ne!(now, ["0"]);
    let output = place.succeed(&["status", "--store", "whole.db"]).stderr;
    assert!(!output.contains("log"), "{output}");
    // The copy may contain no sweep at all.
    let output = place.run(&["status", "--store", "bare.db"]).stderr;
    assert!(output.contains("bare.db-wal is missing") && output.contains("store backup"), "{output}");
    let refused = place.run(&["store", "backup", "whole.db"]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("whole.db already exists"), "{}", refused.stderr);
    assert_eq!(query(&place.path("whole.db"), done), now, "the existing file is unchanged");
    assert_eq!(sweep.end(), 0, "{}", sweep.output());
    let output = place.succeed(&["status"]).stderr;
    assert!(output.is_empty(), "{output}");
}

#[test]
fn a_backup_that_is_killed_or_has_no_space_leaves_no_file_of_its_name() {
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    place.succeed(&SWEEP);
    for point in points_of("backup:") {
        let output = place.command(&["store", "backup", "copy.db"]).env("DIDACT_FAULT", &point).output();
        assert_eq!(output.expect("starts").status.code(), None, "the backup passed {point} alive");
        if place.path("copy.db").exists() {
            assert_eq!(query(&place.path("copy.db"), "PRAGMA integrity_check"), ["ok"], "{point}");
            std::fs::remove_file(place.path("copy.db")).expect("removed");
        }
    }
    place.succeed(&["store", "backup", "copy.db"]);
    std::fs::create_dir(place.path("disk")).expect("created");
    let Some(_disk) = small_disk(&place.path("disk"), 2 << 20) else { return };
    let _filler = fill(&place.path("disk"));
    let refused = place.run(&["store", "backup", "disk/copy.db"]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("disk/copy.db") && refused.stderr.contains("full"), "{}", refused.stderr);
    assert_eq!(std::fs::read_dir(place.path("disk")).expect("readable").count(), 1, "only the filler");
}

/// Creates a database of another program.
fn foreign(place: &Workplace, sql: &str) -> PathBuf {
    let path = place.write("didact.db", "");
    for statement in sql.split(';') {
        query(&path, statement);
    }
    path
}

#[test]
fn a_file_of_another_program_is_refused_and_unchanged() {
    for sql in [
        "CREATE TABLE notes (text TEXT)",
        "CREATE TABLE sweep (id TEXT PRIMARY KEY, name TEXT)",
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMP, \
         success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL);\
         INSERT INTO _sqlx_migrations VALUES (1, 'initial', '', 1, x'00', 0);CREATE TABLE users (id INTEGER)",
        "PRAGMA application_id = 252006674",
        "PRAGMA journal_mode = WAL;CREATE TABLE notes (text TEXT)",
    ] {
        let place = Workplace::new();
        place.write("tiny.toml", TINY);
        let path = foreign(&place, sql);
        let bytes = std::fs::read(&path).expect("readable");
        for command in
            [&SWEEP[..], &["gc"], &["status"], &["report"], &["cancel", "tiny"], &["store", "backup", "b.db"]]
        {
            let refused = place.run(command);
            assert_eq!(refused.code, Some(4), "{sql}: {}", refused.stderr);
            assert!(refused.stderr.contains("of another program"), "{sql}: {}", refused.stderr);
        }
        assert!(std::fs::read(&path).expect("readable") == bytes, "{sql}: it was written to");
        assert!(!place.path("didact.artifacts").exists());
    }
    // An empty file belongs to no program.
    let place = Workplace::new();
    place.write("tiny.toml", TINY);
    place.write("didact.db", "");
    place.succeed(&SWEEP);
}
