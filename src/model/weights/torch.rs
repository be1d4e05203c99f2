//! Reads files that `torch.save` wrote: a zip archive with a pickle and one entry per storage. Before PyTorch 1.6: pickles, followed by
//! the storages.

use std::collections::HashMap;

use super::archive::{self, Archive};
use super::budget;
use super::checkpoint::dictionaries;
use super::contents::{Contents, Storage};
use super::input::{Input, bytes_at, number};
use super::pickle::{self, Heap, Node, StorageRef};
use crate::cause::Cause;

/// Magic number of a file from before PyTorch 1.6, little-endian.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// Describes an archive.
pub(super) fn describe_archive(input: &mut dyn Input, length: u64) -> Result<Contents, Cause> {
    let archive = Archive::open(input, length)?;
    let pickles: Vec<&str> =
        archive.names().filter(|name| *name == "data.pkl" || name.ends_with("/data.pkl")).collect();
    let [pickle] = pickles.as_slice() else {
        return Err(match pickles.len() {
            0 => "its archive has no data.pkl: it was not written by torch.save".into(),
            count => format!("its archive has {count} entries named data.pkl: it was not written by torch.save").into(),
        });
    };
    let folder = pickle.trim_end_matches("data.pkl").to_owned();
    if archive.has(&format!("{folder}constants.pkl")) {
        return Err("it is a TorchScript archive: load it with torch.jit.load, and save its state_dict()".into());
    }
    let byte_order = format!("{folder}byteorder");
    let byte_order = if archive.has(&byte_order) { archive.read(input, &byte_order, 16)? } else { b"little".to_vec() };
    let bytes = archive.read(input, pickle, budget::PICKLE_BYTES)?;
    let (heap, outermost, _) = pickle::load(&bytes, 0)?;
    let mut contents = dictionaries(&heap, outermost)?;
    for storage in &heap.storages {
        let name = format!("{folder}data/{}", storage.key);
        let entry = archive.locate(input, &name)?;
        if storage.count.checked_mul(storage.element.size() as u64) != Some(entry.size) {
            return Err(format!(
                "entry `{name}` has {} bytes, but its pickle describes {} elements",
                entry.size, storage.count
            )
            .into());
        }
        contents.storages.push(storage_at(storage, entry.start, byte_order.starts_with(b"big"), Some(entry)));
    }
    Ok(contents)
}

/// Describes a file from before PyTorch 1.6. It holds the magic number, the version, facts of the machine, the dictionary, the keys of
/// the storages, and each storage as a count and its elements.
pub(super) fn describe_legacy(input: &mut dyn Input, length: u64) -> Result<Contents, Cause> {
    let bytes = bytes_at(input, 0, length.min(budget::PICKLE_BYTES) as usize)?;
    let (heap, magic, at) = pickle::load(&bytes, 0)?;
    if !matches!(heap.get(magic), Node::Long(number) if heap.span(*number) == MAGIC) {
        return Err("it is a plain pickle: save the state dict with torch.save or as .safetensors".into());
    }
    let (_, _, at) = pickle::load(&bytes, at)?;
    let (heap, machine, at) = pickle::load(&bytes, at)?;
    if is_big_endian(&heap, machine) {
        return Err("it was written on a big-endian machine: save it again with a newer PyTorch".into());
    }
    let (heap, outermost, at) = pickle::load(&bytes, at)?;
    let mut contents = dictionaries(&heap, outermost)?;
    let (keys, list, mut at) = pickle::load(&bytes, at).map(|(keys, list, at)| (keys, list, at as u64))?;
    let Node::List(list) = keys.get(list) else {
        return Err("it has no list of storages: the file is damaged".into());
    };
    let by_key: HashMap<&str, &StorageRef> =
        heap.storages.iter().map(|storage| (storage.key.as_str(), storage)).collect();
    let mut starts = HashMap::new();
    for key in list {
        let key = keys.text(*key, budget::NAME_BYTES).unwrap_or_default();
        let Some(storage) = by_key.get(key.as_str()) else {
            return Err(format!(
                "its storage `{}` belongs to no tensor: the file is damaged",
                super::input::printable(&key)
            )
            .into());
        };
        let truncated = || format!("it ends within storage `{key}`: the file is truncated");
        let start = at.checked_add(8).filter(|start| *start <= length).ok_or_else(truncated)?;
        let count = number(&bytes_at(input, at, 8)?);
        if count != storage.count {
            return Err(
                format!("storage `{key}` has {count} elements, but its pickle describes {}", storage.count).into()
            );
        }
        let size = count.checked_mul(storage.element.size() as u64);
        at = size.and_then(|size| start.checked_add(size)).filter(|end| *end <= length).ok_or_else(truncated)?;
        if starts.insert(key.clone(), start).is_some() {
            return Err(format!("it has two storages named `{key}`: the file is damaged").into());
        }
    }
    for storage in &heap.storages {
        let start = starts.get(&storage.key);
        let start = start.ok_or_else(|| format!("it has no storage `{}`: the file is damaged", storage.key))?;
        contents.storages.push(storage_at(storage, *start, false, None));
    }
    Ok(contents)
}

fn storage_at(storage: &StorageRef, start: u64, big_endian: bool, entry: Option<archive::EntryLocation>) -> Storage {
    Storage { start, count: storage.count, element: storage.element, big_endian, entry }
}

/// Returns whether the facts of the machine say that it is big-endian.
fn is_big_endian(heap: &Heap<'_>, machine: pickle::Handle) -> bool {
    let Node::Dict(facts) = heap.get(machine) else { return false };
    facts.iter().any(|(key, value)| {
        heap.text(*key, 32).as_deref() == Some("little_endian") && matches!(heap.get(*value), Node::Bool(false))
    })
}
