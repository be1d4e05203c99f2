//! A device that the composed operations can run on, and what they keep there.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use dfdx::tensor::{Cpu, Storage, Tensor, TensorFromVec};

use super::pattern::Pattern;
use crate::tensor::TensorDevice;
use crate::tensor::tensors::{Buffer, DeviceResult};

/// A device with a cache for the composed operations.
pub trait ComposedDevice: TensorDevice + TensorFromVec<bool> {
    /// The cache of this process.
    fn cache() -> &'static DeviceCache<Self>;
}

/// A pattern on the device.
pub(super) struct Gather<D: ComposedDevice> {
    /// The source row of each result row; any row where the result row is outside.
    pub index: Tensor<(usize,), usize, D>,
    /// Which result rows are inside the source; `None` where all are.
    pub inside: Option<Tensor<(usize,), bool, D>>,
}

/// The patterns that are on a device already, and a buffer of zeros.
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
    /// A pattern, which is made the first time.
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
        let buffer = match zeros.take() {
            Some(buffer) if Storage::<f32>::len(&device, &buffer) >= length => buffer,
            // The smaller buffer is freed first.
            _ => Storage::<f32>::try_alloc_len(&device, length)?,
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
