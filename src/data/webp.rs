//! Checks by the lengths of its chunks whether a WebP is complete, because the decoder does not compare them with the file's length.

use std::io::{Read, Seek, SeekFrom};

use crate::cause::Cause;

/// Checks that every chunk is within the file and that the file is as long as its header says. Bytes after that belong to no image.
pub(super) fn check(file: &mut (impl Read + Seek), length: u64) -> Result<(), Cause> {
    let truncated = || Cause::from("it ends early: a chunk is longer than the rest of the file");
    let read = |file: &mut dyn Read| -> Result<u64, Cause> {
        let mut head = [0; 8];
        file.read_exact(&mut head).map_err(|_| truncated())?;
        let [.., a, b, c, d] = head;
        Ok(u64::from(u32::from_le_bytes([a, b, c, d])))
    };
    let end = 8 + read(file)?;
    // Start after the name of the file type.
    let mut position = 12;
    while position + 8 <= end {
        file.seek(SeekFrom::Start(position))?;
        let size = read(file)?;
        position += 8 + size;
        if position > end {
            return Err(truncated());
        }
        // Chunks start at even positions.
        position += size % 2;
    }
    match end <= length {
        true => Ok(file.rewind()?),
        false => Err(truncated()),
    }
}
