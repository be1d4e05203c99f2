//! The CPU with didact's own kernels, as a backend.

use dfdx::tensor::{Cpu, Merge, Tape};

use super::{
    activation, batch_norm, clip, concat, conv_norm, conv_transpose, conv2d, elementwise, losses, max_pool, resample,
};
use crate::tensor::tensors::{
    DeviceResult, Features, GradientNorms, Gradients, Matrix, Norm, Normalised, Scalar, Vector,
};
use crate::tensor::{Activation, Backend, Conv2d, Resampling};

/// The CPU with didact's own kernels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Native;

impl Backend for Native {
    type Device = Cpu;

    const KIND: &'static str = "cpu";

    fn conv2d<T: Tape<f32, Cpu>>(
        x: Features<Cpu, T>,
        weight: &Vector<Cpu>,
        bias: Option<&Vector<Cpu>>,
        geometry: Conv2d,
    ) -> DeviceResult<Cpu, Features<Cpu, T>> {
        conv2d::conv2d(x, weight, bias, geometry)
    }

    fn conv_transpose2x2<T: Tape<f32, Cpu>>(
        x: Features<Cpu, T>,
        weight: &Vector<Cpu>,
        bias: Option<&Vector<Cpu>>,
        output: usize,
    ) -> DeviceResult<Cpu, Features<Cpu, T>> {
        conv_transpose::conv_transpose2x2(x, weight, bias, output)
    }

    fn batch_norm_train<T: Tape<f32, Cpu>>(
        x: Features<Cpu, T>,
        norm: &Norm<'_, Cpu>,
        relu: bool,
    ) -> DeviceResult<Cpu, Normalised<Cpu, T>> {
        batch_norm::train(x, norm, relu)
    }

    fn batch_norm_frozen(
        x: Features<Cpu>,
        norm: &Norm<'_, Cpu>,
        statistics: (&Vector<Cpu>, &Vector<Cpu>),
        relu: bool,
    ) -> DeviceResult<Cpu, Features<Cpu>> {
        batch_norm::frozen(&x, norm, statistics, relu)
    }

    fn conv_norm_train<T: Tape<f32, Cpu>>(
        x: Features<Cpu, T>,
        weight: &Vector<Cpu>,
        geometry: Conv2d,
        norm: &Norm<'_, Cpu>,
        shortcut: Option<Features<Cpu, T>>,
        relu: bool,
    ) -> DeviceResult<Cpu, Normalised<Cpu, T>> {
        conv_norm::train(x, weight, geometry, norm, shortcut, relu)
    }

    fn conv_norm_frozen(
        x: Features<Cpu>,
        weight: &Vector<Cpu>,
        geometry: Conv2d,
        norm: &Norm<'_, Cpu>,
        statistics: (&Vector<Cpu>, &Vector<Cpu>),
        shortcut: Option<Features<Cpu>>,
        relu: bool,
    ) -> DeviceResult<Cpu, Features<Cpu>> {
        conv_norm::frozen(&x, weight, geometry, norm, statistics, shortcut.as_ref(), relu)
    }

    fn relu<T: Tape<f32, Cpu>>(x: Features<Cpu, T>) -> DeviceResult<Cpu, Features<Cpu, T>> {
        elementwise::relu(x)
    }

    fn activate<T: Tape<f32, Cpu>>(x: Features<Cpu, T>, activation: Activation) -> DeviceResult<Cpu, Features<Cpu, T>> {
        activation::activate(x, activation)
    }

    fn resample<T: Tape<f32, Cpu>>(x: Features<Cpu, T>, map: Resampling) -> DeviceResult<Cpu, Features<Cpu, T>> {
        resample::resample(x, map)
    }

    fn max_pool<T: Tape<f32, Cpu>>(x: Features<Cpu, T>) -> DeviceResult<Cpu, Features<Cpu, T>> {
        max_pool::max_pool(x)
    }

    fn add<T: Tape<f32, Cpu>>(a: Features<Cpu, T>, b: Features<Cpu, T>) -> DeviceResult<Cpu, Features<Cpu, T>> {
        elementwise::add(a, b)
    }

    fn scale<T: Tape<f32, Cpu>>(x: Features<Cpu, T>, factor: &Features<Cpu>) -> DeviceResult<Cpu, Features<Cpu, T>> {
        elementwise::scale(x, factor)
    }

    fn concat<T: Tape<f32, Cpu>>(a: Features<Cpu, T>, b: Features<Cpu, T>) -> DeviceResult<Cpu, Features<Cpu, T>> {
        concat::concat(a, b)
    }

    fn similarity<T: Tape<f32, Cpu>>(
        teacher: &Features<Cpu>,
        student: Features<Cpu, T>,
    ) -> DeviceResult<Cpu, Scalar<Cpu, T>> {
        losses::similarity(teacher, student)
    }

    fn mean_squared_error<T: Tape<f32, Cpu> + Merge<R>, R: Tape<f32, Cpu>>(
        a: Features<Cpu, T>,
        b: Features<Cpu, R>,
    ) -> DeviceResult<Cpu, Scalar<Cpu, T>> {
        losses::mean_squared_error(a, b)
    }

    fn distance_map(teacher: &Features<Cpu>, student: &Features<Cpu>) -> DeviceResult<Cpu, Matrix<Cpu>> {
        losses::distance_map(teacher, student)
    }

    fn clip_gradients(
        gradients: &mut Gradients<Cpu>,
        parts: &[Vec<Vector<Cpu>>],
        ceiling: f64,
    ) -> DeviceResult<Cpu, GradientNorms<Cpu>> {
        clip::clip_gradients(gradients, parts, ceiling)
    }
}
