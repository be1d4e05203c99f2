//! Tests of output folders: own, changed and foreign files, links, and the remains of a killed process.

use std::fs;
use std::path::{Path, PathBuf};

use super::{ForeignFiles, OutputError, OutputFolder};

const OUTPUT: &str = "report of sweep a";

fn files(names: &[&str], text: &str) -> Vec<(String, Vec<u8>)> {
    names.iter().map(|name| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

/// Writes files as a report does.
fn write(root: &Path, of: &str, names: &[&str], text: &str, foreign: ForeignFiles) -> Result<Vec<String>, OutputError> {
    let aside = OutputFolder::open(root, of).update(&files(names, text), foreign)?;
    Ok(aside.map(|aside| aside.files).unwrap_or_default())
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(path).expect("readable")
}

fn refused(result: Result<Vec<String>, OutputError>) -> Vec<String> {
    match result {
        Err(OutputError::ForeignFiles { files, .. }) => files,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn only_files_of_this_output_are_replaced_and_removed() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| root.path().join(name);
    fs::write(at("loss-mine.png"), "precious").expect("written");
    write(root.path(), OUTPUT, &["loss-a.png", "tables/old.csv", "index.html"], "1", ForeignFiles::Refuse)
        .expect("written");
    let aside =
        write(root.path(), OUTPUT, &["tables/new.csv", "index.html"], "2", ForeignFiles::Refuse).expect("written");
    assert_eq!(aside, [""; 0]);
    assert_eq!((read(at("index.html")), read(at("tables/new.csv"))), ("2".to_owned(), "2".to_owned()));
    assert!(!at("loss-a.png").exists() && !at("tables/old.csv").exists());
    assert_eq!(read(at("loss-mine.png")), "precious");
    // Two foreign files among three names: nothing is changed.
    fs::write(at("report.md"), "precious").expect("written");
    fs::create_dir(at("report.json")).expect("created");
    let names = ["report.md", "report.json", "index.html"];
    assert_eq!(refused(write(root.path(), OUTPUT, &names, "3", ForeignFiles::Refuse)), ["report.json", "report.md"]);
    assert_eq!((read(at("index.html")), read(at("report.md"))), ("2".to_owned(), "precious".to_owned()));
    assert!(at("tables/new.csv").exists());
    let error = OutputFolder::open(root.path(), OUTPUT).check(&names).expect_err("foreign files").to_string();
    assert!(error.contains("report.json, report.md;") && error.contains("--force"), "{error}");

    let aside = write(root.path(), OUTPUT, &names, "3", ForeignFiles::MoveAside).expect("written");
    assert_eq!(aside, ["report.json", "report.md"]);
    assert_eq!((read(at("report.md")), read(at("replaced/report.md"))), ("3".to_owned(), "precious".to_owned()));
    assert!(at("replaced/report.json").is_dir());
}

#[test]
fn files_that_somebody_changed_are_kept() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| root.path().join(name);
    write(root.path(), OUTPUT, &["tables/a.csv", "tables/b.csv"], "1", ForeignFiles::Refuse).expect("written");
    fs::write(at("tables/a.csv"), "changed").expect("written");
    fs::write(at("tables/b.csv"), "changed").expect("written");
    let aside = write(root.path(), OUTPUT, &["tables/a.csv"], "2", ForeignFiles::Refuse).expect("written");
    assert_eq!(aside, ["tables/a.csv"]);
    assert_eq!((read(at("tables/a.csv")), read(at("replaced/tables/a.csv"))), ("2".to_owned(), "changed".to_owned()));
    assert_eq!(read(at("tables/b.csv")), "changed", "it is not part of the new output, and remains");
    // The changed file now counts as foreign.
    assert_eq!(refused(write(root.path(), OUTPUT, &["tables/b.csv"], "3", ForeignFiles::Refuse)), ["tables/b.csv"]);
    fs::write(at("tables/a.csv"), "again").expect("written");
    write(root.path(), OUTPUT, &["tables/a.csv"], "3", ForeignFiles::Refuse).expect("written");
    assert_eq!(read(at("replaced-2/tables/a.csv")), "again");
    assert_eq!(read(at("replaced/tables/a.csv")), "changed");
}

#[test]
fn the_files_of_another_sweep_are_not_replaced() {
    let root = tempfile::tempdir().expect("a temporary folder");
    write(root.path(), OUTPUT, &["index.html", "a.png"], "a", ForeignFiles::Refuse).expect("written");
    let other = "report of sweep b";
    let files = refused(write(root.path(), other, &["index.html"], "b", ForeignFiles::Refuse));
    assert_eq!(files, ["index.html (report of sweep a)"]);
    write(root.path(), other, &["index.html"], "b", ForeignFiles::MoveAside).expect("written");
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
    assert_eq!(refused(write(&root, OUTPUT, &names, "1", ForeignFiles::Refuse)), ["index.html", "report.md", "tables"]);
    write(&root, OUTPUT, &names, "1", ForeignFiles::MoveAside).expect("written");
    assert_eq!(read(elsewhere.join("a.csv")), "precious");
    assert!(!place.path().join("nowhere").exists());
    assert!(root.join("replaced/tables").is_symlink() && root.join("tables").is_dir());

    // A forged manifest does not lead out of the folder, either.
    let line = |file: &str| {
        format!("{{\"file\":\"{file}\",\"blake3\":\"{}\",\"of\":\"{OUTPUT}\"}}\n", blake3::hash(b"precious"))
    };
    let absolute = elsewhere.join("a.csv");
    fs::write(root.join(super::manifest::NAME), line("../elsewhere/a.csv") + &line(&absolute.display().to_string()))
        .expect("written");
    write(&root, OUTPUT, &["b"], "1", ForeignFiles::Refuse).expect("written");
    assert_eq!(read(absolute), "precious");
}

#[test]
fn a_process_killed_between_manifest_and_files_leaves_a_folder_that_works() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| root.path().join(name);
    write(root.path(), OUTPUT, &["a.png", "b.png"], "1", ForeignFiles::Refuse).expect("written");
    // The manifest contains the new digests, but only one of the two files is new.
    let killed = OutputFolder::open(root.path(), OUTPUT);
    killed.update(&files(&["a.png", "b.png"], "2"), ForeignFiles::Refuse).expect("written");
    let line = format!("{{\"file\":\"b.png\",\"blake3\":\"{}\",\"of\":\"{OUTPUT}\"}}\n", blake3::hash(b"1"));
    let known = read(at(super::manifest::NAME));
    fs::write(at(super::manifest::NAME), known + &line).expect("written");
    fs::write(at("b.png"), "1").expect("written");
    let manifest = fs::OpenOptions::new().append(true).open(at(super::manifest::NAME));
    std::io::Write::write_all(&mut manifest.expect("opens"), b"{\"file\":\"c").expect("written");
    assert_eq!(write(root.path(), OUTPUT, &["a.png"], "3", ForeignFiles::Refuse).expect("written"), [""; 0]);
    assert!(read(at("a.png")) == "3" && !at("b.png").exists());
    let listed = read(at(super::manifest::NAME));
    assert_eq!(listed.matches("\"file\"").count(), 1, "{listed}");
}

#[test]
fn an_empty_file_is_replaced_and_a_file_is_not_a_folder() {
    let root = tempfile::tempdir().expect("a temporary folder");
    fs::write(root.path().join("a.csv"), "").expect("written");
    write(root.path(), OUTPUT, &["a.csv"], "1", ForeignFiles::Refuse).expect("written");
    let error = write(&root.path().join("a.csv"), OUTPUT, &["b"], "1", ForeignFiles::Refuse).expect_err("a file");
    assert!(matches!(error, OutputError::Write { .. }), "{error}");
    assert_eq!(read(root.path().join("a.csv")), "1");
}
