//! torchvision's `.pth`: a zip archive with a pickled state dict and one file a storage or, before PyTorch 1.6, pickles with the
//! storages behind them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use super::pickle::{self, Element, NamedRef, TensorRef};
use super::{WeightError, WeightTensor};

/// Reads every floating-point tensor of the state dict.
pub(super) fn parse(source: &str, bytes: &[u8]) -> Result<BTreeMap<String, WeightTensor>, WeightError> {
    let format = |reason: String| WeightError::Format { path: source.to_owned(), reason };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| format(format!("{error} (a truncated or damaged .pth file?)")))?;
    let pickle_name = archive
        .file_names()
        .filter_map(Result::ok)
        .find(|name| name == "data.pkl" || name.ends_with("/data.pkl"))
        .map(Cow::into_owned)
        .ok_or_else(|| format("the archive has no data.pkl: not written by torch.save".to_owned()))?;
    let folder = pickle_name.trim_end_matches("data.pkl").to_owned();
    let mut read = |name: &str| -> Result<Vec<u8>, WeightError> {
        let mut contents = Vec::new();
        let mut entry = archive.by_name(name).map_err(|error| format(format!("{name}: {error}")))?;
        entry.read_to_end(&mut contents).map_err(|error| format(format!("{name}: {error}")))?;
        Ok(contents)
    };
    let tensors = pickle::state_dict(&read(&pickle_name)?).map_err(format)?;
    let mut storages = BTreeMap::new();
    for (_, tensor) in &tensors {
        if !storages.contains_key(&tensor.storage) {
            let raw = read(&format!("{folder}data/{}", tensor.storage))?;
            storages.insert(tensor.storage.clone(), tensor.element.floats(&raw));
        }
    }
    load(tensors, &storages).map_err(format)
}

/// Reads a file of before PyTorch 1.6: pickles, then each storage as a count and its elements.
pub(super) fn parse_legacy(source: &str, bytes: &[u8]) -> Result<BTreeMap<String, WeightTensor>, WeightError> {
    let format = |reason: String| WeightError::Format { path: source.to_owned(), reason };
    let (tensors, keys, mut at) = pickle::legacy_state_dict(bytes).map_err(format)?;
    let mut storages = BTreeMap::new();
    for key in keys {
        let cut = || format(format!("it ends within storage {key}: the file is cut short"));
        let Some(tensor) = tensors.iter().map(|(_, tensor)| tensor).find(|tensor| tensor.storage == key) else {
            return Err(format(format!("storage {key} belongs to no tensor")));
        };
        let head = bytes.get(at..at + 8).and_then(|head| head.try_into().ok()).ok_or_else(cut)?;
        let length = usize::try_from(u64::from_le_bytes(head)).ok().and_then(|n| n.checked_mul(tensor.element.size()));
        let end = length.and_then(|length| length.checked_add(at + 8)).ok_or_else(cut)?;
        let raw = bytes.get(at + 8..end).ok_or_else(cut)?;
        storages.insert(key, tensor.element.floats(raw));
        at = end;
    }
    load(tensors, &storages).map_err(format)
}

/// The floating-point tensors out of their storages.
fn load(
    tensors: Vec<NamedRef>,
    storages: &BTreeMap<String, Vec<f32>>,
) -> Result<BTreeMap<String, WeightTensor>, String> {
    let floats = tensors.into_iter().filter(|(_, tensor)| !matches!(tensor.element, Element::Integer(_)));
    floats
        .map(|(name, tensor)| {
            let data = storages.get(&tensor.storage).and_then(|storage| gather(storage, &tensor));
            let data =
                data.ok_or_else(|| format!("tensor `{name}` reaches beyond its storage: the file is damaged"))?;
            Ok((name, WeightTensor { shape: tensor.shape, data }))
        })
        .collect()
}

/// The tensor's values, row-major, whatever its strides; none if any lies outside the storage.
fn gather(storage: &[f32], tensor: &TensorRef) -> Option<Vec<f32>> {
    let count = tensor.shape.iter().try_fold(1_usize, |n, &side| n.checked_mul(side))?;
    if count > storage.len().max(1) {
        return None;
    }
    (0..count)
        .map(|mut index| {
            let mut place = tensor.offset;
            for (side, stride) in tensor.shape.iter().zip(&tensor.strides).rev() {
                place = place.checked_add((index % side).checked_mul(*stride)?)?;
                index /= side;
            }
            storage.get(place).copied()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// What torch.save({"w": torch.tensor([[1., 2.], [3., 4.]]).t()}) pickles, byte by byte.
    fn pickled() -> Vec<u8> {
        let mut p = vec![0x80, 2, b'}', b'q', 0];
        let text = |p: &mut Vec<u8>, s: &str| {
            p.push(b'X');
            p.extend((s.len() as u32).to_le_bytes());
            p.extend(s.as_bytes());
        };
        text(&mut p, "w");
        p.extend(b"ctorch._utils\n_rebuild_tensor_v2\nq\x01((");
        text(&mut p, "storage");
        p.extend(b"ctorch\nFloatStorage\nq\x02");
        text(&mut p, "0");
        text(&mut p, "cpu");
        p.extend(b"K\x04tq\x03QK\x00K\x02K\x02\x86q\x04K\x01K\x02\x86q\x05\x89ccollections\nOrderedDict\nq\x06)Rq\x07tq\x08Rq\x09s.");
        p
    }

    fn archive(pickle: &[u8]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        writer.start_file("model/data.pkl", options).expect("started");
        writer.write_all(pickle).expect("written");
        writer.start_file("model/data/0", options).expect("started");
        let values: Vec<u8> = [1.0_f32, 2.0, 3.0, 4.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        writer.write_all(&values).expect("written");
        writer.finish().expect("finished").into_inner()
    }

    #[test]
    fn a_strided_tensor_is_read_row_major() {
        let tensors = parse("t.pth", &archive(&pickled())).expect("a state dict");
        assert_eq!(tensors["w"], WeightTensor { shape: vec![2, 2], data: vec![1.0, 3.0, 2.0, 4.0] });
    }

    #[test]
    fn a_file_of_before_pytorch_1_6_is_read_and_a_cut_one_refused() {
        // Magic number, version, facts of the machine; the state dict; the keys; one storage of four floats.
        let mut file = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}q\x00.".to_vec();
        file.extend(pickled());
        file.extend(b"\x80\x02]q\x00X\x01\x00\x00\x000a.");
        file.extend(4_u64.to_le_bytes());
        file.extend([1.0_f32, 2.0, 3.0, 4.0].iter().flat_map(|v| v.to_le_bytes()));
        let tensors = parse_legacy("old.pth", &file).expect("a state dict");
        assert_eq!(tensors["w"], WeightTensor { shape: vec![2, 2], data: vec![1.0, 3.0, 2.0, 4.0] });
        for cut in [4, file.len() / 2, file.len() - 1] {
            assert!(parse_legacy("cut.pth", &file[..cut]).is_err());
        }
    }

    #[test]
    fn a_pickle_that_would_run_code_is_refused() {
        let message =
            parse("evil.pth", &archive(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.")).expect_err("refused");
        assert!(message.to_string().contains("os.system"), "{message}");
    }

    #[test]
    fn truncated_archives_are_errors() {
        let whole = archive(&pickled());
        for cut in [3, 40, whole.len() - 10] {
            assert!(parse("cut.pth", &whole[..cut]).is_err());
        }
    }
}
