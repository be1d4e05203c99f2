//! Stores many masks of one size in a compact file: eight pixels per byte, the first in the lowest bit; each mask starts a new byte.

use std::io::{Error, ErrorKind, Result};
use std::path::Path;

/// Writes masks of equal length, row-major.
pub fn write_masks(path: &Path, masks: &[Vec<bool>]) -> Result<()> {
    let pack = |pixels: &[bool]| pixels.iter().enumerate().fold(0, |byte, (bit, &set)| byte | u8::from(set) << bit);
    let bytes: Vec<u8> = masks.iter().flat_map(|mask| mask.chunks(8).map(pack)).collect();
    std::fs::write(path, bytes)
}

/// Reads `count` masks of `pixels` pixels each. A file of another length is an error that names the file.
pub fn read_masks(path: &Path, count: usize, pixels: usize) -> Result<Vec<Vec<bool>>> {
    let bytes = std::fs::read(path)?;
    let length = pixels.div_ceil(8);
    if bytes.len() != count * length {
        let reason = format!("{} holds {} bytes, expected {}", path.display(), bytes.len(), count * length);
        return Err(Error::new(ErrorKind::InvalidData, reason));
    }
    let unpack = |mask: &[u8]| (0..pixels).map(|pixel| mask[pixel / 8] >> (pixel % 8) & 1 == 1).collect();
    Ok((0..count).map(|index| unpack(&bytes[index * length..][..length])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn written_masks_are_read_back(masks in (1_usize..70).prop_flat_map(|n| prop::collection::vec(prop::collection::vec(any::<bool>(), n), 1..5))) {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let path = folder.path().join("masks.bits");
            write_masks(&path, &masks).expect("written");
            prop_assert_eq!(&read_masks(&path, masks.len(), masks[0].len()).expect("read"), &masks);
            let message = read_masks(&path, masks.len() + 1, masks[0].len()).expect_err("too short").to_string();
            prop_assert!(message.contains("masks.bits"));
        }
    }
}
