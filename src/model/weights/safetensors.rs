//! Reads `.safetensors` files.

use safetensors::tensor::{Dtype, Metadata};

use super::budget;
use super::contents::{Contents, Dictionary, Held, Storage, View};
use super::element::Element;
use super::input::{Input, bytes_at, number};
use crate::cause::{Cause, Context};

/// Describes a file. Reads only its header.
pub(super) fn described(input: &mut dyn Input, length: u64) -> Result<Contents, Cause> {
    if let Some(what) = other_file(&bytes_at(input, 0, length.min(64) as usize)?) {
        return Err(what.into());
    }
    let header =
        length.checked_sub(8).map(|room| bytes_at(input, 0, 8).map(|size| (number(&size), room))).transpose()?;
    let Some((size, _)) = header.filter(|(size, room)| size <= room) else {
        return Err("it is neither torch.save's archive nor a .safetensors file, or it is cut short".into());
    };
    if size > budget::HEADER_BYTES {
        return Err(format!("its header has {size} bytes, at most {} are read", budget::HEADER_BYTES).into());
    }
    let header = bytes_at(input, 8, size as usize)?;
    let header: Metadata = serde_json::from_slice(&header)
        .map_err(|error| Context::new("its header is not that of a .safetensors file, or is cut short", error))?;
    let start = 8 + size;
    let tensors = header.tensors();
    if tensors.len() > budget::TENSORS {
        return Err(format!("it holds more than {} tensors", budget::TENSORS).into());
    }
    let ends = tensors.values().map(|tensor| tensor.data_offsets.1 as u64).max().unwrap_or(0);
    if ends != length - start {
        return Err(format!(
            "its header speaks of {ends} bytes of tensors, the file has {}: it is cut short or damaged",
            length - start
        )
        .into());
    }
    let (mut contents, mut dictionary) = (Contents::default(), Dictionary::default());
    for (name, tensor) in tensors {
        let held = match Element::of_safetensors(tensor.dtype) {
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
                Held::Dense(packed(contents.storages.len() - 1, tensor.shape.clone()))
            }
            Some(_) => Held::Unreadable("has too many sides".to_owned()),
            None => Held::Unreadable(unreadable(tensor.dtype)),
        };
        dictionary.tensors.insert(name, held);
    }
    contents.dictionaries.push(dictionary);
    Ok(contents)
}

/// Returns the view of a row-major tensor that fills its storage.
fn packed(storage: usize, shape: Vec<usize>) -> View {
    let mut strides = vec![1_u64; shape.len()];
    for side in (1..shape.len()).rev() {
        // The crate has checked that the product of all sizes does not overflow, unless one is 0 and nothing is read.
        strides[side - 1] = strides[side].saturating_mul(shape[side] as u64);
    }
    View { storage, offset: 0, shape, strides }
}

fn unreadable(dtype: Dtype) -> String {
    format!("is of kind {dtype:?}, not of 16, 32 or 64-bit floats")
}

/// Recognises files that users often have instead of a weight file.
fn other_file(start: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(start).trim_start().to_lowercase();
    match start {
        [] => Some("it is empty"),
        [0x1f, 0x8b, ..] => Some("it is compressed with gzip: unpack it first"),
        [0x89, b'H', b'D', b'F', ..] => Some("it is an HDF5 file: save the weights as .safetensors"),
        _ if text.starts_with("version https://git-lfs") => {
            Some("it is Git LFS's pointer to a file, not the file: fetch it with `git lfs pull`")
        }
        _ if text.starts_with("<!doctype") || text.starts_with("<html") || text.starts_with("<?xml") => {
            Some("it is a web page, not weights: the download went wrong")
        }
        _ => None,
    }
}
