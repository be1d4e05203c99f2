//! Batches of a feature set on a device.
//!
//! On a device with its own memory, data that every epoch reads is kept there, and the device gathers each batch. Data that does not fit
//! is read from the files and sent batch by batch.
//!
//! Steps are queued, not awaited: the host reads and prepares the next batch while the device works on the current one.

use std::cell::{Cell, OnceCell};

use super::context::StageError;
use crate::data::FeatureSet;
use crate::tensor::{Backend, Features, Rows};

/// Without a configured limit, data may take one part in this many of the free memory.
const SHARE: u64 = 4;

/// Gives images and teacher features by index.
pub struct Batches<'a, B: Backend> {
    set: &'a FeatureSet,
    /// Bytes of device memory that data may still take.
    room: Cell<u64>,
    images: OnceCell<Option<Rows<B>>>,
    levels: Vec<OnceCell<Option<Rows<B>>>>,
}

impl<'a, B: Backend> Batches<'a, B> {
    /// Creates batches of data that is read repeatedly. The device keeps up to `limit` bytes (default: a quarter of its free memory).
    pub fn kept(set: &'a FeatureSet, limit: Option<u64>) -> Self {
        let room = B::memory().map_or(0, |memory| limit.unwrap_or(memory.free / SHARE).min(memory.free));
        Self::with_room(set, room)
    }

    /// Creates batches of data that is read once.
    pub fn streamed(set: &'a FeatureSet) -> Self {
        Self::with_room(set, 0)
    }

    fn with_room(set: &'a FeatureSet, room: u64) -> Self {
        let levels = set.header().levels.iter().map(|_| OnceCell::new()).collect();
        Self { set, room: Cell::new(room), images: OnceCell::new(), levels }
    }

    /// Returns the feature set of the batches.
    pub fn set(&self) -> &'a FeatureSet {
        self.set
    }

    /// Returns normalised images, (N, side, side, 3).
    pub fn images(&self, indices: &[usize]) -> Result<Features<B>, StageError> {
        let side = self.set.header().side;
        let shape = (indices.len(), side, side, 3);
        let kept = self.keep(&self.images, side * side * 3, |set| {
            let all: Vec<usize> = (0..set.len()).collect();
            set.normalised(&all).into()
        })?;
        batch::<B>(kept, indices, shape, || self.set.normalised(indices))
    }

    /// Returns teacher features of one level (from 0), (N, H, W, C).
    pub fn teacher(&self, level: usize, indices: &[usize]) -> Result<Features<B>, StageError> {
        let one = self.set.header().levels[level];
        let shape = (indices.len(), one.height, one.width, one.channels);
        let kept = self.keep(&self.levels[level], one.len(), |set| set.level(level))?;
        batch::<B>(kept, indices, shape, || self.set.features(level, indices))
    }

    /// Returns all rows of one kind of data on the device, if they fit there.
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
        let fits = bytes <= self.room.get();
        let kept = fits
            .then(|| {
                let rows = B::keep(&values(self.set), (self.set.len(), length)).map_err(StageError::device)?;
                self.room.set(self.room.get() - bytes);
                Ok::<_, StageError>(rows)
            })
            .transpose()?;
        Ok(cell.get_or_init(|| kept).as_ref())
    }
}

/// Returns the rows of the given indices, from the device or from the host.
fn batch<B: Backend>(
    kept: Option<&Rows<B>>,
    indices: &[usize],
    shape: (usize, usize, usize, usize),
    read: impl FnOnce() -> Vec<f32>,
) -> Result<Features<B>, StageError> {
    match kept {
        None => B::upload(read(), shape),
        Some(rows) => B::gather(rows, indices, shape),
    }
    .map_err(StageError::device)
}
