//! Reads pieces of a file that may be too large, or is too untrusted, to load into memory at once.

use std::io::{Read, Seek, SeekFrom};

use crate::cause::Cause;

/// Input that a weight file is read from.
pub(super) trait Input: Read + Seek {}

impl<T: Read + Seek> Input for T {}

/// Reads `count` bytes from a position. The caller has checked that the file holds them.
pub(super) fn bytes_at(input: &mut dyn Input, at: u64, count: usize) -> Result<Vec<u8>, Cause> {
    let mut bytes = vec![0; count];
    input.seek(SeekFrom::Start(at)).and_then(|_| input.read_exact(&mut bytes))?;
    Ok(bytes)
}

/// Computes the CRC-32 (as in zip archives) of a piece, reading through a small buffer.
pub(super) fn checksum(input: &mut dyn Input, at: u64, count: u64) -> Result<u32, Cause> {
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = [0; 1 << 14];
    let mut remaining = count;
    input.seek(SeekFrom::Start(at))?;
    while remaining > 0 {
        let part = &mut buffer[..remaining.min(1 << 14) as usize];
        input.read_exact(part)?;
        hasher.update(part);
        remaining -= part.len() as u64;
    }
    Ok(hasher.finalize())
}

/// Decodes a little-endian number of up to eight bytes.
pub(super) fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// Returns a name for messages: without control characters, at most one line long.
pub(super) fn printable(name: &str) -> String {
    let clean: String = name.chars().take(80).flat_map(char::escape_debug).collect();
    match name.chars().nth(80) {
        None => clean,
        Some(_) => clean + "…",
    }
}
