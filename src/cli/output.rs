//! Writes results to standard output. A closed pipe is not an error; a full disk is one.

use std::io::{ErrorKind, Write};

use serde::Serialize;

use super::failure::Failure;
use crate::cause::Context;
use crate::outputs::MovedAside;
use crate::terminal::say;
pub(super) use crate::text::table;

/// Writes a text and a line end to standard output.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(write_failure("standard output", error)),
        _ => Ok(()),
    }
}

/// Prints where a complete result is, or what it says. If this fails, it only warns, because the result exists.
pub(super) fn print_location(text: &str) {
    if let Err(failure) = print(text) {
        say(&format!("warning: {failure}"));
    }
}

/// Creates the failure for output that could not be written completely.
pub(super) fn write_failure(to: &str, error: std::io::Error) -> Failure {
    Context::new(format!("cannot write {to}"), error).into()
}

/// Writes a value to standard output as JSON.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Context::new("cannot write JSON", error))?;
    print(&text)
}

/// Says which files were moved aside.
pub(super) fn announce_moved_files(moved: &MovedAside) {
    let (count, folder) = (moved.files.len(), moved.folder.display());
    say(&match moved.files.as_slice() {
        [file] => format!("moved {file} to {folder}: its content is not what this command wrote"),
        _ => format!("moved {count} files to {folder}: their content is not what this command wrote"),
    });
}

/// Formats a size in powers of a thousand: "1.5 GB".
pub(super) fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes / unit),
        None => format!("{bytes:.0} B"),
    }
}
