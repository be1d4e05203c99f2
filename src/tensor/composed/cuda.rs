//! NVIDIA GPUs as a place: probing, opening one, its memory.

use std::ffi::{CStr, c_char, c_void};
use std::sync::{Arc, OnceLock};

use cudarc::driver::CudaDevice;
use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys;
use dfdx::tensor::{Cuda, Storage};

use super::place::{Kept, Place};
use crate::tensor::{DeviceMemory, Gpu};

/// The GPU of this process.
struct Opened {
    kept: Kept<Cuda>,
    /// dfdx keeps its own to itself; both stand for the same context.
    context: Arc<CudaDevice>,
}

// SAFETY: streams, contexts and cuBLAS handles of CUDA may be used from any thread, and every call of cudarc binds the context
// to its thread first. What forbids it by type is a raw pointer, a stream. A process runs one stage at a time.
unsafe impl Send for Opened {}
// SAFETY: as above.
unsafe impl Sync for Opened {}

static OPENED: OnceLock<Opened> = OnceLock::new();

/// The GPUs that this process may see.
///
/// # Errors
/// Why the driver cannot be used.
pub fn gpus() -> Result<Vec<Gpu>, String> {
    result::init().map_err(|error| format!("the NVIDIA driver cannot be used: {}", spoken(error)))?;
    let count = result::device::get_count().map_err(spoken)?;
    (0..count).map(|index| gpu(index).map_err(spoken)).collect()
}

fn gpu(index: i32) -> Result<Gpu, DriverError> {
    use sys::CUdevice_attribute_enum::{
        CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
    };
    let device = result::device::get(index)?;
    let mut name = [0 as c_char; 256];
    // SAFETY: the driver is initialised, `device` is one of its own, and it writes at most the given length and a zero.
    let (name, major, minor, memory) = unsafe {
        sys::cuDeviceGetName(name.as_mut_ptr(), name.len() as i32, device).result()?;
        (
            CStr::from_ptr(name.as_ptr()).to_string_lossy().into_owned(),
            result::device::get_attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
            result::device::get_attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
            result::device::total_mem(device)?,
        )
    };
    Ok(Gpu { index: index as u32, name, capability: format!("{major}.{minor}"), memory: memory as u64 })
}

/// Opens a GPU; [`crate::tensor::Composed`] can be used afterwards.
///
/// # Errors
/// What is wrong with the driver, the GPU or the libraries.
pub fn open(index: u32) -> Result<Gpu, String> {
    // Probed first: dfdx panics where there is no driver.
    let gpus = gpus()?;
    let shown = gpus.len();
    let gpu = gpus.into_iter().find(|gpu| gpu.index == index).ok_or_else(|| {
        format!("the NVIDIA driver shows this process {shown} GPU(s), and no cuda:{index} (CUDA_VISIBLE_DEVICES hides others)")
    })?;
    let wrong = |error: String| format!("{} cannot be opened: {error}", gpu.name);
    let device = Cuda::try_build(index as usize, 0).map_err(|error| wrong(format!("{error:?}")))?;
    let context = CudaDevice::new(index as usize).map_err(|error| wrong(spoken(error)))?;
    // A second call finds the device open already, which is as good.
    let opened = OPENED.get_or_init(|| Opened { kept: Kept::new(device), context });
    // Memory that was freed is kept for the next step instead of being given back at every synchronisation.
    opened.set(sys::CUmemPool_attribute_enum::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, u64::MAX);
    Ok(gpu)
}

/// "CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected".
fn spoken(error: DriverError) -> String {
    let text =
        |part: Result<&CStr, DriverError>| part.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{}: {}", text(error.error_name()), text(error.error_string()))
}

impl Opened {
    /// The pool that freed memory goes back to; none where the device has no pools.
    fn pool(&self) -> Option<sys::CUmemoryPool> {
        let mut pool = std::ptr::null_mut();
        // SAFETY: the device is open.
        unsafe { sys::cuDeviceGetDefaultMemPool(&mut pool, *self.context.cu_device()) }.result().ok()?;
        Some(pool)
    }

    /// Sets an attribute of the pool that is a 64-bit number. A refusal costs speed or a figure, nothing else.
    fn set(&self, attribute: sys::CUmemPool_attribute, mut value: u64) {
        if let Some(pool) = self.pool() {
            // SAFETY: the pool is the device's, the value has the size that the attribute asks for.
            let _ = unsafe { sys::cuMemPoolSetAttribute(pool, attribute, (&raw mut value).cast::<c_void>()) };
        }
    }

    /// An attribute of the pool that is a 64-bit number.
    fn get(&self, attribute: sys::CUmemPool_attribute) -> Option<u64> {
        let mut value = 0_u64;
        // SAFETY: as above.
        let read = unsafe { sys::cuMemPoolGetAttribute(self.pool()?, attribute, (&raw mut value).cast::<c_void>()) };
        read.result().is_ok().then_some(value)
    }
}

impl Place for Cuda {
    const KIND: &'static str = "cuda";

    fn kept() -> &'static Kept<Self> {
        &OPENED.get().expect("the GPU is opened before anything runs on it").kept
    }

    fn read(buffer: &<Self as Storage<f32>>::Vec) -> Vec<f32> {
        buffer.device().dtoh_sync_copy(buffer).expect("the device can be read")
    }

    fn write(buffer: &mut <Self as Storage<f32>>::Vec, values: &[f32]) {
        let device = buffer.device();
        device.htod_sync_copy_into(values, &mut **buffer).expect("the device can be written");
    }

    fn memory() -> Option<DeviceMemory> {
        let opened = OPENED.get()?;
        // What is free is told of the thread's own context.
        opened.context.bind_to_thread().ok()?;
        let (free, total) = result::mem_get_info().ok()?;
        let peak = opened.get(sys::CUmemPool_attribute_enum::CU_MEMPOOL_ATTR_USED_MEM_HIGH).unwrap_or(0);
        Some(DeviceMemory { free: free as u64, total: total as u64, peak })
    }

    fn reset_memory() {
        let Some(opened) = OPENED.get() else { return };
        if let Some(pool) = opened.pool() {
            // SAFETY: trimming frees only what nobody uses.
            let _ = unsafe { sys::cuMemPoolTrimTo(pool, 0) };
        }
        // Zero starts the search for the peak anew.
        opened.set(sys::CUmemPool_attribute_enum::CU_MEMPOOL_ATTR_USED_MEM_HIGH, 0);
    }
}
