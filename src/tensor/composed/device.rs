//! A device that can run the composed operations, and the cache that they keep there.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use dfdx::tensor::{Cpu, Storage, Tensor, TensorFromVec};

use super::pattern::Pattern;
use crate::tensor::TensorDevice;
use crate::tensor::tensors::{Buffer, DeviceResult};

/// A device with a cache for the composed operations.
pub trait ComposedDevice: TensorDevice + TensorFromVec<bool> {
    /// Returns the cache of this process.
    fn cache() -> &'static DeviceCache<Self>;
}

/// A pattern on the device.
pub(super) struct Gather<D: ComposedDevice> {
    /// Source row of each result row; any row if the result row is outside the source.
    pub index: Tensor<(usize,), usize, D>,
    /// Whether each result row is inside the source; `None` if all are.
    pub inside: Option<Tensor<(usize,), bool, D>>,
}

/// Patterns that are already on a device, and a buffer of zeros.
pub struct DeviceCache<D: ComposedDevice> {
    gathers: Mutex<HashMap<Pattern, Arc<Gather<D>>>>,
    zeros: Mutex<Option<Buffer<D>>>,
}

impl<D: ComposedDevice> Default for DeviceCache<D> {
    fn default() -> Self {
        Self { gathers: Mutex::default(), zeros: Mutex::default() }
    }
}

impl<D: ComposedDevice> DeviceCache<D> {
    /// Returns a pattern, which is created at the first call.
    pub(super) fn gather(&self, pattern: Pattern) -> DeviceResult<D, Arc<Gather<D>>> {
        let mut gathers = self.gathers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gather) = gathers.get(&pattern) {
            return Ok(gather.clone());
        }
        let device = D::handle();
        let rows = pattern.rows();
        let count = rows.len();
        let inside = match rows.iter().all(Option::is_some) {
            true => None,
            false => Some(device.try_tensor_from_vec(rows.iter().map(Option::is_some).collect(), (count,))?),
        };
        let index = rows.into_iter().map(|row| row.unwrap_or(0)).collect::<Vec<usize>>();
        let index = device.try_tensor_from_vec(index, (count,))?;
        let gather = Arc::new(Gather { index, inside });
        gathers.insert(pattern, gather.clone());
        Ok(gather)
    }

    /// Calls `work` with a buffer of at least `length` zeros.
    pub(super) fn with_zeros<R>(
        &self,
        length: usize,
        work: impl FnOnce(&Buffer<D>) -> DeviceResult<D, R>,
    ) -> DeviceResult<D, R> {
        let mut zeros = self.zeros.lock().unwrap_or_else(PoisonError::into_inner);
        let device = D::handle();
        // A buffer that is too small is freed before a larger one is allocated.
        let kept = zeros.take().filter(|buffer| Storage::<f32>::len(&device, buffer) >= length);
        let buffer = match kept {
            Some(buffer) => buffer,
            None => Storage::<f32>::try_alloc_len(&device, length)?,
        };
        work(zeros.insert(buffer))
    }
}

impl ComposedDevice for Cpu {
    fn cache() -> &'static DeviceCache<Self> {
        static CACHE: LazyLock<DeviceCache<Cpu>> = LazyLock::new(DeviceCache::default);
        &CACHE
    }
}
