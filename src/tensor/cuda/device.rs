//! The GPU of this process: its memory, its stream, and the launches that wait.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::arena::Arena;
use super::cudnn::Convolution;
use super::driver::{self, Context, Function, Module, Pinned, Stream};
use super::inbox::Inbox;
use super::launch::Word;
use super::provider::Provider;
use super::queue::{Numbers, Queue, Work};
use super::tiles::Pass;
use crate::tensor::geometry::Nhwc;
use crate::tensor::{Conv2d, Convolutions, DeviceMemory, Gpu, Numerics, OpResult};

/// didact's kernels, translated from `kernels/*.cu` by `gpu/build.sh`.
const KERNELS: &str = include_str!("../../../kernels/kernels.ptx");

/// Environment variable for tests: `apart` gives every buffer memory of its own, `eager` makes no graphs, `cudnn` lets cuDNN compute the
/// convolutions of unit tests. They can be combined.
pub(super) const TESTING: &str = "DIDACT_CUDA_TESTING";

/// Threads of a block.
const BLOCK: u32 = 256;

/// An open GPU.
struct Opened {
    gpu: Gpu,
    context: Context,
    stream: Stream,
    module: Module,
    functions: HashMap<&'static str, Function>,
    arena: Arena,
    queue: Queue,
    numbers: Numbers,
    inbox: Inbox,
    numerics: Numerics,
    convolutions: Convolutions,
    provider: Provider,
}

// SAFETY: one thread at a time may use the objects of CUDA and cuDNN, after it has bound the context. `with_device` binds the context under a
// lock. These objects are not Send because they are raw pointers.
unsafe impl Send for Opened {}

static OPENED: Mutex<Option<Opened>> = Mutex::new(None);

fn lock() -> MutexGuard<'static, Option<Opened>> {
    OPENED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens a GPU for this process. [`super::Cuda`] can be used afterwards.
///
/// # Errors
/// If the driver, the GPU or a requested cuDNN cannot be used. Also if the process already uses another GPU, other numerics or other
/// convolutions.
pub fn open(index: u32, numerics: Numerics, convolutions: Convolutions) -> Result<Gpu, String> {
    let mut opened = lock();
    if let Some(opened) = &*opened {
        let same = opened.gpu.index == index && opened.numerics == numerics && opened.convolutions == convolutions;
        let (used, kind) = (opened.numerics.name(), opened.convolutions.name());
        return match same {
            true => Ok(opened.gpu.clone()),
            false => Err(format!("this process already uses {} with {used} and {kind} convolutions", opened.gpu.name)),
        };
    }
    let gpu = driver::find(index)?;
    let testing = std::env::var(TESTING).unwrap_or_default();
    let open = || {
        let context = Context::of(index)?;
        context.bind()?;
        let stream = Stream::new()?;
        Ok(Opened {
            gpu: gpu.clone(),
            context,
            stream,
            module: Module::load(KERNELS)?,
            functions: HashMap::new(),
            arena: Arena::new(testing.contains("apart")),
            queue: Queue::new(!testing.contains("eager")),
            numbers: Numbers::new()?,
            inbox: Inbox::new()?,
            numerics,
            convolutions,
            provider: Provider::open(convolutions, &gpu, stream, numerics)?,
        })
    };
    let device = open().map_err(|error: crate::tensor::DeviceError| format!("cannot open {}: {error}", gpu.name))?;
    *opened = Some(device);
    Ok(gpu)
}

fn with_device<R>(work: impl FnOnce(&mut Opened) -> OpResult<R>) -> OpResult<R> {
    let mut opened = lock();
    let opened = opened.as_mut().expect("the GPU is opened before anything runs on it");
    opened.context.bind()?;
    work(opened)
}

impl Opened {
    fn submit(&mut self) -> OpResult<()> {
        self.inbox.before_submission(self.stream)?;
        self.numbers.submit(self.stream)?;
        self.queue.submit(self.stream)?;
        self.inbox.after_submission(self.stream)
    }

    /// Frees memory that holds no buffer.
    fn trim(&mut self) -> OpResult<()> {
        self.submit()?;
        self.stream.synchronise()?;
        // Graphs refer to addresses that may be gone.
        self.queue.forget();
        self.inbox.trim()?;
        self.arena.trim()
    }

    fn allocate(&mut self, bytes: usize) -> OpResult<u64> {
        self.arena.take(bytes).or_else(|_| {
            self.trim()?;
            self.arena.take(bytes)
        })
    }
}

/// Values on the GPU.
#[derive(Debug)]
pub struct CudaBuffer {
    address: u64,
    length: usize,
}

impl CudaBuffer {
    /// Returns memory for `length` values, which are unspecified.
    pub(super) fn new(length: usize) -> OpResult<Self> {
        let address = with_device(|device| device.allocate(size_of::<f32>() * length))?;
        Ok(Self { address, length })
    }

    /// Returns the number of values.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn address(&self) -> u64 {
        self.address
    }
}

impl Drop for CudaBuffer {
    fn drop(&mut self) {
        if let Some(device) = lock().as_mut()
            && !device.inbox.give_back(self.address)
        {
            // Launches that wait may still use the memory. Whatever uses it next is launched after them.
            device.arena.give_back(self.address);
        }
    }
}

/// Copies values to the device.
pub(super) fn upload(values: &[f32]) -> OpResult<CudaBuffer> {
    let address = with_device(|device| match device.inbox.put(bytemuck::cast_slice(values)) {
        Ok(address) => Ok(address),
        Err(_) => {
            device.trim()?;
            device.inbox.put(bytemuck::cast_slice(values))
        }
    })?;
    Ok(CudaBuffer { address, length: values.len() })
}

/// Copies values to the device, where they stay. Less memory of the host is pinned than with [`upload`], but the copy is awaited.
pub(super) fn keep(values: &[f32]) -> OpResult<CudaBuffer> {
    /// Values that are copied at once.
    const CHUNK: usize = 8 << 20;
    let buffer = CudaBuffer::new(values.len())?;
    with_device(|device| {
        // Launches that wait may use the memory before the buffer does.
        device.submit()?;
        let mut staging = Pinned::new(size_of::<f32>() * values.len().clamp(1, CHUNK))?;
        let mut to = buffer.address;
        for chunk in values.chunks(CHUNK) {
            let bytes = bytemuck::cast_slice(chunk);
            staging.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
            staging.start_upload(bytes.len(), to, device.stream)?;
            device.stream.synchronise()?;
            to += bytes.len() as u64;
        }
        Ok(())
    })?;
    Ok(buffer)
}

/// Copies a buffer to the host, after all launches.
pub(super) fn download(buffer: &CudaBuffer) -> OpResult<Vec<f32>> {
    with_device(|device| {
        device.submit()?;
        let mut values = vec![0.0; buffer.length];
        driver::download(buffer.address, &mut values, device.stream)?;
        Ok(values)
    })
}

/// Queues a launch, which reads `numbers` from memory of the device.
pub(super) fn launch(kernel: &'static str, grid: [usize; 3], numbers: &[u8], arguments: &[Word]) -> OpResult<()> {
    with_device(|device| {
        if !device.numbers.has_room(numbers.len()) {
            device.submit()?;
        }
        let start = if numbers.is_empty() { 0 } else { device.numbers.write(numbers) };
        let arguments: Vec<u64> = arguments
            .iter()
            .map(|word| match *word {
                Word::Value(value) => value,
                Word::Number(offset) => start + offset,
            })
            .collect();
        let function = match device.functions.get(kernel) {
            Some(function) => *function,
            None => {
                let function = device.module.function(kernel)?;
                device.functions.insert(kernel, function);
                function
            }
        };
        let grid = grid.map(|side| u32::try_from(side).expect("grids of fewer than 2³² blocks"));
        device.queue.push(Work::Kernel { function, grid, block: BLOCK }, &arguments);
        Ok(())
    })
}

/// Returns a convolution by cuDNN, or `None` if own kernels compute it. `fused` convolutions have something to do with their outputs.
pub(super) fn cudnn(pass: Pass, shape: Nhwc, conv: &Conv2d, fused: bool) -> OpResult<Option<Convolution>> {
    with_device(|device| device.provider.cudnn(pass, shape, conv, fused))
}

/// Queues a convolution by cuDNN. It adds to its result or overwrites it.
pub(super) fn convolve(
    convolution: Convolution,
    [image, weights, output]: [&CudaBuffer; 3],
    add: bool,
) -> OpResult<()> {
    // Whatever uses the memory of the workspace next is launched after the convolution.
    let workspace = match convolution.workspace() {
        0 => None,
        bytes => Some(CudaBuffer::new(bytes.div_ceil(size_of::<f32>()))?),
    };
    let workspace_address = workspace.as_ref().map_or(0, CudaBuffer::address);
    let arguments = [image.address(), weights.address(), output.address(), workspace_address, add.into()];
    with_device(|device| {
        device.queue.push(Work::Convolution(convolution), &arguments);
        Ok(())
    })
}

/// Starts all queued launches.
pub(super) fn submit() -> OpResult<()> {
    with_device(|device| if device.queue.is_empty() { Ok(()) } else { device.submit() })
}

/// Returns the precision of convolutions.
pub(super) fn numerics() -> Numerics {
    lock().as_ref().map_or(Numerics::F32, |device| device.numerics)
}

/// Returns who computes convolutions.
pub(super) fn convolutions() -> String {
    let own = || Convolutions::Own.name().to_owned();
    lock().as_ref().map_or_else(own, |device| device.provider.description().to_owned())
}

/// Returns the state of the memory.
pub(super) fn memory() -> Option<DeviceMemory> {
    with_device(|device| {
        let (free, total) = driver::memory()?;
        let peak = device.arena.peak() + device.inbox.in_use();
        Ok(DeviceMemory { free, total, peak: peak as u64 })
    })
    .ok()
}

/// Frees memory that holds no buffer, and resets the peak.
pub(super) fn reset_memory() {
    // A device that failed reports it with its next operation.
    let _ = with_device(Opened::trim);
}
