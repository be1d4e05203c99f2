//! What stands in a folder of results: ours, changed, someone else's, links, and what a killed process left.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Foreign, OutputError, OutputFolder};

const OF: &str = "report of sweep a";

fn files(names: &[&str], text: &str) -> Vec<(String, Vec<u8>)> {
    names.iter().map(|name| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

/// As a report is written.
fn write(root: &Path, of: &str, names: &[&str], text: &str, foreign: Foreign) -> Result<Vec<String>, OutputError> {
    let aside = OutputFolder::open(root, of).update(&files(names, text), foreign)?;
    Ok(aside.map(|aside| aside.files).unwrap_or_default())
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(path).expect("readable")
}

fn refused(result: Result<Vec<String>, OutputError>) -> Vec<String> {
    match result {
        Err(OutputError::NotOurs { files, .. }) => files,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn only_what_was_written_here_is_replaced_and_removed() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| root.path().join(name);
    fs::write(at("loss-mine.png"), "precious").expect("written");
    write(root.path(), OF, &["loss-a.png", "tables/old.csv", "index.html"], "1", Foreign::Refuse).expect("written");
    let aside = write(root.path(), OF, &["tables/new.csv", "index.html"], "2", Foreign::Refuse).expect("written");
    assert_eq!(aside, [""; 0]);
    assert_eq!((read(at("index.html")), read(at("tables/new.csv"))), ("2".to_owned(), "2".to_owned()));
    assert!(!at("loss-a.png").exists() && !at("tables/old.csv").exists());
    assert_eq!(read(at("loss-mine.png")), "precious");
    // Three names that did not come from here: nothing at all is changed.
    fs::write(at("report.md"), "precious").expect("written");
    fs::create_dir(at("report.json")).expect("created");
    let names = ["report.md", "report.json", "index.html"];
    assert_eq!(refused(write(root.path(), OF, &names, "3", Foreign::Refuse)), ["report.json", "report.md"]);
    assert_eq!((read(at("index.html")), read(at("report.md"))), ("2".to_owned(), "precious".to_owned()));
    assert!(at("tables/new.csv").exists());
    let error = OutputFolder::open(root.path(), OF).look(&names).expect_err("in the way").to_string();
    assert!(error.contains("report.json, report.md;") && error.contains("--force"), "{error}");

    let aside = write(root.path(), OF, &names, "3", Foreign::SetAside).expect("written");
    assert_eq!(aside, ["report.json", "report.md"]);
    assert_eq!((read(at("report.md")), read(at("replaced/report.md"))), ("3".to_owned(), "precious".to_owned()));
    assert!(at("replaced/report.json").is_dir());
}

#[test]
fn what_someone_has_changed_is_kept() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| root.path().join(name);
    write(root.path(), OF, &["tables/a.csv", "tables/b.csv"], "1", Foreign::Refuse).expect("written");
    fs::write(at("tables/a.csv"), "changed").expect("written");
    fs::write(at("tables/b.csv"), "changed").expect("written");
    let aside = write(root.path(), OF, &["tables/a.csv"], "2", Foreign::Refuse).expect("written");
    assert_eq!(aside, ["tables/a.csv"]);
    assert_eq!((read(at("tables/a.csv")), read(at("replaced/tables/a.csv"))), ("2".to_owned(), "changed".to_owned()));
    assert_eq!(read(at("tables/b.csv")), "changed", "it is no part of the newer one, and stays");
    // It is theirs from now on.
    assert_eq!(refused(write(root.path(), OF, &["tables/b.csv"], "3", Foreign::Refuse)), ["tables/b.csv"]);
    fs::write(at("tables/a.csv"), "again").expect("written");
    write(root.path(), OF, &["tables/a.csv"], "3", Foreign::Refuse).expect("written");
    assert_eq!(read(at("replaced-2/tables/a.csv")), "again");
    assert_eq!(read(at("replaced/tables/a.csv")), "changed");
}

#[test]
fn the_files_of_another_sweep_are_not_replaced() {
    let root = tempfile::tempdir().expect("a temporary folder");
    write(root.path(), OF, &["index.html", "a.png"], "a", Foreign::Refuse).expect("written");
    let other = "report of sweep b";
    let told = refused(write(root.path(), other, &["index.html"], "b", Foreign::Refuse));
    assert_eq!(told, ["index.html (report of sweep a)"]);
    write(root.path(), other, &["index.html"], "b", Foreign::SetAside).expect("written");
    assert_eq!(read(root.path().join("replaced/index.html")), "a");
    assert_eq!(read(root.path().join("a.png")), "a");
}

#[test]
#[cfg(unix)]
fn links_are_not_followed_out_of_the_folder() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let (root, elsewhere) = (place.path().join("paper"), place.path().join("elsewhere"));
    fs::create_dir_all(&root).expect("created");
    fs::create_dir_all(&elsewhere).expect("created");
    fs::write(elsewhere.join("a.csv"), "precious").expect("written");
    std::os::unix::fs::symlink(&elsewhere, root.join("tables")).expect("linked");
    std::os::unix::fs::symlink(elsewhere.join("a.csv"), root.join("index.html")).expect("linked");
    std::os::unix::fs::symlink(place.path().join("nowhere"), root.join("report.md")).expect("linked");
    let names = ["tables/a.csv", "index.html", "report.md"];
    assert_eq!(refused(write(&root, OF, &names, "1", Foreign::Refuse)), ["index.html", "report.md", "tables"]);
    write(&root, OF, &names, "1", Foreign::SetAside).expect("written");
    assert_eq!(read(elsewhere.join("a.csv")), "precious");
    assert!(!place.path().join("nowhere").exists());
    assert!(root.join("replaced/tables").is_symlink() && root.join("tables").is_dir());

    // A list of files that someone made up leads nowhere, either.
    let line =
        |file: &str| format!("{{\"file\":\"{file}\",\"blake3\":\"{}\",\"of\":\"{OF}\"}}\n", blake3::hash(b"precious"));
    let absolute = elsewhere.join("a.csv");
    fs::write(root.join(super::manifest::NAME), line("../elsewhere/a.csv") + &line(&absolute.display().to_string()))
        .expect("written");
    write(&root, OF, &["b"], "1", Foreign::Refuse).expect("written");
    assert_eq!(read(absolute), "precious");
}

#[test]
fn a_process_that_was_killed_between_its_account_and_its_files_is_followed_by_another() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| root.path().join(name);
    write(root.path(), OF, &["a.png", "b.png"], "1", Foreign::Refuse).expect("written");
    // The newer digests are listed, one of the two files is there.
    let killed = OutputFolder::open(root.path(), OF);
    killed.update(&files(&["a.png", "b.png"], "2"), Foreign::Refuse).expect("written");
    let line = format!("{{\"file\":\"b.png\",\"blake3\":\"{}\",\"of\":\"{OF}\"}}\n", blake3::hash(b"1"));
    let known = read(at(super::manifest::NAME));
    fs::write(at(super::manifest::NAME), known + &line).expect("written");
    fs::write(at("b.png"), "1").expect("written");
    let torn = fs::OpenOptions::new().append(true).open(at(super::manifest::NAME));
    std::io::Write::write_all(&mut torn.expect("opens"), b"{\"file\":\"c").expect("written");
    assert_eq!(write(root.path(), OF, &["a.png"], "3", Foreign::Refuse).expect("written"), [""; 0]);
    assert!(read(at("a.png")) == "3" && !at("b.png").exists());
    let listed = read(at(super::manifest::NAME));
    assert_eq!(listed.matches("\"file\"").count(), 1, "{listed}");
}

#[test]
fn an_empty_file_holds_nothing_and_a_file_is_no_folder() {
    let root = tempfile::tempdir().expect("a temporary folder");
    fs::write(root.path().join("a.csv"), "").expect("written");
    write(root.path(), OF, &["a.csv"], "1", Foreign::Refuse).expect("written");
    let error = write(&root.path().join("a.csv"), OF, &["b"], "1", Foreign::Refuse).expect_err("a file");
    assert!(matches!(error, OutputError::Write { .. }), "{error}");
    assert_eq!(read(root.path().join("a.csv")), "1");
}
