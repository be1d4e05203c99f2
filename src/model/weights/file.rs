//! A weight file: the tensors that a teacher needs, in memory.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{BufReader, Cursor, Seek, SeekFrom};
use std::path::Path;

use super::checkpoint::module_refusal;
use super::contents::StoredTensor;
use super::input::{Input, bytes_at, printable};
use super::select::{Selected, select};
use super::tensors::Reader;
use super::{WeightError, budget, safetensors, torch};
use crate::cause::Cause;
use crate::data::regular;
use crate::model::WeightSource;

/// Weights of the small teacher, written by `didact weights train-demo`.
const DEMO: &[u8] = include_bytes!("demo.safetensors");

/// A tensor of a weight file, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightTensor {
    /// Shape. Convolutions are (output, input, kernel, kernel).
    pub shape: Vec<usize>,
    /// Values, converted to 32 bits.
    pub data: Vec<f32>,
}

/// The tensors of a weight file before layer4. A teacher needs no others, so no others are read.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightFile {
    /// Tensors by torchvision's name.
    pub tensors: BTreeMap<String, WeightTensor>,
    /// Tensors in the file that cannot be read, with the reason.
    pub unreadable: BTreeMap<String, String>,
    /// Keys and prefix that lead to the names, e.g. `state_dict.module.`; empty without any.
    pub location: String,
    /// Number of tensors in the same dictionary of the file, including layer4 and others.
    pub dictionary_size: usize,
    /// BLAKE3 of the file's bytes.
    pub digest: String,
    /// Path of the file, or "demo".
    pub source: String,
}

impl WeightFile {
    /// Reads the source. Distinguishes `.safetensors` and `.pth` by content.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or needs more memory than any teacher.
    pub fn open(source: &WeightSource) -> Result<Self, WeightError> {
        match source {
            WeightSource::Demo => Self::read("demo", Cursor::new(DEMO)),
            WeightSource::File(path) => {
                let name = path.display().to_string();
                let io = |source| WeightError::Io { path: name.clone(), source };
                let (file, before) = open_file(path).map_err(io)?;
                let weights = Self::read(&name, BufReader::with_capacity(1 << 16, &file))?;
                let after = file.metadata().map_err(io)?;
                if (before.len(), before.modified().ok()) != (after.len(), after.modified().ok()) {
                    return Err(WeightError::format(&name, "it changed while didact read it: try again"));
                }
                Ok(weights)
            }
        }
    }

    /// Reads weights from any input. Errors use `name` for it.
    ///
    /// # Errors
    /// If the contents are damaged or need more memory than any teacher.
    pub fn read<R: std::io::Read + Seek>(name: &str, mut input: R) -> Result<Self, WeightError> {
        let io = |source| WeightError::Io { path: name.to_owned(), source };
        let length = input.seek(SeekFrom::End(0)).map_err(io)?;
        if length > budget::FILE_BYTES {
            let reason = format!("it has {length} bytes; didact reads at most {}", budget::FILE_BYTES);
            return Err(WeightError::format(name, reason));
        }
        input.rewind().map_err(io)?;
        let mut digest = blake3::Hasher::new();
        digest.update_reader(&mut input).map_err(io)?;
        let digest = digest.finalize().to_hex().to_string();
        let (selected, tensors) =
            read_tensors(&mut input, length).map_err(|source| WeightError::format(name, source))?;
        let unreadable = selected.tensors.into_iter().filter_map(|(name, tensor)| match tensor {
            StoredTensor::Unreadable(why) => Some((name, why)),
            StoredTensor::Dense(_) => None,
        });
        Ok(Self {
            tensors,
            unreadable: unreadable.collect(),
            location: selected.location,
            dictionary_size: selected.dictionary_size,
            digest,
            source: name.to_owned(),
        })
    }

    /// Returns the values of a tensor, which must have the expected shape and be finite.
    pub fn tensor(&self, name: &str, expected: &[usize]) -> Result<&[f32], WeightError> {
        let path = self.source.clone();
        if let Some(why) = self.unreadable.get(name) {
            return Err(WeightError::Unreadable { path, name: name.to_owned(), why: why.clone() });
        }
        let Some(tensor) = self.tensors.get(name) else {
            return Err(WeightError::Missing {
                path,
                name: name.to_owned(),
                expected: expected.to_vec(),
                hint: self.similar_name(name),
            });
        };
        if tensor.shape != expected {
            let (name, found) = (name.to_owned(), tensor.shape.clone());
            return Err(WeightError::Shape { path, name, found, expected: expected.to_vec() });
        }
        if tensor.data.iter().any(|value| !value.is_finite()) {
            return Err(WeightError::NotFinite { path, name: name.to_owned() });
        }
        Ok(&tensor.data)
    }

    /// Returns a hint with the most similar name, if one is similar enough.
    fn similar_name(&self, name: &str) -> String {
        // No ResNet has more names or longer ones.
        let names = self.tensors.keys().filter(|other| other.len() <= 64).take(2000);
        let similar = names.max_by(|a, b| strsim::jaro(a, name).total_cmp(&strsim::jaro(b, name)));
        let similar = similar.filter(|similar| strsim::jaro(similar, name) > 0.8);
        similar.map(|similar| format!("; the most similar name is `{}`", printable(similar))).unwrap_or_default()
    }
}

/// Opens a regular file. Returns it with its metadata.
fn open_file(path: &Path) -> std::io::Result<(File, Metadata)> {
    let file = regular::open(path)?;
    let metadata = file.metadata()?;
    Ok((file, metadata))
}

/// Reads the tensors of the teacher. Also returns the selection, which names the unreadable ones.
fn read_tensors(input: &mut dyn Input, length: u64) -> Result<(Selected, BTreeMap<String, WeightTensor>), Cause> {
    let mut contents = match bytes_at(input, 0, length.min(4) as usize)?.as_slice() {
        [b'P', b'K', ..] => torch::describe_archive(input, length)?,
        [0x80, 2..=5, ..] => torch::describe_legacy(input, length)?,
        _ => safetensors::describe(input, length)?,
    };
    let mut selected = select(&mut contents)?;
    if let Some(class) = contents.module.as_ref().filter(|_| !selected.tensors.contains_key("conv1.weight")) {
        return Err(module_refusal(class).into());
    }
    let mut reader = Reader::new(input, contents);
    for (name, tensor) in &selected.tensors {
        match tensor {
            StoredTensor::Dense(view) if reader.is_float(view) => reader.admit(name, view)?,
            _ => {}
        }
    }
    let mut tensors = BTreeMap::new();
    for (name, tensor) in &mut selected.tensors {
        match tensor {
            StoredTensor::Dense(view) if reader.is_float(view) => {
                tensors.insert(name.clone(), reader.read(name, view)?);
            }
            StoredTensor::Dense(_) => {
                *tensor = StoredTensor::Unreadable("does not hold floating-point numbers".to_owned());
            }
            StoredTensor::Unreadable(_) => {}
        }
    }
    Ok((selected, tensors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncated_files_wrong_shapes_and_wrong_names_have_their_own_errors() {
        let demo = WeightFile::open(&WeightSource::Demo).expect("is embedded");
        assert!(matches!(demo.tensor("conv1.weight", &[1, 2, 3, 4]), Err(WeightError::Shape { .. })));
        let missing = demo.tensor("conv1.weights", &[1]).expect_err("no such tensor").to_string();
        assert!(missing.contains("most similar name is `conv1.weight`"), "{missing}");
        let half = Cursor::new(&DEMO[..DEMO.len() / 2]);
        let message = WeightFile::read("cut.safetensors", half).expect_err("truncated").to_string();
        assert!(message.contains("cut.safetensors") && message.contains("truncated"), "{message}");
    }

    #[test]
    fn folders_and_too_large_files_are_refused_before_reading() {
        let folder = tempfile::tempdir().expect("a folder");
        let message =
            |path: &Path| WeightFile::open(&WeightSource::File(path.to_owned())).expect_err("refused").to_string();
        assert!(message(folder.path()).contains("it is a folder, expected a file"));
        let large = folder.path().join("large.pth");
        // A sparse file: it occupies no disk space.
        File::create(&large).and_then(|file| file.set_len(budget::FILE_BYTES + 1)).expect("created");
        assert!(message(&large).contains("2147483649 bytes; didact reads at most 2147483648"), "{}", message(&large));
    }
}
