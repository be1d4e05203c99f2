//! The differentiable operations that the models need.

use dfdx::tensor::Merge;

use super::kernels::{Kernels, Update, UpdateRule};
use super::operations::{convolution, elementwise, losses, normalisation, transfer};
use super::tensor::{Features, GradientNorms, Norm, Normalised, Recorded, Rows, Scalar, Tape, Tensor, Vector};
use super::{Activation, Conv2d, DeviceError, Gradients, OpResult, Resampling, tape};

/// Operations on tensors, for every device with [`Kernels`].
///
/// Every operation on two tensors merges their tapes. Debug assertions check the shapes, which the layers above determine.
pub trait Backend: Kernels {
    /// Copies values to the device, row-major.
    fn upload<S: dfdx::shapes::Shape>(values: Vec<f32>, shape: S) -> OpResult<Tensor<S, Self>> {
        transfer::upload(values, shape)
    }

    /// Creates a tensor of a network, row-major.
    ///
    /// # Panics
    /// If the device failed. The payload is a [`DeviceError`]. Networks are small beside the first step, which returns its errors.
    fn create<S: dfdx::shapes::Shape>(values: Vec<f32>, shape: S) -> Tensor<S, Self> {
        Self::upload(values, shape).unwrap_or_else(|error: DeviceError| std::panic::panic_any(error))
    }

    /// Copies a tensor to the host, row-major.
    fn download<S, T>(tensor: &Tensor<S, Self, T>) -> OpResult<Vec<f32>> {
        Self::download_buffer(tensor.buffer())
    }

    /// Overwrites the values of a tensor, which keeps its identity.
    fn overwrite<S: dfdx::shapes::Shape>(tensor: &mut Tensor<S, Self>, values: &[f32]) -> OpResult<()> {
        Self::overwrite_buffer(tensor.buffer_mut()?, values)
    }

    /// Returns the value of a loss or a norm.
    fn number<T>(scalar: &Scalar<Self, T>) -> OpResult<f64> {
        Ok(f64::from(Self::download(scalar)?[0]))
    }

    /// Copies rows of values to the device, where they stay: (rows, columns).
    fn keep(values: &[f32], shape: (usize, usize)) -> OpResult<Rows<Self>> {
        transfer::keep(values, shape)
    }

    /// Returns some of the kept rows in this shape, one image per row.
    fn gather(rows: &Rows<Self>, indices: &[usize], shape: (usize, usize, usize, usize)) -> OpResult<Features<Self>> {
        transfer::gather(rows, indices, shape)
    }

    /// Computes a 2-D convolution (cross-correlation, as in PyTorch): (N, H, W, I) to (N, H', W', O).
    fn conv2d<T: Tape>(
        x: Features<Self, T>,
        weight: &Vector<Self>,
        bias: Option<&Vector<Self>>,
        geometry: Conv2d,
    ) -> OpResult<Features<Self, T>> {
        convolution::conv2d(x, weight, bias, geometry)
    }

    /// Computes a transposed 2×2 convolution with stride 2: (N, H, W, I) to (N, 2H, 2W, O).
    ///
    /// `weight` is (I, 2, 2, O), flat.
    fn conv_transpose2x2<T: Tape>(
        x: Features<Self, T>,
        weight: &Vector<Self>,
        bias: Option<&Vector<Self>>,
        output: usize,
    ) -> OpResult<Features<Self, T>> {
        convolution::conv_transpose2x2(x, weight, bias, output)
    }

    /// Applies batch norm with the batch's own statistics (Ioffe and Szegedy 2015) over N, H and W, then ReLU if `relu`.
    fn batch_norm_train<T: Tape>(
        x: Features<Self, T>,
        norm: &Norm<'_, Self>,
        relu: bool,
    ) -> OpResult<Normalised<Self, T>> {
        normalisation::train(x, norm, relu)
    }

    /// Applies batch norm with given mean and variance, then ReLU if `relu`. No gradient passes: this operation serves only frozen and
    /// evaluated networks.
    fn batch_norm_frozen(
        x: &Features<Self>,
        norm: &Norm<'_, Self>,
        statistics: (&Vector<Self>, &Vector<Self>),
        relu: bool,
    ) -> OpResult<Features<Self>> {
        normalisation::frozen(x, norm, statistics, relu)
    }

    /// Applies a convolution, batch norm with the batch's own statistics, the sum with a shortcut if given, and ReLU if `relu`.
    ///
    /// It is one operation, so that a device need not read intermediate results again.
    fn conv_norm_train<T: Tape>(
        x: Features<Self, T>,
        weight: &Vector<Self>,
        geometry: Conv2d,
        norm: &Norm<'_, Self>,
        shortcut: Option<Features<Self, T>>,
        relu: bool,
    ) -> OpResult<Normalised<Self, T>> {
        normalisation::conv_train(x, weight, geometry, norm, shortcut, relu)
    }

    /// Does the same as [`Backend::conv_norm_train`] with given mean and variance. No gradient passes.
    fn conv_norm_frozen(
        x: &Features<Self>,
        weight: &Vector<Self>,
        geometry: Conv2d,
        norm: &Norm<'_, Self>,
        statistics: (&Vector<Self>, &Vector<Self>),
        shortcut: Option<&Features<Self>>,
        relu: bool,
    ) -> OpResult<Features<Self>> {
        normalisation::conv_frozen(x, weight, geometry, norm, statistics, shortcut, relu)
    }

    /// Computes f(x), element by element. NaN stays NaN, so that divergence of a network is not hidden.
    fn activate<T: Tape>(x: Features<Self, T>, activation: Activation) -> OpResult<Features<Self, T>> {
        elementwise::activate(x, activation)
    }

    /// Up-samples (N, H, W, C) to (N, 2H, 2W, C), or adds a border around it.
    fn resample<T: Tape>(x: Features<Self, T>, map: Resampling) -> OpResult<Features<Self, T>> {
        elementwise::resample(x, map)
    }

    /// Computes the 3×3 maximum with stride 2 and padding 1, as in ResNet's stem.
    fn max_pool<T: Tape>(x: Features<Self, T>) -> OpResult<Features<Self, T>> {
        elementwise::max_pool(x)
    }

    /// Computes the element-wise sum.
    fn add<T: Tape>(a: Features<Self, T>, b: Features<Self, T>) -> OpResult<Features<Self, T>> {
        elementwise::add(a, b)
    }

    /// Computes x · factor, element by element. Only `x` receives a gradient.
    fn scale<T: Tape>(x: Features<Self, T>, factor: &Features<Self>) -> OpResult<Features<Self, T>> {
        elementwise::scale(x, factor)
    }

    /// Concatenates the channels of `a` and the channels of `b`.
    fn concat<T: Tape>(a: Features<Self, T>, b: Features<Self, T>) -> OpResult<Features<Self, T>> {
        elementwise::concat(a, b)
    }

    /// Computes the mean over all positions of the distance D = ‖t − s‖² (Wang et al. 2021, official code: no ½), with t = T/‖T‖ and s =
    /// S/‖S‖ over the channels of a position.
    ///
    /// Only `student` receives a gradient: ∂D/∂S = 2/‖S‖ · ((s − t) − s·⟨s − t, s⟩).
    fn similarity<T: Tape>(teacher: &Features<Self>, student: Features<Self, T>) -> OpResult<Scalar<Self, T>> {
        losses::similarity(teacher, student)
    }

    /// Computes the mean over all elements of (a − b)². Both sides receive a gradient, or only `a` if `b` has no tape.
    fn mean_squared_error<T: Tape + Merge<R>, R: Tape>(
        a: Features<Self, T>,
        b: Features<Self, R>,
    ) -> OpResult<Scalar<Self, T>> {
        losses::mean_squared_error(a, b)
    }

    /// Computes the mean over all elements of the smooth L1 distance (Girshick 2015): ½d² for |d| < 1, else |d| − ½, with d = a − b. Only `a`
    /// receives a gradient.
    fn smooth_l1<T: Tape>(a: Features<Self, T>, b: &Features<Self>) -> OpResult<Scalar<Self, T>> {
        losses::smooth_l1(a, b)
    }

    /// Computes the mean cross-entropy of a classifier whose logits are means over positions: (N, H, W, classes) against one label per
    /// image. Returns it with the number of images whose largest logit is their label's.
    fn pooled_cross_entropy<T: Tape>(x: Features<Self, T>, labels: &[usize]) -> OpResult<(Scalar<Self, T>, usize)> {
        losses::pooled_cross_entropy(x, labels)
    }

    /// Computes the sum of losses times their weights, from the first to the last.
    fn weighted_sum<T: Tape>(
        first: (Scalar<Self, T>, f32),
        others: impl IntoIterator<Item = (Scalar<Self, T>, f32)>,
    ) -> OpResult<Scalar<Self, T>> {
        losses::weighted_sum(first, others)
    }

    /// Computes the gradients of a loss with respect to every tensor on its tape.
    fn backward(loss: Scalar<Self, Recorded>) -> OpResult<Gradients<Self>> {
        tape::backward(loss)
    }

    /// Returns the values of a gradient.
    fn gradient<S: dfdx::shapes::Shape>(
        gradients: &mut Gradients<Self>,
        tensor: &Tensor<S, Self>,
    ) -> OpResult<Vec<f32>> {
        match gradients.of(tensor) {
            Some(gradient) => Self::download_buffer(gradient),
            None => Ok(vec![0.0; tensor.shape().num_elements()]),
        }
    }

    /// Computes weight · gradient + other_weight · other with respect to a tensor, in place of the gradient.
    fn add_gradient<S: dfdx::shapes::Shape>(
        (gradients, weight): (&mut Gradients<Self>, f32),
        (others, other_weight): (&mut Gradients<Self>, f32),
        tensor: &Tensor<S, Self>,
    ) -> OpResult<()> {
        let mut sum = None;
        for (gradients, weight) in [(&mut *gradients, weight), (others, other_weight)] {
            if let Some(gradient) = gradients.of(tensor) {
                Self::add_scaled(weight, gradient, &mut sum)?;
            }
        }
        sum.map_or(Ok(()), |sum| gradients.set(tensor, sum))
    }

    /// Returns the same values with another identity, so that no gradient passes.
    fn detach(features: &Features<Self>) -> Features<Self> {
        Tensor::sharing(features.buffer().clone(), *features.shape())
    }

    /// Computes (a + b)/2, element by element.
    fn average(a: &Rows<Self>, b: &Rows<Self>) -> OpResult<Rows<Self>> {
        debug_assert_eq!(a.shape(), b.shape());
        Ok(Tensor::new(Self::averaged(a.buffer(), b.buffer())?, *a.shape()))
    }

    /// Moves running statistics towards those of a batch: running·(1 − momentum) + batch·momentum.
    fn track(running: &mut Vector<Self>, batch: &Vector<Self>, momentum: f64) -> OpResult<()> {
        Self::move_towards(running.buffer_mut()?, batch.buffer(), momentum)
    }

    /// Computes the distance D of [`Backend::similarity`] at every position: (images, height · width).
    fn distance_map(teacher: &Features<Self>, student: &Features<Self>) -> OpResult<Rows<Self>> {
        losses::distance_map(teacher, student)
    }

    /// Computes the L2 norms of the gradients over each part of the parameters and over all. If the norm over all exceeds `ceiling` (>
    /// 0), scales the gradients to it.
    ///
    /// See Pascanu et al. 2013. The factor is PyTorch's min(1, ceiling / (norm + 1e-6)). The norms are those before scaling.
    fn clip_gradients(
        gradients: &mut Gradients<Self>,
        parts: &[Vec<Vector<Self>>],
        ceiling: f64,
    ) -> OpResult<GradientNorms<Self>> {
        gradients.clip(parts, ceiling)
    }

    /// Updates parameters against their gradients, which it takes. `moments` are the buffers of each parameter.
    fn optimise<'p>(
        rule: UpdateRule,
        parameters: impl IntoIterator<Item = &'p mut Vector<Self>>,
        moments: &'p mut [Moments<Self>],
        gradients: &mut Gradients<Self>,
    ) -> OpResult<()> {
        let updates = parameters.into_iter().zip(moments).map(|(parameter, moments)| {
            let gradient = gradients.take(parameter)?;
            let (first, second) = (moments.first.buffer_mut()?, moments.second.as_mut());
            let second = second.map(Tensor::buffer_mut).transpose()?;
            Ok(Update { parameter: parameter.buffer_mut()?, gradient, first, second })
        });
        Self::update(rule, updates.collect::<OpResult<_>>()?)
    }
}

impl<B: Kernels> Backend for B {}

/// What an optimiser remembers of the steps of a parameter.
pub struct Moments<B: Kernels> {
    /// Momentum, or Adam's first moment.
    pub first: Vector<B>,
    /// Adam's second moment.
    pub second: Option<Vector<B>>,
}
