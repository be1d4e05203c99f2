//! NVIDIA GPUs through dfdx: detection, opening, memory, and the backend.

use std::ffi::{CStr, c_char, c_void};
use std::sync::{Arc, OnceLock};

use cudarc::driver::CudaDevice;
use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys;
use dfdx::tensor::Cuda;

use super::composed::{ComposedDevice, DeviceCache};
use super::device::{DeviceMemory, TensorDevice};
use super::tensors::Buffer;
use super::{Backend, Gpu};

/// The GPU of this process.
struct Opened {
    device: Cuda,
    cache: DeviceCache<Cuda>,
    /// Context of the driver. dfdx does not give access to its own handle of it.
    context: Arc<CudaDevice>,
}

// SAFETY: streams, contexts and cuBLAS handles of CUDA may be used from any thread, and every call of cudarc binds the context
// to its thread first. The type is not Send because of a raw pointer, a stream. A process runs one stage at a time.
unsafe impl Send for Opened {}
// SAFETY: as above.
unsafe impl Sync for Opened {}

static OPENED: OnceLock<Opened> = OnceLock::new();

/// Returns the GPUs that this process may see.
///
/// # Errors
/// If the driver cannot be used.
pub fn gpus() -> Result<Vec<Gpu>, String> {
    result::init().map_err(|error| format!("cannot use the NVIDIA driver: {}", driver_message(error)))?;
    let count = result::device::get_count().map_err(driver_message)?;
    (0..count).map(|index| gpu(index).map_err(driver_message)).collect()
}

fn gpu(index: i32) -> Result<Gpu, DriverError> {
    use sys::CUdevice_attribute_enum::{
        CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
    };
    let device = result::device::get(index)?;
    let mut name = [0 as c_char; 256];
    // SAFETY: the driver is initialised and knows `device`. It writes at most the given length and a zero.
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

/// Opens a GPU. [`ComposedCuda`] can be used afterwards.
///
/// # Errors
/// If the driver, the GPU or the libraries cannot be used.
pub fn open(index: u32) -> Result<Gpu, String> {
    // Check the driver first, because dfdx panics without one.
    let gpus = gpus()?;
    let count = gpus.len();
    let gpu = gpus.into_iter().find(|gpu| gpu.index == index).ok_or_else(|| {
        format!("the NVIDIA driver shows {count} GPU(s) to this process, but not cuda:{index} (CUDA_VISIBLE_DEVICES can hide GPUs)")
    })?;
    let message = |error: String| format!("cannot open {}: {error}", gpu.name);
    let device = Cuda::try_build(index as usize, 0).map_err(|error| message(format!("{error:?}")))?;
    let context = CudaDevice::new(index as usize).map_err(|error| message(driver_message(error)))?;
    // A second call uses the device that is already open.
    let opened = OPENED.get_or_init(|| Opened { device, cache: DeviceCache::default(), context });
    // Keep freed memory for the next step instead of returning it at every synchronisation.
    opened.set(sys::CUmemPool_attribute_enum::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, u64::MAX);
    Ok(gpu)
}

/// Returns a message such as "CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected".
fn driver_message(error: DriverError) -> String {
    let text =
        |part: Result<&CStr, DriverError>| part.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{}: {}", text(error.error_name()), text(error.error_string()))
}

impl Opened {
    /// Returns the pool that freed memory returns to, or `None` if the device has no pools.
    fn pool(&self) -> Option<sys::CUmemoryPool> {
        let mut pool = std::ptr::null_mut();
        // SAFETY: the device is open.
        unsafe { sys::cuDeviceGetDefaultMemPool(&mut pool, *self.context.cu_device()) }.result().ok()?;
        Some(pool)
    }

    /// Sets a 64-bit attribute of the pool. If the driver refuses, only speed or the reported peak suffers.
    fn set(&self, attribute: sys::CUmemPool_attribute, mut value: u64) {
        if let Some(pool) = self.pool() {
            // SAFETY: the pool belongs to the device, and the value has the size of the attribute.
            let _ = unsafe { sys::cuMemPoolSetAttribute(pool, attribute, (&raw mut value).cast::<c_void>()) };
        }
    }

    /// Returns a 64-bit attribute of the pool.
    fn get(&self, attribute: sys::CUmemPool_attribute) -> Option<u64> {
        let mut value = 0_u64;
        // SAFETY: as above.
        let read = unsafe { sys::cuMemPoolGetAttribute(self.pool()?, attribute, (&raw mut value).cast::<c_void>()) };
        read.result().is_ok().then_some(value)
    }
}

fn opened() -> &'static Opened {
    OPENED.get().expect("the GPU is opened before anything runs on it")
}

impl ComposedDevice for Cuda {
    fn cache() -> &'static DeviceCache<Self> {
        &opened().cache
    }
}

impl TensorDevice for Cuda {
    fn handle() -> Self {
        opened().device.clone()
    }

    fn read(buffer: &Buffer<Self>) -> Vec<f32> {
        buffer.device().dtoh_sync_copy(buffer).expect("the device can be read")
    }

    fn write(buffer: &mut Buffer<Self>, values: &[f32]) {
        let device = buffer.device();
        device.htod_sync_copy_into(values, &mut **buffer).expect("the device can be written");
    }

    fn memory() -> Option<DeviceMemory> {
        let opened = OPENED.get()?;
        // The driver reports free memory for the context of the calling thread.
        opened.context.bind_to_thread().ok()?;
        let (free, total) = result::mem_get_info().ok()?;
        let peak = opened.get(sys::CUmemPool_attribute_enum::CU_MEMPOOL_ATTR_USED_MEM_HIGH).unwrap_or(0);
        Some(DeviceMemory { free: free as u64, total: total as u64, peak })
    }

    fn reset_memory() {
        let Some(opened) = OPENED.get() else { return };
        if let Some(pool) = opened.pool() {
            // SAFETY: trimming frees only memory that is not in use.
            let _ = unsafe { sys::cuMemPoolTrimTo(pool, 0) };
        }
        // Writing zero resets the peak.
        opened.set(sys::CUmemPool_attribute_enum::CU_MEMPOOL_ATTR_USED_MEM_HIGH, 0);
    }
}

/// dfdx's CUDA device with every operation composed.
#[derive(Debug, Clone, Copy, Default)]
pub struct ComposedCuda;

impl Backend for ComposedCuda {
    type Device = Cuda;

    const KIND: &'static str = "cuda";
}
