//! A weight file in memory.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors};

use super::{WeightError, pth};
use crate::data::regular;
use crate::model::WeightSource;

/// The small teacher's weights; `didact weights train-demo` made them.
const DEMO: &[u8] = include_bytes!("demo.safetensors");

/// A tensor as the file holds it, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightTensor {
    /// Its shape; convolutions are (output, input, kernel, kernel).
    pub shape: Vec<usize>,
    /// Its values, converted to 32 bits.
    pub data: Vec<f32>,
}

/// All tensors of a weight file.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightFile {
    /// By name.
    pub tensors: BTreeMap<String, WeightTensor>,
    /// BLAKE3 of the file's bytes.
    pub digest: String,
    /// Its path, or "demo".
    pub source: String,
}

impl WeightFile {
    /// Reads the source; tells `.safetensors` from `.pth` by content.
    pub fn open(source: &WeightSource) -> Result<Self, WeightError> {
        match source {
            WeightSource::Demo => Self::parse("demo", DEMO),
            WeightSource::File(path) => Self::parse(&path.display().to_string(), &read(path)?),
        }
    }

    fn parse(source: &str, bytes: &[u8]) -> Result<Self, WeightError> {
        let tensors = match bytes {
            [b'P', b'K', ..] => pth::parse(source, bytes)?,
            [0x80, 0x02, ..] => pth::parse_legacy(source, bytes)?,
            _ => safetensors(source, bytes)?,
        };
        Ok(Self { tensors, digest: blake3::hash(bytes).to_hex().to_string(), source: source.to_owned() })
    }

    /// The values of a tensor that must have the expected shape and be finite.
    pub fn tensor(&self, name: &str, expected: &[usize]) -> Result<&[f32], WeightError> {
        let path = self.source.clone();
        let Some(tensor) = self.tensors.get(name) else {
            let near = self.tensors.keys().max_by(|a, b| strsim::jaro(a, name).total_cmp(&strsim::jaro(b, name)));
            let hint = near.filter(|near| strsim::jaro(near, name) > 0.8);
            return Err(WeightError::Missing {
                path,
                name: name.to_owned(),
                expected: expected.to_vec(),
                hint: hint.map(|near| format!("; the nearest name is `{near}`")).unwrap_or_default(),
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
}

fn read(path: &Path) -> Result<Vec<u8>, WeightError> {
    regular::read(path).map_err(|source| WeightError::Io { path: path.display().to_string(), source })
}

fn safetensors(source: &str, bytes: &[u8]) -> Result<BTreeMap<String, WeightTensor>, WeightError> {
    let format = |reason: String| WeightError::Format { path: source.to_owned(), reason };
    let file = SafeTensors::deserialize(bytes).map_err(|error| {
        format(format!("{error} (neither torch.save's zip archive nor .safetensors, or cut short)"))
    })?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        let Some(data) = floats(view.dtype(), view.data()) else {
            // Counters such as num_batches_tracked are integers and not needed.
            continue;
        };
        tensors.insert(name.to_owned(), WeightTensor { shape: view.shape().to_vec(), data });
    }
    Ok(tensors)
}

fn floats(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    match dtype {
        Dtype::F32 => Some(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()),
        Dtype::F64 => Some(
            bytes
                .chunks_exact(8)
                .map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32)
                .collect(),
        ),
        Dtype::BF16 => Some(
            bytes.chunks_exact(2).map(|b| f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16)).collect(),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_file_and_a_wrong_shape_are_told_apart() {
        let demo = WeightFile::open(&WeightSource::Demo).expect("is embedded");
        assert!(matches!(demo.tensor("conv1.weight", &[1, 2, 3, 4]), Err(WeightError::Shape { .. })));
        let missing = demo.tensor("conv1.weights", &[1]).expect_err("no such tensor").to_string();
        assert!(missing.contains("nearest name is `conv1.weight`"), "{missing}");
        let cut = WeightFile::parse("cut.safetensors", &DEMO[..DEMO.len() / 2]).expect_err("cut").to_string();
        assert!(cut.contains("cut.safetensors") && cut.contains("cut short"), "{cut}");
    }
}
