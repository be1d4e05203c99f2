//! Own CPU kernels on dfdx's tape.
//!
//! Every reduction has a fixed shape and every element one writer, so results are the same bits for any number of threads.

mod activation;
mod batch_norm;
mod clip;
mod concat;
mod conv2d;
mod conv_norm;
mod conv_transpose;
mod elementwise;
mod gemm;
mod im2row;
mod losses;
mod max_pool;
mod norm;
mod resample;
mod scratch;
mod simd;
mod target;
mod wide;
mod winograd;
mod zeroed;

use dfdx::shapes::Shape;
use dfdx::tensor::{Cpu, Merge, NoneTape, Storage, Tape, Tensor, TensorFromVec};

use super::geometry::Nhwc;
use super::{
    Activation, Backend, Conv2d, Features, GradientNorms, Gradients, Norm, Normalised, OpResult, Resampling, Scalar,
    Vector,
};

/// The CPU with own kernels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Native;

type Buffer = <Cpu as Storage<f32>>::Vec;

/// A finished buffer as a tensor without tape; the buffer is moved, not copied.
fn tensor<S: Shape>(values: Vec<f32>, shape: S) -> Result<Tensor<S, f32, Cpu, NoneTape>, dfdx::tensor::CpuError> {
    Cpu::default().try_tensor_from_vec(values, shape)
}

impl Backend for Native {
    type Device = Cpu;

    const KIND: &'static str = "cpu";

    fn device() -> Cpu {
        Cpu::default()
    }

    fn conv2d<T: Tape<f32, Cpu>>(
        x: Features<Self, T>,
        weight: &Vector<Self>,
        bias: Option<&Vector<Self>>,
        geometry: Conv2d,
    ) -> OpResult<Self, Features<Self, T>> {
        conv2d::conv2d(x, weight, bias, geometry)
    }

    fn conv_transpose2x2<T: Tape<f32, Cpu>>(
        x: Features<Self, T>,
        weight: &Vector<Self>,
        bias: Option<&Vector<Self>>,
        output: usize,
    ) -> OpResult<Self, Features<Self, T>> {
        conv_transpose::conv_transpose2x2(x, weight, bias, output)
    }

    fn batch_norm_train<T: Tape<f32, Cpu>>(
        x: Features<Self, T>,
        norm: &Norm<'_, Self>,
        relu: bool,
    ) -> OpResult<Self, Normalised<Self, T>> {
        batch_norm::train(x, norm, relu)
    }

    fn batch_norm_frozen(
        x: Features<Self>,
        norm: &Norm<'_, Self>,
        statistics: (&Vector<Self>, &Vector<Self>),
        relu: bool,
    ) -> OpResult<Self, Features<Self>> {
        batch_norm::frozen(&x, norm, statistics, relu)
    }

    fn conv_norm_train<T: Tape<f32, Cpu>>(
        x: Features<Self, T>,
        weight: &Vector<Self>,
        geometry: Conv2d,
        norm: &Norm<'_, Self>,
        shortcut: Option<Features<Self, T>>,
        relu: bool,
    ) -> OpResult<Self, Normalised<Self, T>> {
        conv_norm::train(x, weight, geometry, norm, shortcut, relu)
    }

    fn conv_norm_frozen(
        x: Features<Self>,
        weight: &Vector<Self>,
        geometry: Conv2d,
        norm: &Norm<'_, Self>,
        statistics: (&Vector<Self>, &Vector<Self>),
        shortcut: Option<Features<Self>>,
        relu: bool,
    ) -> OpResult<Self, Features<Self>> {
        conv_norm::frozen(&x, weight, geometry, norm, statistics, shortcut.as_ref(), relu)
    }

    fn relu<T: Tape<f32, Cpu>>(x: Features<Self, T>) -> OpResult<Self, Features<Self, T>> {
        elementwise::relu(x)
    }

    fn activate<T: Tape<f32, Cpu>>(x: Features<Self, T>, activation: Activation) -> OpResult<Self, Features<Self, T>> {
        activation::activate(x, activation)
    }

    fn resample<T: Tape<f32, Cpu>>(x: Features<Self, T>, map: Resampling) -> OpResult<Self, Features<Self, T>> {
        resample::resample(x, map)
    }

    fn max_pool<T: Tape<f32, Cpu>>(x: Features<Self, T>) -> OpResult<Self, Features<Self, T>> {
        max_pool::max_pool(x)
    }

    fn add<T: Tape<f32, Cpu>>(a: Features<Self, T>, b: Features<Self, T>) -> OpResult<Self, Features<Self, T>> {
        elementwise::add(a, b)
    }

    fn scale<T: Tape<f32, Cpu>>(x: Features<Self, T>, factor: &Features<Self>) -> OpResult<Self, Features<Self, T>> {
        elementwise::scale(x, factor)
    }

    fn concat<T: Tape<f32, Cpu>>(a: Features<Self, T>, b: Features<Self, T>) -> OpResult<Self, Features<Self, T>> {
        concat::concat(a, b)
    }

    fn similarity<T: Tape<f32, Cpu>>(
        teacher: &Features<Self>,
        student: Features<Self, T>,
    ) -> OpResult<Self, Scalar<Self, T>> {
        losses::similarity(teacher, student)
    }

    fn mean_squared_error<T: Tape<f32, Cpu> + Merge<R>, R: Tape<f32, Cpu>>(
        a: Features<Self, T>,
        b: Features<Self, R>,
    ) -> OpResult<Self, Scalar<Self, T>> {
        losses::mean_squared_error(a, b)
    }

    fn distance_map(teacher: &Features<Self>, student: &Features<Self>) -> OpResult<Self, Vec<f32>> {
        Ok(losses::distance_map(teacher, student))
    }

    fn clip_gradients(
        gradients: &mut Gradients<Self>,
        parts: &[Vec<Vector<Self>>],
        ceiling: f64,
    ) -> OpResult<Self, GradientNorms<Self>> {
        clip::clip_gradients(gradients, parts, ceiling)
    }

    fn buffer_to_host(buffer: &Buffer) -> Vec<f32> {
        buffer.to_vec()
    }

    fn buffer_from_host(buffer: &mut Buffer, values: &[f32]) {
        buffer.copy_from_slice(values);
    }
}
