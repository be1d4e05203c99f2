//! Tensors: a shape, dfdx's identity and tape, and a buffer of the backend.

use std::sync::{Arc, OnceLock};

use dfdx::shapes::Shape;
use dfdx::tensor::{Cpu, NoneTape, OwnedTape, PutTape, SplitTape, TensorFromVec, WithEmptyTape};

use super::Kernels;
use super::slot::Slot;

/// The tape of training.
pub type Recorded = OwnedTape<Slot, Cpu>;

/// A tape, or [`NoneTape`].
pub trait Tape: dfdx::tensor::Tape<Slot, Cpu> {}

impl<T: dfdx::tensor::Tape<Slot, Cpu>> Tape for T {}

/// Identity and tape of a tensor. Its one element has no meaning.
pub(super) type Handle<T = NoneTape> = dfdx::tensor::Tensor<(), Slot, Cpu, T>;

/// Returns a new identity.
fn new_handle() -> Handle {
    static DEVICE: OnceLock<Cpu> = OnceLock::new();
    DEVICE.get_or_init(Cpu::default).tensor_from_vec(vec![Slot::default()], ())
}

/// Values in a buffer of the backend, row-major. Clones share the buffer and the identity.
#[derive(Debug)]
pub struct Tensor<S, B: Kernels, T = NoneTape> {
    shape: S,
    handle: Handle<T>,
    buffer: Arc<B::Buffer>,
}

impl<S: Shape, B: Kernels> Clone for Tensor<S, B> {
    fn clone(&self) -> Self {
        self.retaped()
    }
}

impl<S: Shape, B: Kernels> Tensor<S, B> {
    /// Creates a tensor with an identity of its own.
    pub(super) fn new(buffer: B::Buffer, shape: S) -> Self {
        Self::sharing(Arc::new(buffer), shape)
    }

    /// Creates a tensor with an identity of its own over a buffer that others may share.
    pub(super) fn sharing(buffer: Arc<B::Buffer>, shape: S) -> Self {
        Self { shape, handle: new_handle(), buffer }
    }

    /// Returns the same tensor with a tape.
    pub fn put_tape<T: Tape>(self, tape: T) -> Tensor<S, B, T> {
        Tensor { shape: self.shape, handle: self.handle.put_tape(tape), buffer: self.buffer }
    }

    /// Returns mutable access to the buffer. Copies it first if another tensor or an operation on a tape shares it.
    pub(super) fn buffer_mut(&mut self) -> super::OpResult<&mut B::Buffer> {
        if Arc::get_mut(&mut self.buffer).is_none() {
            self.buffer = Arc::new(B::copied(&self.buffer)?);
        }
        Ok(Arc::get_mut(&mut self.buffer).expect("the only owner"))
    }
}

impl<S: Shape, B: Kernels, T: Tape> Tensor<S, B, T> {
    /// Returns the tensor without its tape, and the tape.
    pub fn split_tape(self) -> (Tensor<S, B>, T) {
        let (handle, tape) = self.handle.split_tape();
        (Tensor { shape: self.shape, handle, buffer: self.buffer }, tape)
    }

    /// Returns the same tensor with a new tape of the same kind. Results of both are joined when their tapes are merged.
    pub fn with_empty_tape(&self) -> Self {
        Self { shape: self.shape, handle: self.handle.with_empty_tape(), buffer: self.buffer.clone() }
    }

    /// Returns the same tensor with another kind of tape.
    pub fn retaped<New: Tape>(&self) -> Tensor<S, B, New> {
        Tensor { shape: self.shape, handle: self.handle.retaped(), buffer: self.buffer.clone() }
    }
}

impl<S, B: Kernels, T> Tensor<S, B, T> {
    /// Returns the shape.
    pub fn shape(&self) -> &S {
        &self.shape
    }

    pub(super) fn buffer(&self) -> &Arc<B::Buffer> {
        &self.buffer
    }

    pub(super) fn handle(&self) -> &Handle<T> {
        &self.handle
    }

    pub(super) fn into_handle(self) -> Handle<T> {
        self.handle
    }
}

/// Activations, NHWC: (images, height, width, channels).
pub type Features<B, T = NoneTape> = Tensor<(usize, usize, usize, usize), B, T>;
impl<B: Kernels, T> Features<B, T> {
    /// Returns the same tensor with all values of an image as channels of one position: (N, H, W, C) as (N, 1, 1, H·W·C).
    ///
    /// It keeps identity and tape: gradients are buffers, whose order of values is the same.
    pub fn flattened(self) -> Self {
        let (images, height, width, channels) = self.shape;
        Self { shape: (images, 1, 1, height * width * channels), ..self }
    }
}

/// A matrix: (rows, columns).
pub type Rows<B> = Tensor<(usize, usize), B>;
/// One parameter, flat: a convolution's weights as (kernel row, kernel column, input, output).
pub type Vector<B> = Tensor<(usize,), B>;
/// A loss or a norm.
pub type Scalar<B, T = NoneTape> = Tensor<(), B, T>;

/// The parameters of a batch norm.
#[derive(Debug)]
pub struct Norm<'a, B: Kernels> {
    /// γ.
    pub weight: &'a Vector<B>,
    /// β.
    pub bias: &'a Vector<B>,
    /// ε.
    pub epsilon: f32,
}

/// Mean and unbiased variance of one batch per channel, for the running statistics.
#[derive(Debug, Clone)]
pub struct BatchStatistics<B: Kernels> {
    /// Mean per channel.
    pub mean: Vector<B>,
    /// Variance per channel, divided by n − 1 as in PyTorch's running variance.
    pub variance: Vector<B>,
}

/// Result of batch norm in training.
pub type Normalised<B, T> = (Features<B, T>, BatchStatistics<B>);

/// L2 norms of gradients.
#[derive(Debug, Clone)]
pub struct GradientNorms<B: Kernels> {
    /// The norm over all parameters.
    pub all: Scalar<B>,
    /// The norm over each part of the parameters.
    pub parts: Vec<Scalar<B>>,
}
