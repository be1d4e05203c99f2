//! Results on standard output. A reader that has gone is no error and changes no exit code; a disk that is full is one.

use std::io::{ErrorKind, Write};

use serde::Serialize;

use super::failure::Failure;
use crate::cause::Context;
use crate::outputs::MovedAside;
use crate::terminal::say;

/// Writes text and a line end.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(unwritten("standard output", error)),
        _ => Ok(()),
    }
}

/// Tells on standard output where a result lies that is whole already: that this cannot be written is worth a warning, no more.
pub(super) fn notice(text: &str) {
    if let Err(failure) = print(text) {
        say(&format!("warning: {failure}"));
    }
}

/// What is written there is not whole.
pub(super) fn unwritten(to: &str, error: std::io::Error) -> Failure {
    Context::new(format!("cannot write {to}"), error).into()
}

/// Writes a value as JSON.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Context::new("cannot write JSON", error))?;
    print(&text)
}

/// Tells of files that had to make room.
pub(super) fn tell_aside(aside: &MovedAside) {
    let (count, folder) = (aside.files.len(), aside.folder.display());
    say(&match aside.files.as_slice() {
        [one] => format!("moved {one} to {folder}: it was not as this command had written it"),
        _ => format!("moved {count} files to {folder}: they were not as this command had written them"),
    });
}

/// "45 s", "12 min", "3 h 20 min".
pub(super) use crate::schedule::format_duration;

/// "1.5 GB": powers of a thousand, as disks are sold.
pub(super) fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes / unit),
        None => format!("{bytes:.0} B"),
    }
}

/// A table with columns as wide as they need to be.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    std::iter::once(line(&mut head.iter().copied()))
        .chain(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))))
        .collect::<Vec<_>>()
        .join("\n")
}
