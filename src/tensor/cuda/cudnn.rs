//! cuDNN 9, found when the program runs: nothing is linked.
//!
//! The functions return codes to which new versions of cuDNN add others, so codes are read as numbers and not as the bindings' enum.

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::OnceLock;

use cudarc::cudnn::sys::{
    self, cudnnConvolutionDescriptor_t as Operation, cudnnFilterDescriptor_t as Filter, cudnnHandle_t as Handle,
    cudnnTensorDescriptor_t as Tensor,
};

use super::driver::Stream;
use super::tiles::Pass;
use crate::tensor::geometry::Nhwc;
use crate::tensor::{Conv2d, DeviceError, Numerics, OpResult};

/// The library's code for success.
const SUCCESS: Status = 0;
/// Codes of failed allocations, of the host and of the device.
const NO_MEMORY: [Status; 2] = [4003, 4004];
/// Codes of convolutions that cuDNN does not support.
const UNSUPPORTED: std::ops::Range<Status> = 3000..4000;
/// Most bytes of a workspace. A convolution that needs more is left to didact's own kernels.
const LARGEST_WORKSPACE: usize = 1 << 30;

type Status = u32;
type Pointer = *mut c_void;
type Source = *const c_void;

/// Declares the functions of the library that are used.
macro_rules! functions {
    ($($name:ident($($argument:ty),*) -> $result:ty;)*) => {
        #[expect(non_snake_case, reason = "the library's names")]
        struct Functions {
            $($name: unsafe extern "C" fn($($argument),*) -> $result,)*
        }

        impl Functions {
            /// Finds all functions in the library, which must be present.
            fn find() -> Result<Self, String> {
                // SAFETY: the types are those of the header files of cuDNN 9, with codes and enums as numbers of the same size. The library
                // stays loaded as long as the process lives.
                unsafe {
                    let library = sys::culib();
                    Ok(Self {
                        $($name: *library
                            .get::<unsafe extern "C" fn($($argument),*) -> $result>(stringify!($name).as_bytes())
                            .map_err(|error| error.to_string())?,)*
                    })
                }
            }
        }
    };
}

functions! {
    cudnnGetVersion() -> usize;
    cudnnGetErrorString(Status) -> *const c_char;
    cudnnGetLastErrorString(*mut c_char, usize) -> ();
    cudnnCreate(*mut Handle) -> Status;
    cudnnSetStream(Handle, sys::cudaStream_t) -> Status;
    cudnnCreateTensorDescriptor(*mut Tensor) -> Status;
    cudnnSetTensor4dDescriptor(Tensor, c_int, c_int, c_int, c_int, c_int, c_int) -> Status;
    cudnnCreateFilterDescriptor(*mut Filter) -> Status;
    cudnnSetFilter4dDescriptor(Filter, c_int, c_int, c_int, c_int, c_int, c_int) -> Status;
    cudnnCreateConvolutionDescriptor(*mut Operation) -> Status;
    cudnnSetConvolution2dDescriptor(Operation, c_int, c_int, c_int, c_int, c_int, c_int, c_int, c_int) -> Status;
    cudnnSetConvolutionMathType(Operation, c_int) -> Status;
    cudnnGetConvolutionForwardWorkspaceSize(Handle, Tensor, Filter, Operation, Tensor, c_int, *mut usize) -> Status;
    cudnnGetConvolutionBackwardDataWorkspaceSize(Handle, Filter, Tensor, Operation, Tensor, c_int, *mut usize) -> Status;
    cudnnGetConvolutionBackwardFilterWorkspaceSize(Handle, Tensor, Tensor, Operation, Filter, c_int, *mut usize) -> Status;
    cudnnConvolutionForward(
        Handle, Source, Tensor, Source, Filter, Source, Operation, c_int, Pointer, usize, Source, Tensor, Pointer
    ) -> Status;
    cudnnConvolutionBackwardData(
        Handle, Source, Filter, Source, Tensor, Source, Operation, c_int, Pointer, usize, Source, Tensor, Pointer
    ) -> Status;
    cudnnConvolutionBackwardFilter(
        Handle, Source, Tensor, Source, Tensor, Source, Operation, c_int, Pointer, usize, Source, Filter, Pointer
    ) -> Status;
}

/// Layout of tensors and weights: NHWC, and (output, kernel row, kernel column, input).
const NHWC: c_int = sys::cudnnTensorFormat_t::CUDNN_TENSOR_NHWC as c_int;
const FLOAT: c_int = sys::cudnnDataType_t::CUDNN_DATA_FLOAT as c_int;
const CROSS_CORRELATION: c_int = sys::cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION as c_int;

/// Algorithms that give the same bits each time on the same GPU: those that PyTorch takes when it must be deterministic.
const FORWARD: c_int = sys::cudnnConvolutionFwdAlgo_t::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM as c_int;
const DATA: c_int = sys::cudnnConvolutionBwdDataAlgo_t::CUDNN_CONVOLUTION_BWD_DATA_ALGO_1 as c_int;
const WEIGHTS: c_int = sys::cudnnConvolutionBwdFilterAlgo_t::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1 as c_int;

/// Returns the math type. cuDNN's default allows TF32 on GPUs that have it.
fn math(numerics: Numerics) -> c_int {
    match numerics {
        Numerics::F32 => sys::cudnnMathType_t::CUDNN_FMA_MATH as c_int,
        Numerics::Tf32 => sys::cudnnMathType_t::CUDNN_DEFAULT_MATH as c_int,
    }
}

/// The libraries that cuDNN 9 loads at the first call of their functions. Where one is missing, cuDNN ends the process.
#[cfg(unix)]
const PARTS: [&CStr; 3] = [c"libcudnn_graph.so.9", c"libcudnn_ops.so.9", c"libcudnn_cnn.so.9"];

/// Returns a library that cuDNN would need but not find.
#[cfg(unix)]
fn missing_part() -> Option<String> {
    // SAFETY: as for cuDNN itself. The parts stay loaded: cuDNN would load them soon.
    let missing = |part: &&CStr| unsafe { libc::dlopen(part.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) }.is_null();
    PARTS.iter().copied().find(missing).map(|part| part.to_string_lossy().into_owned())
}

#[cfg(not(unix))]
fn missing_part() -> Option<String> {
    None
}

/// Returns the functions of cuDNN 9, or why there are none.
fn functions() -> Result<&'static Functions, String> {
    static FOUND: OnceLock<Result<Functions, String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        // SAFETY: loading the library runs its constructors, as every program with cuDNN does.
        if !unsafe { sys::is_culib_present() } {
            return Err("there is no cuDNN 9 (libcudnn.so.9) on the loader's path".to_owned());
        }
        let functions = Functions::find().map_err(|error| format!("cannot use cuDNN: {error}"))?;
        let version = version_of(&functions);
        if version / 10_000 != 9 {
            return Err(format!("the cuDNN on the loader's path has version {version}, but didact needs 9 (9xxxx)"));
        }
        match missing_part() {
            None => Ok(functions),
            Some(part) => Err(format!("cuDNN is incomplete: {part} is not on the loader's path")),
        }
    });
    found.as_ref().map_err(Clone::clone)
}

/// Returns the version as the library numbers it: 91002 for 9.10.2.
fn version_of(functions: &Functions) -> usize {
    // SAFETY: the function takes nothing and returns a number.
    unsafe { (functions.cudnnGetVersion)() }
}

/// Returns the version of cuDNN, for example "9.10.2".
///
/// # Errors
/// If there is no cuDNN 9 that can be used.
pub fn cudnn_version() -> Result<String, String> {
    let version = version_of(functions()?);
    Ok(format!("{}.{}.{}", version / 10_000, version / 100 % 100, version % 100))
}

/// Converts a code of the library.
fn check(functions: &Functions, status: Status) -> OpResult<()> {
    match status {
        SUCCESS => Ok(()),
        status if NO_MEMORY.contains(&status) => Err(DeviceError::OutOfMemory(message(functions, status))),
        status => Err(DeviceError::Lost(message(functions, status))),
    }
}

/// Returns a message such as "cuDNN: CUDNN_STATUS_BAD_PARAM: …".
fn message(functions: &Functions, status: Status) -> String {
    let mut details = [0 as c_char; 512];
    // SAFETY: the first function returns a static string. The second writes at most the given length, of which the last byte stays zero.
    let (name, details) = unsafe {
        let name = (functions.cudnnGetErrorString)(status);
        (functions.cudnnGetLastErrorString)(details.as_mut_ptr(), details.len() - 1);
        let name = if name.is_null() {
            format!("error {status}")
        } else {
            CStr::from_ptr(name).to_string_lossy().into_owned()
        };
        (name, CStr::from_ptr(details.as_ptr()).to_string_lossy())
    };
    match details.trim() {
        "" => format!("cuDNN: {name}"),
        details => format!("cuDNN: {name}: {details}"),
    }
}

/// One pass of a convolution of given shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Convolution {
    pass: Pass,
    handle: Handle,
    /// The input, or its gradient.
    image: Tensor,
    weights: Filter,
    /// The output, or its gradient.
    output: Tensor,
    operation: Operation,
    /// Bytes.
    workspace: usize,
}

impl Convolution {
    /// Returns how many bytes of the device it needs while it runs.
    pub(super) fn workspace(&self) -> usize {
        self.workspace
    }

    /// Starts the convolution on the stream of its handle.
    ///
    /// The arguments are the addresses of image, weights, output and workspace, and 1 to add to the result or 0 to overwrite it.
    pub(super) fn start(&self, arguments: &[u64]) -> OpResult<()> {
        let &[image, weights, output, workspace, add] = arguments else { panic!("a convolution has five arguments") };
        let functions = functions().map_err(DeviceError::Lost)?;
        let (alpha, beta) = (1.0_f32, if add == 0 { 0.0_f32 } else { 1.0 });
        let (alpha, beta): (Source, Source) = ((&raw const alpha).cast(), (&raw const beta).cast());
        let (image, weights, output) = (image as Pointer, weights as Pointer, output as Pointer);
        let (workspace, bytes) = (workspace as Pointer, self.workspace);
        let Self { handle, image: image_of, weights: weights_of, output: output_of, operation, .. } = *self;
        // SAFETY: handle and descriptors live as long as the process, and the lock of the device keeps other threads away from them. The
        // addresses are buffers of the device of the described sizes; callers pass their own. alpha and beta are read before the call
        // returns.
        let status = unsafe {
            match self.pass {
                Pass::Forward => (functions.cudnnConvolutionForward)(
                    handle, alpha, image_of, image, weights_of, weights, operation, FORWARD, workspace, bytes, beta,
                    output_of, output,
                ),
                Pass::Data => (functions.cudnnConvolutionBackwardData)(
                    handle, alpha, weights_of, weights, output_of, output, operation, DATA, workspace, bytes, beta,
                    image_of, image,
                ),
                Pass::Weights => (functions.cudnnConvolutionBackwardFilter)(
                    handle, alpha, image_of, image, output_of, output, operation, WEIGHTS, workspace, bytes, beta,
                    weights_of, weights,
                ),
            }
        };
        check(functions, status)
    }
}

/// cuDNN on a stream, with the convolutions that were asked for. Its handle and its descriptors live as long as the process.
pub(super) struct Cudnn {
    functions: &'static Functions,
    handle: Handle,
    numerics: Numerics,
    /// `None` if cuDNN does not support it.
    known: HashMap<(Pass, Nhwc, Conv2d), Option<Convolution>>,
}

impl Cudnn {
    /// Opens cuDNN for the GPU whose context is bound.
    pub(super) fn open(stream: Stream, numerics: Numerics) -> OpResult<Self> {
        let functions = functions().map_err(DeviceError::Lost)?;
        let mut handle = null_mut();
        // SAFETY: a context is bound, and the stream is one of it.
        unsafe {
            check(functions, (functions.cudnnCreate)(&raw mut handle))?;
            check(functions, (functions.cudnnSetStream)(handle, stream.0.cast()))?;
        }
        Ok(Self { functions, handle, numerics, known: HashMap::new() })
    }

    /// Returns a convolution of images of this shape, or `None` if cuDNN does not support it.
    pub(super) fn convolution(&mut self, pass: Pass, shape: Nhwc, conv: &Conv2d) -> OpResult<Option<Convolution>> {
        let key = (pass, shape, *conv);
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let convolution = self.describe(pass, shape, conv)?;
        self.known.insert(key, convolution);
        Ok(convolution)
    }

    fn describe(&self, pass: Pass, shape: Nhwc, conv: &Conv2d) -> OpResult<Option<Convolution>> {
        let (image, output) = (self.tensor(shape)?, self.tensor(conv.output_shape(shape))?);
        let (weights, operation) = (self.filter(conv)?, self.operation(conv)?);
        let (functions, handle, mut workspace) = (self.functions, self.handle, 0);
        let bytes = &raw mut workspace;
        // SAFETY: handle and descriptors are alive. The library writes one number.
        let status = unsafe {
            match pass {
                Pass::Forward => (functions.cudnnGetConvolutionForwardWorkspaceSize)(
                    handle, image, weights, operation, output, FORWARD, bytes,
                ),
                Pass::Data => (functions.cudnnGetConvolutionBackwardDataWorkspaceSize)(
                    handle, weights, output, operation, image, DATA, bytes,
                ),
                Pass::Weights => (functions.cudnnGetConvolutionBackwardFilterWorkspaceSize)(
                    handle, image, output, operation, weights, WEIGHTS, bytes,
                ),
            }
        };
        if UNSUPPORTED.contains(&status) {
            return Ok(None);
        }
        check(functions, status)?;
        let convolution = Convolution { pass, handle, image, weights, output, operation, workspace };
        Ok((workspace <= LARGEST_WORKSPACE).then_some(convolution))
    }

    fn tensor(&self, (images, height, width, channels): Nhwc) -> OpResult<Tensor> {
        let [n, h, w, c] = [images, height, width, channels].map(int);
        let mut tensor = null_mut();
        // SAFETY: the library writes one pointer, which is then a descriptor.
        unsafe {
            check(self.functions, (self.functions.cudnnCreateTensorDescriptor)(&raw mut tensor))?;
            check(self.functions, (self.functions.cudnnSetTensor4dDescriptor)(tensor, NHWC, FLOAT, n, c, h, w))?;
        }
        Ok(tensor)
    }

    fn filter(&self, conv: &Conv2d) -> OpResult<Filter> {
        let [output, input, side] = [conv.output, conv.input, conv.kernel].map(int);
        let mut filter = null_mut();
        // SAFETY: as for a tensor.
        unsafe {
            check(self.functions, (self.functions.cudnnCreateFilterDescriptor)(&raw mut filter))?;
            let set = self.functions.cudnnSetFilter4dDescriptor;
            check(self.functions, set(filter, FLOAT, NHWC, output, input, side, side))?;
        }
        Ok(filter)
    }

    fn operation(&self, conv: &Conv2d) -> OpResult<Operation> {
        let [padding, stride] = [conv.padding, conv.stride].map(int);
        let mut operation = null_mut();
        // SAFETY: as for a tensor.
        unsafe {
            check(self.functions, (self.functions.cudnnCreateConvolutionDescriptor)(&raw mut operation))?;
            let set = self.functions.cudnnSetConvolution2dDescriptor;
            let status = set(operation, padding, padding, stride, stride, 1, 1, CROSS_CORRELATION, FLOAT);
            check(self.functions, status)?;
            check(self.functions, (self.functions.cudnnSetConvolutionMathType)(operation, math(self.numerics)))?;
        }
        Ok(operation)
    }
}

fn int(number: usize) -> c_int {
    c_int::try_from(number).expect("sides below 2³¹")
}
