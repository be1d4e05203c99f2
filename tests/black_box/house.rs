//! The rooms of `src/` import downwards only, in the order of the table in `src/lib.rs`.

use std::fs;
use std::path::Path;

use walkdir::WalkDir;

/// The rooms in the order of the table, from the top down.
fn rooms(library: &str) -> Vec<&str> {
    fn named(line: &str) -> Option<&str> {
        line.strip_prefix("//! | [`").or_else(|| line.strip_prefix("//! | `"))
    }
    library.lines().filter_map(|line| named(line)?.split_once('`')).map(|(room, _)| room).collect()
}

/// The names that follow `crate::` in a source text: those of a group are not needed, for every path names its room first.
fn imported(source: &str) -> impl Iterator<Item = &str> {
    source.split("crate::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
        // `use crate::{analysis, export};`
        Some(group) => group.split('}').next().unwrap_or_default().split(',').map(str::trim).collect::<Vec<_>>(),
        None => vec![rest],
    })
}

/// The identifier that a text starts with.
fn first_name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

#[test]
fn every_room_imports_from_rooms_below_it_only() {
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
    for entry in WalkDir::new(&sources).into_iter().map(|entry| entry.expect("a readable tree")) {
        let path = entry.path().strip_prefix(&sources).expect("below the sources").to_owned();
        let room = path.components().next().map(|part| part.as_os_str().to_string_lossy().replace(".rs", ""));
        let Some(own) = room.as_deref().and_then(floor).filter(|_| entry.file_type().is_file()) else { continue };
        let source = fs::read_to_string(entry.path()).expect("a source file");
        let others = imported(&source).filter_map(|path| floor(first_name(path)));
        upwards
            .extend(others.filter(|other| *other < own).map(|other| format!("{} → {}", path.display(), rooms[other])));
    }
    assert!(upwards.is_empty(), "imports run up: {upwards:#?}");
}
