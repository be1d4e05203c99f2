//! Reads `.safetensors` files.

use safetensors::tensor::{Dtype, Metadata};

use super::budget;
use super::contents::{Contents, Dictionary, Storage, StoredTensor, View};
use super::element::Element;
use super::input::{Input, bytes_at, number};
use crate::cause::{Cause, Context};

/// Describes a file. Reads only its header.
pub(super) fn describe(input: &mut dyn Input, length: u64) -> Result<Contents, Cause> {
    if let Some(message) = other_file(&bytes_at(input, 0, length.min(64) as usize)?) {
        return Err(message.into());
    }
    let header =
        length.checked_sub(8).map(|rest| bytes_at(input, 0, 8).map(|size| (number(&size), rest))).transpose()?;
    let Some((size, _)) = header.filter(|(size, rest)| size <= rest) else {
        return Err("it is neither an archive of torch.save nor a .safetensors file, or it is truncated".into());
    };
    if size > budget::HEADER_BYTES {
        return Err(format!("its header has {size} bytes; didact reads at most {}", budget::HEADER_BYTES).into());
    }
    let header = bytes_at(input, 8, size as usize)?;
    let header: Metadata = serde_json::from_slice(&header)
        .map_err(|error| Context::new("its header is not that of a .safetensors file, or is truncated", error))?;
    let start = 8 + size;
    let tensors = header.tensors();
    if tensors.len() > budget::TENSORS {
        return Err(format!("it holds more than {} tensors, which is the limit", budget::TENSORS).into());
    }
    let described = tensors.values().map(|tensor| tensor.data_offsets.1 as u64).max().unwrap_or(0);
    if described != length - start {
        return Err(format!(
            "its header describes {described} bytes of tensors, but the file has {}: it is truncated or damaged",
            length - start
        )
        .into());
    }
    let (mut contents, mut dictionary) = (Contents::default(), Dictionary::default());
    for (name, tensor) in tensors {
        let stored = match Element::of_safetensors(tensor.dtype) {
            _ if name.len() > budget::NAME_BYTES => continue,
            Some(element) if tensor.shape.len() <= budget::RANK => {
                let (first, end) = (tensor.data_offsets.0 as u64, tensor.data_offsets.1 as u64);
                let count = (end - first) / element.size() as u64;
                contents.storages.push(Storage {
                    start: start + first,
                    count,
                    element,
                    big_endian: false,
                    entry: None,
                });
                StoredTensor::Dense(row_major(contents.storages.len() - 1, tensor.shape.clone()))
            }
            Some(_) => StoredTensor::Unreadable("has too many dimensions".to_owned()),
            None => StoredTensor::Unreadable(unreadable(tensor.dtype)),
        };
        dictionary.tensors.insert(name, stored);
    }
    contents.dictionaries.push(dictionary);
    Ok(contents)
}

/// Returns the view of a row-major tensor that fills its storage.
fn row_major(storage: usize, shape: Vec<usize>) -> View {
    let mut strides = vec![1_u64; shape.len()];
    for side in (1..shape.len()).rev() {
        // The crate has checked that the product of all sizes does not overflow, unless one is 0 and nothing is read.
        strides[side - 1] = strides[side].saturating_mul(shape[side] as u64);
    }
    View { storage, offset: 0, shape, strides }
}

fn unreadable(dtype: Dtype) -> String {
    format!("has the type {dtype:?} instead of 16, 32 or 64-bit floats")
}

/// Recognises files that users often have instead of a weight file.
fn other_file(start: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(start).trim_start().to_lowercase();
    match start {
        [] => Some("it is empty"),
        [0x1f, 0x8b, ..] => Some("it is compressed with gzip: unpack it first"),
        [0x89, b'H', b'D', b'F', ..] => Some("it is an HDF5 file: save the weights as .safetensors"),
        _ if text.starts_with("version https://git-lfs") => {
            Some("it is a Git LFS pointer, not the file: fetch the file with `git lfs pull`")
        }
        _ if text.starts_with("<!doctype") || text.starts_with("<html") || text.starts_with("<?xml") => {
            Some("it is a web page, not weights: the download failed")
        }
        _ => None,
    }
}
