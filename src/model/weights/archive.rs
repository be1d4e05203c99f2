//! Reads the directory of a zip archive that `torch.save` wrote: stored entries, with or without zip64.
//!
//! The crate `zip` keeps every entry, and every position that looks like a header, in memory. That memory grows with an untrusted file.
//! This module reads a directory of uncompressed entries within a budget instead.

use std::collections::HashMap;
use std::io::{Read, SeekFrom};

use super::budget;
use super::input::{Input, bytes_at, checksum, number, printable};
use crate::cause::{Cause, Context};

const END: &[u8] = b"PK\x05\x06";
const END64: &[u8] = b"PK\x06\x06";
const LOCATOR64: &[u8] = b"PK\x06\x07";
const CENTRAL: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";

/// Bytes of the end record without its comment.
const END_BYTES: u64 = 22;
/// Largest number of bytes of the comment.
const COMMENT_BYTES: u64 = u16::MAX as u64;

/// Entries of an archive.
pub(super) struct Archive {
    entries: HashMap<String, Entry>,
    /// First byte of the directory. All entries are stored before it.
    directory: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    header: u64,
    compressed_size: u64,
    size: u64,
    checksum: u32,
    method: u16,
    encrypted: bool,
}

/// Location of an entry's contents in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct EntryLocation {
    pub(super) start: u64,
    pub(super) size: u64,
    pub(super) checksum: u32,
}

/// Location of the directory.
struct Extent {
    start: u64,
    end: u64,
    entries: u64,
}

impl Archive {
    /// Reads the directory.
    pub(super) fn open(input: &mut dyn Input, length: u64) -> Result<Self, Cause> {
        let extent = find_end(input, length)?;
        if extent.entries > budget::ENTRIES {
            return Err(format!(
                "its archive has {} entries; didact reads at most {}",
                extent.entries,
                budget::ENTRIES
            )
            .into());
        }
        let mut entries = HashMap::new();
        input.seek(SeekFrom::Start(extent.start))?;
        let mut directory = input.take(extent.end - extent.start);
        for _ in 0..extent.entries {
            let (name, entry) = next_entry(&mut directory)?;
            if name.len() <= budget::NAME_BYTES && entries.insert(name.clone(), entry).is_some() {
                return Err(format!("its archive has two entries named `{}`", printable(&name)).into());
            }
        }
        Ok(Self { entries, directory: extent.start })
    }

    /// Returns the names of all entries.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Returns whether an entry exists.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Returns the location of an entry's contents.
    pub(super) fn locate(&self, input: &mut dyn Input, name: &str) -> Result<EntryLocation, Cause> {
        let Some(entry) = self.entries.get(name) else {
            return Err(format!("its archive has no entry `{name}`").into());
        };
        if entry.encrypted {
            return Err(format!("entry `{name}` is encrypted: save the weights without encryption").into());
        }
        if entry.method != 0 || entry.compressed_size != entry.size {
            return Err(format!(
                "entry `{name}` is compressed, which torch.save never does: load the file in PyTorch and save it again"
            )
            .into());
        }
        let beyond = || Cause::from(format!("entry `{name}` extends beyond its archive: the file is damaged"));
        let last_header = self.directory.checked_sub(30).ok_or_else(beyond)?;
        if entry.header > last_header {
            return Err(beyond());
        }
        let header = bytes_at(input, entry.header, 30)?;
        if !header.starts_with(LOCAL) {
            return Err(format!(
                "entry `{name}` is not at the position in the archive's directory: the file is damaged"
            )
            .into());
        }
        // This sum cannot overflow: it is at most 2 · 65,535 bytes after a position within the file.
        let start = entry.header + 30 + number(&header[26..28]) + number(&header[28..30]);
        match start.checked_add(entry.size) {
            Some(end) if end <= self.directory => {
                Ok(EntryLocation { start, size: entry.size, checksum: entry.checksum })
            }
            _ => Err(beyond()),
        }
    }

    /// Reads an entry of at most `limit` bytes and verifies its checksum.
    pub(super) fn read(&self, input: &mut dyn Input, name: &str, limit: u64) -> Result<Vec<u8>, Cause> {
        let location = self.locate(input, name)?;
        if location.size > limit {
            return Err(format!("entry `{name}` has {} bytes; didact reads at most {limit}", location.size).into());
        }
        location.verify(input, &format!("entry `{name}`"))?;
        bytes_at(input, location.start, location.size as usize)
    }
}

impl EntryLocation {
    /// Compares the contents with their checksum. An error calls them `what`.
    pub(super) fn verify(&self, input: &mut dyn Input, what: &str) -> Result<(), Cause> {
        if checksum(input, self.start, self.size)? == self.checksum {
            return Ok(());
        }
        Err(format!("the checksum of {what} is wrong: the file is damaged, or was saved without checksums").into())
    }
}

/// Finds the directory. The end record is the last record of the file, and only a comment follows it. The end record of zip64 comes before.
fn find_end(input: &mut dyn Input, length: u64) -> Result<Extent, Cause> {
    let truncated = || Cause::from("its archive has no directory: the file is truncated or damaged");
    let tail = length.min(END_BYTES + COMMENT_BYTES);
    let bytes = bytes_at(input, length - tail, tail as usize)?;
    let fits = |at: &usize| {
        let record = &bytes[*at..];
        record.starts_with(END) && record.len() as u64 == END_BYTES + number(&record[20..22])
    };
    let last = bytes.len().checked_sub(END_BYTES as usize).ok_or_else(truncated)?;
    let at = (0..=last).rev().find(fits).ok_or_else(truncated)?;
    let record = &bytes[at..];
    let end = length - tail + at as u64;
    let locator = end.checked_sub(20).map(|at| bytes_at(input, at, 20)).transpose()?;
    let (entries, size, start, limit) = match locator.filter(|locator| locator.starts_with(LOCATOR64)) {
        None => (number(&record[10..12]), number(&record[12..16]), number(&record[16..20]), end),
        Some(locator) => {
            let at = number(&locator[8..16]);
            if at.checked_add(56).is_none_or(|after| after > end) {
                return Err(truncated());
            }
            let record = bytes_at(input, at, 56)?;
            if !record.starts_with(END64) {
                return Err(truncated());
            }
            (number(&record[32..40]), number(&record[40..48]), number(&record[48..56]), at)
        }
    };
    match start.checked_add(size) {
        Some(end) if end <= limit => Ok(Extent { start, end, entries }),
        _ => Err(truncated()),
    }
}

/// Reads the next entry of the directory.
fn next_entry(directory: &mut impl Read) -> Result<(String, Entry), Cause> {
    const DAMAGED: &str = "its archive's directory is damaged";
    let damaged = |error: std::io::Error| Context::new(DAMAGED, error);
    let mut head = [0; 46];
    directory.read_exact(&mut head).map_err(damaged)?;
    if !head.starts_with(CENTRAL) {
        return Err(DAMAGED.into());
    }
    let field = |at: usize, bytes: usize| number(&head[at..at + bytes]);
    let mut part = |at: usize| {
        // Each part has at most 65,535 bytes.
        let mut bytes = vec![0; number(&head[at..at + 2]) as usize];
        directory.read_exact(&mut bytes).map(|()| bytes).map_err(damaged)
    };
    let (name, extra, _comment) = (part(28)?, part(30)?, part(32)?);
    let (mut compressed_size, mut size, mut header) = (field(20, 4), field(24, 4), field(42, 4));
    let mut wide = zip64(&extra).chunks_exact(8).map(number);
    for short in [&mut size, &mut compressed_size, &mut header] {
        if *short == u64::from(u32::MAX) {
            *short = wide.next().ok_or(DAMAGED)?;
        }
    }
    let entry = Entry {
        header,
        compressed_size,
        size,
        checksum: field(16, 4) as u32,
        method: field(10, 2) as u16,
        encrypted: field(8, 2) & 1 == 1,
    };
    Ok((String::from_utf8_lossy(&name).into_owned(), entry))
}

/// Returns the extra field of zip64: sizes and positions of eight bytes each.
fn zip64(mut extra: &[u8]) -> &[u8] {
    while let [a, b, c, d, rest @ ..] = extra {
        let size = usize::from(u16::from_le_bytes([*c, *d])).min(rest.len());
        if u16::from_le_bytes([*a, *b]) == 1 {
            return &rest[..size];
        }
        extra = &rest[size..];
    }
    &[]
}
