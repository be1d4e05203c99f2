//! Named tensors in safetensors files: weights, buffers and moments, with PyTorch's names and orders.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::Module;
use crate::cause::{Cause, Context};
use crate::tensor::{Backend, DeviceError, OpResult};

/// A tensor that is written to or read from a file. Values are row-major, in file order.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// Name of the tensor.
    pub name: String,
    /// Shape in the file.
    pub shape: Vec<usize>,
    /// Values of the tensor.
    pub values: Vec<f32>,
}

/// Errors of checkpoints.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file could not be read or written.
    #[error(transparent)]
    Io(#[from] Context),
    /// The file is not a safetensors file of 32-bit floats.
    #[error("{path} is not a checkpoint: {source}")]
    Format {
        /// Path of the file.
        path: String,
        /// Reason.
        #[source]
        source: Cause,
    },
    /// A tensor is missing or has another shape.
    #[error("tensor `{name}` {found}, expected shape {expected:?}")]
    Tensor {
        /// Name of the tensor.
        name: String,
        /// "is missing" or "has shape …".
        found: String,
        /// Shape that the network needs.
        expected: Vec<usize>,
    },
    /// The device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

impl StateError {
    /// Returns a function for `map_err`: the file is not a checkpoint.
    fn format<E: Into<Cause>>(path: &Path) -> impl Fn(E) -> Self {
        move |source| Self::Format { path: path.display().to_string(), source: source.into() }
    }
}

/// Name of the metadata entry of a file. Its value is JSON.
const METADATA: &str = "didact";

/// A set of named tensors with free-form metadata.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    /// Free-form facts, e.g. the epoch or the best value.
    pub metadata: BTreeMap<String, String>,
}

impl State {
    /// Adds a tensor.
    pub fn insert(&mut self, tensor: NamedTensor) {
        self.tensors.insert(tensor.name, (tensor.shape, tensor.values));
    }

    /// Adds the parameters and buffers of a module. Each name starts with `prefix`.
    ///
    /// # Errors
    ///
    /// If the device failed.
    pub fn add_module<B: Backend>(&mut self, prefix: &str, module: &dyn Module<B>) -> OpResult<()> {
        let mut outcome = Ok(());
        let mut add = |name: &str, shape: Vec<usize>, values: OpResult<Vec<f32>>| match values {
            Ok(values) => drop(self.tensors.insert(format!("{prefix}{name}"), (shape, values))),
            Err(error) => outcome = Err(error),
        };
        module.parameters(&mut |p| add(&p.name, p.layout.file_shape(), p.to_file()));
        module.buffers(&mut |b| add(&b.name, vec![b.channels()], B::download(&b.value)));
        outcome
    }

    /// Returns the values of a tensor of the expected shape.
    ///
    /// # Errors
    ///
    /// If the tensor is missing or has another shape.
    pub fn tensor(&self, name: &str, expected: &[usize]) -> Result<&[f32], StateError> {
        let error = |found| StateError::Tensor { name: name.to_owned(), found, expected: expected.to_vec() };
        match self.tensors.get(name) {
            None => Err(error("is missing".to_owned())),
            Some((shape, _)) if shape != expected => Err(error(format!("has shape {shape:?}"))),
            Some((_, values)) => Ok(values),
        }
    }

    /// Overwrites the parameters and buffers of a module.
    ///
    /// # Errors
    ///
    /// If any tensor is missing or has another shape: nothing is changed then. If the device failed.
    pub fn load_module<B: Backend>(&self, prefix: &str, module: &mut dyn Module<B>) -> Result<(), StateError> {
        let mut outcome = Ok(());
        let mut check = |name: &str, shape: &[usize]| {
            if outcome.is_ok() {
                outcome = self.tensor(&format!("{prefix}{name}"), shape).map(|_| ());
            }
        };
        module.parameters(&mut |p| check(&p.name, &p.layout.file_shape()));
        module.buffers(&mut |b| check(&b.name, &[b.channels()]));
        outcome?;
        let mut outcome = Ok(());
        let mut note = |written: OpResult<()>| outcome = std::mem::replace(&mut outcome, Ok(())).and(written);
        module.parameters_mut(&mut |p| note(p.set_from_file(&self.tensors[&format!("{prefix}{}", p.name)].1)));
        module.buffers_mut(&mut |b| note(B::overwrite(&mut b.value, &self.tensors[&format!("{prefix}{}", b.name)].1)));
        Ok(outcome?)
    }

    /// Writes the file. It is durable once this returns: temporary name, fsync, rename, fsync of the folder.
    pub fn save(&self, path: &Path) -> Result<(), StateError> {
        let views: BTreeMap<&str, TensorView<'_>> = self
            .tensors
            .iter()
            .map(|(name, (shape, values))| {
                TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values))
                    .map(|view| (name.as_str(), view))
                    .map_err(StateError::format(path))
            })
            .collect::<Result<_, _>>()?;
        // One entry only: the order of several entries would differ from process to process, but equal states must give equal files.
        let facts = serde_json::to_string(&self.metadata).map_err(StateError::format(path))?;
        let metadata = (!self.metadata.is_empty()).then(|| HashMap::from([(METADATA.to_owned(), facts)]));
        let bytes = safetensors::serialize(views, metadata).map_err(StateError::format(path))?;
        Ok(write_durably(path, &bytes).map_err(Context::writing(path))?)
    }

    /// Reads a file that [`State::save`] wrote.
    pub fn load(path: &Path) -> Result<Self, StateError> {
        let bytes = std::fs::read(path).map_err(Context::reading(path))?;
        let file = SafeTensors::deserialize(&bytes).map_err(StateError::format(path))?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(StateError::format(path))?;
        let facts = header.metadata().as_ref().and_then(|metadata| metadata.get(METADATA));
        let metadata = facts.map(|facts| serde_json::from_str(facts)).transpose();
        let metadata = metadata.map_err(StateError::format(path))?.unwrap_or_default();
        let mut state = Self { metadata, ..Self::default() };
        for (name, view) in file.iter() {
            if view.dtype() != Dtype::F32 {
                let reason = format!("tensor `{name}` has type {:?}, expected F32", view.dtype());
                return Err(StateError::format(path)(reason));
            }
            let values = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            state.tensors.insert(name.to_owned(), (view.shape().to_vec(), values));
        }
        Ok(state)
    }
}

/// Writes a temporary file, syncs it, renames it and syncs the folder. After a power cut the path holds the old file or the new one.
fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let temporary = path.with_extension("tmp");
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    crate::fault::point("checkpoint:before-rename");
    std::fs::rename(&temporary, path)?;
    crate::fault::point("checkpoint:after-rename");
    match path.parent() {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
