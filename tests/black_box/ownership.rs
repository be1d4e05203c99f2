//! Ownership of artifacts: stores in one folder, moved stores and copied stores.

use std::path::Path;

use crate::background::start_until_joint_training;
use crate::common::{TINY, Workplace, one_long_trial, query};

/// Creates two stores whose sweeps share only features.
fn two_stores() -> Workplace {
    let place = Workplace::new();
    place.write("one.toml", TINY);
    place.write("two.toml", &TINY.replace("\"tiny\"", "\"other\"").replace("epochs = 2", "epochs = 1"));
    for name in ["one", "two"] {
        let (store, file) = (format!("{name}.db"), format!("{name}.toml"));
        place.succeed(&["sweep", &file, "--store", &store, "--no-report"]);
    }
    place
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("can be listed");
        let target = to.join(entry.path().strip_prefix(from).expect("below"));
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&target).expect("created");
        } else {
            std::fs::copy(entry.path(), &target).expect("copied");
        }
    }
}

#[test]
fn stores_in_one_folder_have_separate_artifacts() {
    let place = two_stores();
    assert!(!place.path("didact.artifacts").exists());
    for name in ["one", "two"] {
        let store = format!("{name}.db");
        assert!(place.path(&format!("{name}.artifacts/joint")).is_dir());
        let output = place.succeed(&["gc", "--store", &store]).stdout;
        assert!(output.starts_with("0 items"), "{output}");
        place.succeed(&["store", "check", "--store", &store]);
    }
    let refused = place.run(&["gc", "--store", "one.db", "--artifacts", "two.artifacts"]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("belongs to another store ([folder]/two.db)"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--artifacts"), "{}", refused.stderr);
    let refused = place.run(&["sweep", "one.toml", "--store", "one.db", "--artifacts", "two.artifacts"]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    place.succeed(&["store", "check", "--store", "two.db"]);
}

#[test]
fn cleaning_one_store_does_not_affect_another() {
    let (place, mut sweep) = start_until_joint_training(&one_long_trial());
    place.write("other.toml", &TINY.replace("\"tiny\"", "\"other\""));
    place.succeed(&["sweep", "other.toml", "--store", "other.db", "--no-report"]);
    place.succeed(&["sweep", "other.toml", "--store", "other.db", "--no-report", "--set", "joint.epochs=1"]);
    let output = place.succeed(&["gc", "--store", "other.db"]).stdout;
    assert!(output.contains("artifact that no sweep needs"), "{output}");
    assert_eq!(sweep.end(), 0, "{}", sweep.output());
    place.succeed(&["store", "check"]);
}

#[test]
fn files_unknown_to_the_store_are_kept() {
    let place = two_stores();
    let key = "0123456789abcdef".repeat(4);
    let names = [
        "notes.txt",
        "joint/notes.txt",
        &format!("joint/{key}/selected.safetensors"),
        &format!("partial/{key}/1/last.safetensors"),
        "tmp/mine/file",
        "my folder/file",
    ];
    let paths = names.map(|name| place.write(&format!("one.artifacts/{name}"), "mine"));
    place.succeed(&["sweep", "one.toml", "--store", "one.db", "--no-report", "--set", "joint.epochs=1"]);
    let output = place.succeed(&["gc", "--store", "one.db"]).stdout;
    assert!(!output.starts_with("0 items"), "{output}");
    assert!(paths.iter().all(|path| path.is_file()), "{output}");
}

#[test]
fn a_store_can_be_moved_or_copied_with_its_folder() {
    let place = two_stores();
    std::fs::rename(place.path("one.db"), place.path("moved.db")).expect("moved");
    std::fs::rename(place.path("one.artifacts"), place.path("moved.artifacts")).expect("moved");
    std::fs::create_dir(place.path("elsewhere")).expect("created");
    std::fs::copy(place.path("two.db"), place.path("elsewhere/two.db")).expect("copied");
    copy(&place.path("two.artifacts"), &place.path("elsewhere/two.artifacts"));
    for (store, file) in [("moved.db", "one.toml"), ("elsewhere/two.db", "two.toml"), ("two.db", "two.toml")] {
        let attempts = || query(&place.path(store), "SELECT COUNT(*) FROM attempt");
        let before = attempts();
        place.succeed(&["sweep", file, "--store", store, "--no-report"]);
        assert_eq!(attempts(), before, "{store}: nothing is computed again");
        assert!(place.succeed(&["gc", "--store", store]).stdout.starts_with("0 items"));
    }
    // A store that is renamed without its folder finds it through --artifacts.
    std::fs::rename(place.path("moved.db"), place.path("renamed.db")).expect("moved");
    place.succeed(&["gc", "--store", "renamed.db", "--artifacts", "moved.artifacts"]);
}

#[test]
fn a_new_store_of_the_same_name_keeps_the_folder() {
    let place = two_stores();
    let before = digests_of(&place, "one.artifacts");
    std::fs::remove_file(place.path("one.db")).expect("removed");
    place.succeed(&["sweep", "one.toml", "--store", "one.db", "--no-report"]);
    place.succeed(&["gc", "--store", "one.db"]);
    assert_eq!(digests_of(&place, "one.artifacts"), before);
}

/// Returns the digest of every published file of a folder, by path.
fn digests_of(place: &Workplace, folder: &str) -> Vec<(String, String)> {
    let root = place.path(folder);
    let entries =
        walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().map(|entry| entry.expect("can be listed"));
    let files = entries.filter(|entry| entry.file_type().is_file()).map(|entry| {
        let below = entry.path().strip_prefix(&root).expect("below").display().to_string();
        (below, blake3::hash(&std::fs::read(entry.path()).expect("readable")).to_string())
    });
    files.filter(|(path, _)| !path.starts_with("logs") && path != "store.json").collect()
}

#[test]
fn a_copy_does_not_clean_the_folder_of_the_original() {
    let place = two_stores();
    std::fs::copy(place.path("one.db"), place.path("copy.db")).expect("copied");
    let arguments = ["gc", "--store", "copy.db", "--artifacts", "one.artifacts"];
    let refused = place.run(&arguments);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("belongs to [folder]/one.db, the store from which [folder]/copy.db was copied"),
        "{}",
        refused.stderr
    );
    // Reading is allowed.
    let status = |store: &str| place.succeed(&["status", "--store", store]).stdout;
    assert_eq!(status("copy.db"), status("one.db"));
    // When the original no longer exists, the copy owns the folder.
    std::fs::remove_file(place.path("one.db")).expect("removed");
    place.succeed(&arguments);
}
