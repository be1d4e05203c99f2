//! The NVIDIA driver, found when the program runs: nothing is linked.

use std::ffi::{CStr, CString, c_char};
use std::ptr::null_mut;

use cudarc::driver::sys::{self, CUdevice_attribute_enum as Attribute, CUresult};

use crate::tensor::{DeviceError, Gpu, OpResult};

/// Oldest usable driver, as the CUDA version that it supports: 12.0, whose PTX the kernels have.
const OLDEST: i32 = 12_000;
/// Smallest major compute capability.
const OLDEST_CAPABILITY: i32 = 8;

/// Converts a result of the driver.
pub(super) fn check(result: CUresult) -> OpResult<()> {
    match result {
        CUresult::CUDA_SUCCESS => Ok(()),
        CUresult::CUDA_ERROR_OUT_OF_MEMORY => Err(DeviceError::OutOfMemory(message(result))),
        result => Err(DeviceError::Lost(message(result))),
    }
}

/// Returns a message such as "CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected".
fn message(result: CUresult) -> String {
    type Describe = unsafe fn(CUresult, *mut *const c_char) -> CUresult;
    let text = |describe: Describe| {
        let mut text = std::ptr::null();
        // SAFETY: the driver returns a static string, or fails and leaves the pointer null.
        unsafe {
            match describe(result, &raw mut text) {
                CUresult::CUDA_SUCCESS if !text.is_null() => CStr::from_ptr(text).to_string_lossy().into_owned(),
                _ => format!("error {}", result as u32),
            }
        }
    };
    format!("{}: {}", text(sys::cuGetErrorName), text(sys::cuGetErrorString))
}

/// Returns whether this machine has an NVIDIA driver.
pub fn has_driver() -> bool {
    // SAFETY: loading the driver's library runs its constructors, as every CUDA program does.
    unsafe { sys::is_culib_present() }
}

/// Loads the driver.
fn start() -> Result<(), String> {
    if !has_driver() {
        return Err(
            "there is no NVIDIA driver (libcuda.so.1) on this machine; in a container, pass the GPU through".to_owned()
        );
    }
    let refused = |result: CUresult| format!("cannot use the NVIDIA driver: {}", message(result));
    let mut version = 0;
    // SAFETY: both calls need no context. The second writes one integer.
    let (initialised, asked) = unsafe { (sys::cuInit(0), sys::cuDriverGetVersion(&raw mut version)) };
    if initialised != CUresult::CUDA_SUCCESS {
        return Err(refused(initialised));
    }
    if asked != CUresult::CUDA_SUCCESS {
        return Err(refused(asked));
    }
    if version < OLDEST {
        return Err(format!(
            "the NVIDIA driver supports CUDA {}.{}, but didact needs CUDA 12.0: install driver 525 or later",
            version / 1000,
            version % 1000 / 10
        ));
    }
    Ok(())
}

/// Returns the GPUs that this process may see.
///
/// # Errors
/// If the driver cannot be used.
pub fn gpus() -> Result<Vec<Gpu>, String> {
    start()?;
    let mut count = 0;
    // SAFETY: the driver is initialised and writes one integer.
    check(unsafe { sys::cuDeviceGetCount(&raw mut count) }).map_err(|error| error.to_string())?;
    (0..count).map(|index| gpu(index).map_err(|error| error.to_string())).collect()
}

fn gpu(index: i32) -> OpResult<Gpu> {
    let mut device = 0;
    let mut name = [0 as c_char; 256];
    let mut memory = 0;
    // SAFETY: the driver is initialised. It writes at most the given length and a zero, and one number each.
    unsafe {
        check(sys::cuDeviceGet(&raw mut device, index))?;
        check(sys::cuDeviceGetName(name.as_mut_ptr(), name.len() as i32, device))?;
        check(sys::cuDeviceTotalMem_v2(&raw mut memory, device))?;
    }
    let major = attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
    let minor = attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
    // SAFETY: the driver terminates the name with a zero.
    let name = unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned();
    Ok(Gpu { index: index as u32, name, capability: format!("{major}.{minor}"), memory: memory as u64 })
}

fn attribute(device: sys::CUdevice, attribute: Attribute) -> OpResult<i32> {
    let mut value = 0;
    // SAFETY: the driver is initialised and knows `device`. It writes one integer.
    check(unsafe { sys::cuDeviceGetAttribute(&raw mut value, attribute, device) })?;
    Ok(value)
}

/// Returns the GPUs that didact's kernels run on: at least one.
///
/// # Errors
/// If the driver cannot be used, or if there is no such GPU.
pub fn usable_gpus() -> Result<Vec<Gpu>, String> {
    let (usable, others): (Vec<Gpu>, Vec<Gpu>) = gpus()?.into_iter().partition(|gpu| capability_suffices(gpu).is_ok());
    match (usable.is_empty(), others.first()) {
        (false, _) => Ok(usable),
        (true, Some(other)) => Err(capability_suffices(other).err().unwrap_or_default()),
        (true, None) => Err("the NVIDIA driver reports no GPU (CUDA_VISIBLE_DEVICES can hide them)".to_owned()),
    }
}

fn capability_suffices(gpu: &Gpu) -> Result<(), String> {
    let major = gpu.capability.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    match major >= OLDEST_CAPABILITY {
        true => Ok(()),
        false => Err(format!(
            "{} has compute capability {}, but didact's kernels need {OLDEST_CAPABILITY}.0 or later",
            gpu.name, gpu.capability
        )),
    }
}

/// Finds a GPU and checks that didact's kernels run on it.
pub(super) fn find(index: u32) -> Result<Gpu, String> {
    let gpus = gpus()?;
    let count = gpus.len();
    let gpu = gpus.into_iter().find(|gpu| gpu.index == index).ok_or_else(|| {
        format!("the NVIDIA driver shows {count} GPU(s) to this process, but not cuda:{index} (CUDA_VISIBLE_DEVICES can hide GPUs)")
    })?;
    capability_suffices(&gpu)?;
    Ok(gpu)
}

/// The primary context of a GPU.
pub(super) struct Context(sys::CUcontext);

impl Context {
    pub(super) fn of(index: u32) -> OpResult<Self> {
        let (mut device, mut context) = (0, null_mut());
        // SAFETY: the driver is initialised. The primary context lives as long as the process.
        unsafe {
            check(sys::cuDeviceGet(&raw mut device, index as i32))?;
            check(sys::cuDevicePrimaryCtxRetain(&raw mut context, device))?;
        }
        Ok(Self(context))
    }

    /// Makes the context that of the calling thread.
    pub(super) fn bind(&self) -> OpResult<()> {
        // SAFETY: the context is alive.
        check(unsafe { sys::cuCtxSetCurrent(self.0) })
    }
}

/// A stream that does not wait for the legacy stream.
#[derive(Clone, Copy)]
pub(super) struct Stream(pub(super) sys::CUstream);

impl Stream {
    pub(super) fn new() -> OpResult<Self> {
        let mut stream = null_mut();
        // SAFETY: a context is bound. The stream lives as long as the process.
        check(unsafe {
            sys::cuStreamCreate(&raw mut stream, sys::CUstream_flags_enum::CU_STREAM_NON_BLOCKING as u32)
        })?;
        Ok(Self(stream))
    }

    /// Waits until all work is done.
    pub(super) fn synchronise(self) -> OpResult<()> {
        // SAFETY: the stream is alive.
        check(unsafe { sys::cuStreamSynchronize(self.0) })
    }

    /// Makes later work of this stream wait for an event.
    pub(super) fn wait(self, event: &Event) -> OpResult<()> {
        // SAFETY: stream and event are alive.
        check(unsafe { sys::cuStreamWaitEvent(self.0, event.0, 0) })
    }
}

/// A point in a stream's work.
pub(super) struct Event(sys::CUevent);

impl Event {
    pub(super) fn new() -> OpResult<Self> {
        let mut event = null_mut();
        let flags = sys::CUevent_flags_enum::CU_EVENT_DISABLE_TIMING as u32;
        // SAFETY: a context is bound. The event lives as long as the process.
        check(unsafe { sys::cuEventCreate(&raw mut event, flags) })?;
        Ok(Self(event))
    }

    /// Sets the point behind the work that the stream has now.
    pub(super) fn record(&self, stream: Stream) -> OpResult<()> {
        // SAFETY: stream and event are alive.
        check(unsafe { sys::cuEventRecord(self.0, stream.0) })
    }

    /// Waits until the work before the point is done.
    pub(super) fn synchronise(&self) -> OpResult<()> {
        // SAFETY: the event is alive.
        check(unsafe { sys::cuEventSynchronize(self.0) })
    }
}

/// Memory of the host that the device reads directly.
pub(super) struct Pinned {
    start: *mut u8,
    length: usize,
}

impl Pinned {
    pub(super) fn new(length: usize) -> OpResult<Self> {
        let mut start = null_mut();
        // SAFETY: a context is bound.
        check(unsafe { sys::cuMemHostAlloc(&raw mut start, length, 0) })?;
        Ok(Self { start: start.cast(), length })
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the driver allocated so many bytes, which only this value gives access to.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }

    /// Starts a copy of the first bytes to the device.
    ///
    /// The caller must not write to this memory or free it before the stream has done it.
    pub(super) fn start_upload(&self, count: usize, to: u64, stream: Stream) -> OpResult<()> {
        assert!(count <= self.length, "as many bytes as there are");
        // SAFETY: `to` is memory of the device of at least `count` bytes; callers pass their own buffers.
        check(unsafe { sys::cuMemcpyHtoDAsync_v2(to, self.start.cast(), count, stream.0) })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // SAFETY: allocated above, freed once. A failure leaves the memory allocated.
        let _ = unsafe { sys::cuMemFreeHost(self.start.cast()) };
    }
}

/// Allocates memory of the device.
pub(super) fn allocate(bytes: usize) -> OpResult<u64> {
    let mut pointer = 0;
    // SAFETY: a context is bound.
    check(unsafe { sys::cuMemAlloc_v2(&raw mut pointer, bytes) })?;
    Ok(pointer)
}

/// Frees memory of the device.
pub(super) fn free(pointer: u64) -> OpResult<()> {
    // SAFETY: callers pass what `allocate` returned, once.
    check(unsafe { sys::cuMemFree_v2(pointer) })
}

/// Returns the free and the total memory of the device, in bytes.
pub(super) fn memory() -> OpResult<(u64, u64)> {
    let (mut free, mut total) = (0, 0);
    // SAFETY: a context is bound. The driver writes two numbers.
    check(unsafe { sys::cuMemGetInfo_v2(&raw mut free, &raw mut total) })?;
    Ok((free as u64, total as u64))
}

/// Copies values to the host, after all earlier work of the stream.
pub(super) fn download(from: u64, to: &mut [f32], stream: Stream) -> OpResult<()> {
    // SAFETY: `from` is memory of the device of at least as many values; callers pass their own buffers. The copy ends before the
    // borrow does.
    check(unsafe { sys::cuMemcpyDtoHAsync_v2(to.as_mut_ptr().cast(), from, size_of_val(to), stream.0) })?;
    stream.synchronise()
}

/// Kernels of a loaded module.
pub(super) struct Module(sys::CUmodule);

impl Module {
    /// Loads PTX, which the driver translates for its GPU.
    pub(super) fn load(ptx: &str) -> OpResult<Self> {
        let text = CString::new(ptx).expect("PTX has no zero bytes");
        let mut module = null_mut();
        // SAFETY: a context is bound, and the text ends with a zero.
        check(unsafe { sys::cuModuleLoadData(&raw mut module, text.as_ptr().cast()) })?;
        Ok(Self(module))
    }

    pub(super) fn function(&self, name: &str) -> OpResult<Function> {
        let name = CString::new(name).expect("kernels' names have no zero bytes");
        let mut function = null_mut();
        // SAFETY: the module is loaded, and the name ends with a zero.
        check(unsafe { sys::cuModuleGetFunction(&raw mut function, self.0, name.as_ptr()) })?;
        Ok(Function(function))
    }
}

/// A kernel.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Function(sys::CUfunction);

impl Function {
    /// Starts the kernel. Each argument is a word that holds it in its lowest bytes.
    pub(super) fn launch(self, grid: [u32; 3], block: u32, arguments: &mut [u64], stream: Stream) -> OpResult<()> {
        let mut pointers: Vec<*mut std::ffi::c_void> =
            arguments.iter_mut().map(|argument| std::ptr::from_mut(argument).cast()).collect();
        // SAFETY: the driver copies the arguments before it returns. Their number and types are those of the kernel; the tests of every
        // operation check them on the emulation, which knows both.
        check(unsafe {
            sys::cuLaunchKernel(
                self.0,
                grid[0],
                grid[1],
                grid[2],
                block,
                1,
                1,
                0,
                stream.0,
                pointers.as_mut_ptr(),
                null_mut(),
            )
        })
    }
}

/// Launches that the driver starts at once.
pub(super) struct Graph(sys::CUgraphExec);

impl Graph {
    /// Records the launches that `enqueue` makes on the stream. None of them runs.
    pub(super) fn of(stream: Stream, enqueue: impl FnOnce() -> OpResult<()>) -> OpResult<Self> {
        let mode = sys::CUstreamCaptureMode_enum::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        // SAFETY: the stream is alive and captures nothing.
        check(unsafe { sys::cuStreamBeginCapture_v2(stream.0, mode) })?;
        let enqueued = enqueue();
        let mut graph = null_mut();
        // SAFETY: the capture has begun above and ends here, whatever happened between.
        let ended = check(unsafe { sys::cuStreamEndCapture(stream.0, &raw mut graph) });
        enqueued.and(ended)?;
        let mut executable = null_mut();
        // SAFETY: the graph was captured above and is destroyed once.
        unsafe {
            let made = check(sys::cuGraphInstantiateWithFlags(&raw mut executable, graph, 0));
            check(sys::cuGraphDestroy(graph)).and(made)?;
        }
        Ok(Self(executable))
    }

    pub(super) fn launch(&self, stream: Stream) -> OpResult<()> {
        // SAFETY: graph and stream are alive.
        check(unsafe { sys::cuGraphLaunch(self.0, stream.0) })
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: instantiated above, destroyed once. A failure leaves it allocated.
        let _ = unsafe { sys::cuGraphExecDestroy(self.0) };
    }
}
