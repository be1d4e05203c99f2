//! Batches of a feature set on a device.
//!
//! On a device with memory of its own what is read in every epoch is kept there: a batch is then gathered on the device.
//! What does not fit is read from the files and sent batch by batch. Steps are queued, not awaited, so that the host reads
//! and prepares the next batch while the device works on the last one; sending it waits its turn in dfdx's single stream.

use std::cell::{Cell, OnceCell};

use dfdx::tensor::{CopySlice, TensorFromVec, ZerosTensor};
use dfdx::tensor_ops::{GatherTo, ReshapeTo};

use super::context::StageError;
use crate::data::FeatureSet;
use crate::tensor::{Backend, Features, Rows};

/// The kernels of dfdx count elements with 32 bits.
const MOST_ELEMENTS: usize = u32::MAX as usize;
/// Without a limit from outside data may take this part of the memory that is free.
const SHARE: u64 = 4;

/// Images and teacher features, by index.
pub struct Batches<'a, B: Backend> {
    set: &'a FeatureSet,
    /// Bytes of the device that may still be filled.
    room: Cell<u64>,
    images: OnceCell<Option<Rows<B>>>,
    levels: Vec<OnceCell<Option<Rows<B>>>>,
}

impl<'a, B: Backend> Batches<'a, B> {
    /// Batches of data that is read again and again: kept on the device, up to `limit` bytes (by default a quarter of what
    /// is free there).
    pub fn kept(set: &'a FeatureSet, limit: Option<u64>) -> Self {
        let room = B::memory().map_or(0, |memory| limit.unwrap_or(memory.free / SHARE).min(memory.free));
        Self::with_room(set, room)
    }

    /// Batches of data that is read once.
    pub fn streamed(set: &'a FeatureSet) -> Self {
        Self::with_room(set, 0)
    }

    fn with_room(set: &'a FeatureSet, room: u64) -> Self {
        let levels = set.header().levels.iter().map(|_| OnceCell::new()).collect();
        Self { set, room: Cell::new(room), images: OnceCell::new(), levels }
    }

    /// What the batches are of.
    pub fn set(&self) -> &'a FeatureSet {
        self.set
    }

    /// Normalised images (N, side, side, 3).
    pub fn images(&self, indices: &[usize]) -> Result<Features<B>, StageError> {
        let side = self.set.header().side;
        let shape = (indices.len(), side, side, 3);
        let kept = self.keep(&self.images, side * side * 3, |set| {
            let all: Vec<usize> = (0..set.len()).collect();
            set.normalised(&all).into()
        })?;
        batch::<B>(kept, indices, shape, || self.set.normalised(indices))
    }

    /// Teacher features of one level (from 0), (N, H, W, C).
    pub fn teacher(&self, level: usize, indices: &[usize]) -> Result<Features<B>, StageError> {
        let one = self.set.header().levels[level];
        let shape = (indices.len(), one.height, one.width, one.channels);
        let kept = self.keep(&self.levels[level], one.len(), |set| set.level(level).into())?;
        batch::<B>(kept, indices, shape, || self.set.features(level, indices))
    }

    /// All rows of a part of the data on the device, if it fits there.
    fn keep<'c>(
        &self,
        cell: &'c OnceCell<Option<Rows<B>>>,
        length: usize,
        values: impl FnOnce(&'a FeatureSet) -> std::borrow::Cow<'a, [f32]>,
    ) -> Result<Option<&'c Rows<B>>, StageError> {
        if let Some(kept) = cell.get() {
            return Ok(kept.as_ref());
        }
        let elements = self.set.len() * length;
        let bytes = 4 * elements as u64;
        let fits = bytes <= self.room.get() && elements <= MOST_ELEMENTS;
        let kept = fits
            .then(|| {
                // Copied into what is there already: a tensor made from a vector would keep the vector.
                let mut rows = B::device().try_zeros_like(&(self.set.len(), length)).map_err(StageError::device)?;
                B::Device::copy_from(&mut rows, &values(self.set));
                self.room.set(self.room.get() - bytes);
                Ok(rows)
            })
            .transpose()?;
        Ok(cell.get_or_init(|| kept).as_ref())
    }
}

/// The rows of some indices, from the device or from the host.
fn batch<B: Backend>(
    kept: Option<&Rows<B>>,
    indices: &[usize],
    shape: (usize, usize, usize, usize),
    read: impl FnOnce() -> Vec<f32>,
) -> Result<Features<B>, StageError> {
    let device = B::device();
    let Some(rows) = kept else {
        return device.try_tensor_from_vec(read(), shape).map_err(StageError::device);
    };
    let index = device.try_tensor_from_vec(indices.to_vec(), (indices.len(),)).map_err(StageError::device)?;
    let batch = rows.clone().try_gather(index).map_err(StageError::device)?;
    batch.try_reshape_like(&shape).map_err(StageError::device)
}
