//! A device that the composed operations can run on, and what they keep there.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use dfdx::tensor::{Cpu, HasErr, Storage, Tensor, TensorFromVec};

use super::pattern::Pattern;
use crate::tensor::DeviceMemory;

/// A dfdx device with the one handle that a process has of it.
pub trait Place: dfdx::tensor_ops::Device<f32> + TensorFromVec<bool> {
    /// See [`crate::tensor::Backend::KIND`].
    const KIND: &'static str;

    /// The device and what is kept there.
    fn kept() -> &'static Kept<Self>;

    /// Copies a buffer of the device to the host.
    fn read(buffer: &<Self as Storage<f32>>::Vec) -> Vec<f32>;

    /// Overwrites a buffer of the device.
    fn write(buffer: &mut <Self as Storage<f32>>::Vec, values: &[f32]);

    /// What the device has of memory.
    fn memory() -> Option<DeviceMemory>;

    /// Gives back what the process holds without need, and starts to look for the peak anew.
    fn reset_memory() {}
}

/// A pattern on the device.
pub(super) struct Gather<D: Place> {
    /// The source's rows; any where the result's row is outside.
    pub index: Tensor<(usize,), usize, D>,
    /// Which of the result's rows are inside; none where all are.
    pub inside: Option<Tensor<(usize,), bool, D>>,
}

/// The handle of a device, the patterns that are there already, and zeros.
pub struct Kept<D: Place> {
    device: D,
    gathers: Mutex<HashMap<Pattern, Arc<Gather<D>>>>,
    zeros: Mutex<Option<<D as Storage<f32>>::Vec>>,
}

impl<D: Place> Kept<D> {
    /// Keeps nothing yet.
    pub(super) fn new(device: D) -> Self {
        Self { device, gathers: Mutex::default(), zeros: Mutex::default() }
    }

    /// The device.
    pub(super) fn device(&self) -> D {
        self.device.clone()
    }

    /// A pattern, made the first time it is asked for.
    pub(super) fn gather(&self, pattern: Pattern) -> Result<Arc<Gather<D>>, D::Err> {
        let mut gathers = self.gathers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gather) = gathers.get(&pattern) {
            return Ok(gather.clone());
        }
        let rows = pattern.rows();
        let count = rows.len();
        let inside = match rows.iter().all(Option::is_some) {
            true => None,
            false => Some(self.device.try_tensor_from_vec(rows.iter().map(Option::is_some).collect(), (count,))?),
        };
        let index = rows.into_iter().map(|row| row.unwrap_or(0)).collect::<Vec<usize>>();
        let index = self.device.try_tensor_from_vec(index, (count,))?;
        let gather = Arc::new(Gather { index, inside });
        gathers.insert(pattern, gather.clone());
        Ok(gather)
    }

    /// Works with a buffer of at least `length` zeros.
    pub(super) fn with_zeros<R>(
        &self,
        length: usize,
        work: impl FnOnce(&<D as Storage<f32>>::Vec) -> Result<R, D::Err>,
    ) -> Result<R, D::Err> {
        let mut zeros = self.zeros.lock().unwrap_or_else(PoisonError::into_inner);
        let buffer = match zeros.take() {
            Some(buffer) if Storage::<f32>::len(&self.device, &buffer) >= length => buffer,
            // The smaller one is freed first.
            _ => Storage::<f32>::try_alloc_len(&self.device, length)?,
        };
        work(zeros.insert(buffer))
    }
}

impl Place for Cpu {
    const KIND: &'static str = "composed-cpu";

    fn kept() -> &'static Kept<Self> {
        static KEPT: LazyLock<Kept<Cpu>> = LazyLock::new(|| Kept::new(Cpu::default()));
        &KEPT
    }

    fn read(buffer: &<Self as Storage<f32>>::Vec) -> Vec<f32> {
        buffer.to_vec()
    }

    fn write(buffer: &mut <Self as Storage<f32>>::Vec, values: &[f32]) {
        buffer.copy_from_slice(values);
    }

    /// More than any test needs, so that data is kept as it is on a GPU.
    fn memory() -> Option<DeviceMemory> {
        Some(DeviceMemory { free: 1 << 40, total: 1 << 40, peak: 0 })
    }
}

/// The error of a device's operations.
pub(super) type Outcome<D, V> = Result<V, <D as HasErr>::Err>;
