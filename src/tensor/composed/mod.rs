//! The operations composed of dfdx's own public ones, on any of its devices.
//!
//! Each operation is one entry on the tape: its forward pass and its backward pass are written with dfdx's forward
//! operations on tensors without tape. That way nothing depends on dfdx's own gradients (whose scattering kernels sum in any
//! order, and which keep the gradient of every intermediate to the end), and a fused kernel can take an operation's place.
//! Operations of dfdx that compile at run time are not used: concatenating, stacking, copying a view to a contiguous
//! tensor, converting types.

mod activation;
mod batch_norm;
mod border;
mod clip;
mod concat;
mod conv2d;
mod conv_transpose;
#[cfg(feature = "cuda")]
pub mod cuda;
mod elementwise;
mod losses;
mod max_pool;
mod pattern;
mod place;
mod resample;
mod rows;
mod taken;

use std::marker::PhantomData;

use dfdx::tensor::{Merge, NoneTape, Storage, Tape, Tensor};

pub use place::{Kept, Place};

use super::backend::{rectified, to_host};
use super::{
    Activation, Backend, Conv2d, DeviceMemory, Features, GradientNorms, Gradients, Norm, Normalised, OpResult,
    Resampling, Scalar, Vector,
};

/// The composed operations on a device of dfdx.
pub struct Composed<D>(PhantomData<fn() -> D>);

impl<D> Clone for Composed<D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for Composed<D> {}

impl<D> Default for Composed<D> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<D> std::fmt::Debug for Composed<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Composed")
    }
}

/// Activations.
type Taped<D, T = NoneTape> = Tensor<(usize, usize, usize, usize), f32, D, T>;
/// One parameter, flat.
type Weights<D> = Tensor<(usize,), f32, D>;
type Buffer<D> = <D as Storage<f32>>::Vec;

/// The device of this process.
fn device<D: Place>() -> D {
    D::kept().device()
}

impl<D: Place> Backend for Composed<D> {
    type Device = D;

    const KIND: &'static str = D::KIND;

    fn device() -> D {
        device::<D>()
    }

    fn memory() -> Option<DeviceMemory> {
        D::memory()
    }

    fn reset_memory() {
        D::reset_memory();
    }

    fn conv2d<T: Tape<f32, D>>(
        x: Features<Self, T>,
        weight: &Vector<Self>,
        bias: Option<&Vector<Self>>,
        geometry: Conv2d,
    ) -> OpResult<Self, Features<Self, T>> {
        conv2d::conv2d(x, weight, bias, geometry)
    }

    fn conv_transpose2x2<T: Tape<f32, D>>(
        x: Features<Self, T>,
        weight: &Vector<Self>,
        bias: Option<&Vector<Self>>,
        output: usize,
    ) -> OpResult<Self, Features<Self, T>> {
        conv_transpose::conv_transpose2x2(x, weight, bias, output)
    }

    fn batch_norm_train<T: Tape<f32, D>>(
        x: Features<Self, T>,
        norm: &Norm<'_, Self>,
        relu: bool,
    ) -> OpResult<Self, Normalised<Self, T>> {
        let (y, statistics) = batch_norm::train(x, norm)?;
        Ok((rectified::<Self, T>(y, relu)?, statistics))
    }

    fn batch_norm_frozen(
        x: Features<Self>,
        norm: &Norm<'_, Self>,
        statistics: (&Vector<Self>, &Vector<Self>),
        relu: bool,
    ) -> OpResult<Self, Features<Self>> {
        rectified::<Self, _>(batch_norm::frozen(x, norm, statistics)?, relu)
    }

    fn relu<T: Tape<f32, D>>(x: Features<Self, T>) -> OpResult<Self, Features<Self, T>> {
        elementwise::relu(x)
    }

    fn activate<T: Tape<f32, D>>(x: Features<Self, T>, activation: Activation) -> OpResult<Self, Features<Self, T>> {
        activation::activate(x, activation)
    }

    fn resample<T: Tape<f32, D>>(x: Features<Self, T>, map: Resampling) -> OpResult<Self, Features<Self, T>> {
        resample::resample(x, map)
    }

    fn max_pool<T: Tape<f32, D>>(x: Features<Self, T>) -> OpResult<Self, Features<Self, T>> {
        max_pool::max_pool(x)
    }

    fn add<T: Tape<f32, D>>(a: Features<Self, T>, b: Features<Self, T>) -> OpResult<Self, Features<Self, T>> {
        elementwise::add(a, b)
    }

    fn scale<T: Tape<f32, D>>(x: Features<Self, T>, factor: &Features<Self>) -> OpResult<Self, Features<Self, T>> {
        elementwise::scale(x, factor)
    }

    fn concat<T: Tape<f32, D>>(a: Features<Self, T>, b: Features<Self, T>) -> OpResult<Self, Features<Self, T>> {
        concat::concat(a, b)
    }

    fn similarity<T: Tape<f32, D>>(
        teacher: &Features<Self>,
        student: Features<Self, T>,
    ) -> OpResult<Self, Scalar<Self, T>> {
        losses::similarity(teacher, student)
    }

    fn mean_squared_error<T: Tape<f32, D> + Merge<R>, R: Tape<f32, D>>(
        a: Features<Self, T>,
        b: Features<Self, R>,
    ) -> OpResult<Self, Scalar<Self, T>> {
        losses::mean_squared_error(a, b)
    }

    fn distance_map(teacher: &Features<Self>, student: &Features<Self>) -> OpResult<Self, Vec<f32>> {
        Ok(to_host(&losses::distances(teacher, student)?))
    }

    fn clip_gradients(
        gradients: &mut Gradients<Self>,
        parts: &[Vec<Vector<Self>>],
        ceiling: f64,
    ) -> OpResult<Self, GradientNorms<Self>> {
        let (all, parts) = clip::clip_gradients(gradients, parts, ceiling)?;
        Ok(GradientNorms { all, parts })
    }

    fn buffer_to_host(buffer: &Buffer<D>) -> Vec<f32> {
        D::read(buffer)
    }

    fn buffer_from_host(buffer: &mut Buffer<D>, values: &[f32]) {
        D::write(buffer, values);
    }
}
