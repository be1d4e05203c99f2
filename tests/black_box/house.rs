//! Rules for all of `src/`: rooms import only from rooms below them (table in `src/lib.rs`); error messages contain their causes.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// Returns the rooms in the order of the table, from top to bottom.
fn rooms(library: &str) -> Vec<&str> {
    fn named(line: &str) -> Option<&str> {
        line.strip_prefix("//! | [`").or_else(|| line.strip_prefix("//! | `"))
    }
    library.lines().filter_map(|line| named(line)?.split_once('`')).map(|(room, _)| room).collect()
}

/// Returns the names after `crate::` in a source text. Names in groups are not needed, because every path names its room first.
fn imported(source: &str) -> impl Iterator<Item = &str> {
    source.split("crate::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
        // `use crate::{analysis, export};`
        Some(group) => group.split('}').next().unwrap_or_default().split(',').map(str::trim).collect::<Vec<_>>(),
        None => vec![rest],
    })
}

/// Returns the identifier at the start of a text.
fn first_name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// Returns every source file: its path below the sources and its text.
fn source_files(sources: &Path) -> impl Iterator<Item = (PathBuf, String)> {
    let entries = WalkDir::new(sources).into_iter().map(|entry| entry.expect("a readable tree"));
    entries.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "rs")).map(move |entry| {
        let path = entry.path().strip_prefix(sources).expect("below the sources").to_owned();
        (path, fs::read_to_string(entry.path()).expect("a source file"))
    })
}

/// Returns the `thiserror` messages of a source text, each with the fields that follow it.
fn messages(source: &str) -> impl Iterator<Item = (&str, &str)> {
    source.split("#[error(").skip(1).filter_map(|rest| rest.split_once(")]\n")).map(|(message, fields)| {
        let variant = fields.split("\n    ///").next().unwrap_or(fields);
        (message, variant.split("\n}").next().unwrap_or(variant))
    })
}

/// Returns the cause that a variant stores: the name of its field, or `0`.
fn cause(fields: &str) -> Option<&str> {
    let marked = ["#[source]", "#[from]"].iter().find_map(|mark| fields.split_once(mark)).map(|(_, rest)| rest.trim());
    match marked {
        Some(rest) => Some(first_name(rest)).filter(|name| rest[name.len()..].starts_with(": ")).or(Some("0")),
        None => fields.contains(" source: ").then_some("source"),
    }
}

#[test]
fn every_error_message_contains_its_cause() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut causes, mut missing) = (0, Vec::new());
    for (path, source) in source_files(&sources) {
        for (message, fields) in messages(&source) {
            let Some(cause) = cause(fields) else { continue };
            causes += 1;
            // Patterns: `{source}`, `{}", source.msg`, `{0}`, `.0.to_string()`, that is in braces or after the text.
            let patterns = [format!("{{{cause}"), format!(", {cause}"), format!(".{cause}")];
            if message != "transparent" && !patterns.iter().any(|pattern| message.contains(pattern)) {
                missing.push(format!("{}: {message}", path.display()));
            }
        }
    }
    assert!(causes > 40, "only {causes} causes were found");
    assert!(missing.is_empty(), "messages without their causes: {missing:#?}");
}

#[test]
fn every_room_imports_only_from_rooms_below_it() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let library = fs::read_to_string(sources.join("lib.rs")).expect("the library");
    let rooms = rooms(&library);
    let declared: Vec<&str> = library
        .lines()
        .filter_map(|l| l.strip_prefix("pub ").unwrap_or(l).strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    assert!(declared.len() > 20 && declared.iter().all(|room| rooms.contains(room)), "a room is not in the table");
    let floor = |name: &str| rooms.iter().position(|room| *room == name);
    let mut upwards = Vec::new();
    for (path, source) in source_files(&sources) {
        let room = path.components().next().map(|part| part.as_os_str().to_string_lossy().replace(".rs", ""));
        let Some(own) = room.as_deref().and_then(floor) else { continue };
        let others = imported(&source).filter_map(|path| floor(first_name(path)));
        upwards
            .extend(others.filter(|other| *other < own).map(|other| format!("{} → {}", path.display(), rooms[other])));
    }
    assert!(upwards.is_empty(), "imports run up: {upwards:#?}");
}
