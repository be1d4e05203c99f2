//! torchvision's `.pth`: a zip archive with a pickled state dict and one file a storage.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use super::pickle::{self, TensorRef};
use super::{WeightError, WeightTensor};

/// Reads every floating-point tensor of the state dict.
pub(super) fn parse(source: &str, bytes: &[u8]) -> Result<BTreeMap<String, WeightTensor>, WeightError> {
    let format = |reason: String| WeightError::Format { path: source.to_owned(), reason };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| format(format!("{error} (a truncated or damaged .pth file?)")))?;
    let pickle_name = archive
        .file_names()
        .find(|name| *name == "data.pkl" || name.ends_with("/data.pkl"))
        .map(str::to_owned)
        .ok_or_else(|| format("the archive has no data.pkl: not written by torch.save".to_owned()))?;
    let folder = pickle_name.trim_end_matches("data.pkl").to_owned();
    let mut read = |name: &str| -> Result<Vec<u8>, WeightError> {
        let mut contents = Vec::new();
        let mut entry = archive.by_name(name).map_err(|error| format(format!("{name}: {error}")))?;
        entry.read_to_end(&mut contents).map_err(|error| format(format!("{name}: {error}")))?;
        Ok(contents)
    };
    let tensors = pickle::state_dict(&read(&pickle_name)?).map_err(format)?;
    let mut storages: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    let mut loaded = BTreeMap::new();
    for (name, tensor) in tensors {
        let Some(kind) = tensor.element else { continue };
        if !storages.contains_key(&tensor.storage) {
            let raw = read(&format!("{folder}data/{}", tensor.storage))?;
            storages.insert(tensor.storage.clone(), kind.floats(&raw));
        }
        let data = gather(&storages[&tensor.storage], &tensor)
            .ok_or_else(|| format(format!("tensor `{name}` reaches beyond its storage: the file is damaged")))?;
        loaded.insert(name, WeightTensor { shape: tensor.shape, data });
    }
    Ok(loaded)
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
