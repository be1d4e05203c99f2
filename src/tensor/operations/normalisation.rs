//! Batch norm, alone or after a convolution.

use crate::tensor::kernels::{FrozenBuffers, NormBuffers, NormGradients, NormalisedBuffers};
use crate::tensor::tape::record;
use crate::tensor::tensor::{BatchStatistics, Features, Norm, Normalised, Tape, Tensor, Vector};
use crate::tensor::{Conv2d, Kernels, OpResult};

impl<B: Kernels> Norm<'_, B> {
    fn buffers(&self) -> NormBuffers<'_, B> {
        NormBuffers { weight: self.weight.buffer(), bias: self.bias.buffer(), epsilon: self.epsilon }
    }
}

/// See [`crate::tensor::Backend::batch_norm_train`].
pub(in crate::tensor) fn train<B: Kernels, T: Tape>(
    x: Features<B, T>,
    norm: &Norm<'_, B>,
    relu: bool,
) -> OpResult<Normalised<B, T>> {
    let (x, tape) = x.split_tape();
    let shape = *x.shape();
    let NormalisedBuffers { y, mean, variance, normalisation } =
        B::normalised(x.buffer(), shape.3, &norm.buffers(), None, relu)?;
    let y = Features::<B>::new(y, shape);
    let rectified = relu.then(|| y.buffer().clone());
    let (weight, bias) = (norm.weight.clone(), norm.bias.clone());
    let y = record(y, tape, move |dy, gradients| {
        let all = gradients.add_both([weight.handle(), bias.handle()], |weight_sum, bias_sum| {
            let (x, y) = (x.buffer(), rectified.as_deref());
            B::normalisation_gradients(&normalisation, dy, x, y, false, weight_sum, bias_sum)
        })?;
        gradients.give(x.handle(), all.input)
    });
    Ok((y, statistics(mean, variance, shape.3)))
}

/// See [`crate::tensor::Backend::batch_norm_frozen`].
pub(in crate::tensor) fn frozen<B: Kernels>(
    x: &Features<B>,
    norm: &Norm<'_, B>,
    (mean, variance): (&Vector<B>, &Vector<B>),
    relu: bool,
) -> OpResult<Features<B>> {
    let norm = FrozenBuffers { norm: norm.buffers(), mean: mean.buffer(), variance: variance.buffer() };
    let y = B::normalised_frozen(x.buffer(), x.shape().3, &norm, relu)?;
    Ok(Tensor::new(y, *x.shape()))
}

/// See [`crate::tensor::Backend::conv_norm_train`].
pub(in crate::tensor) fn conv_train<B: Kernels, T: Tape>(
    x: Features<B, T>,
    weight: &Vector<B>,
    conv: Conv2d,
    norm: &Norm<'_, B>,
    shortcut: Option<Features<B, T>>,
    relu: bool,
) -> OpResult<Normalised<B, T>> {
    let (x, mut tape) = x.split_tape();
    let shortcut = shortcut.map(|shortcut| {
        let (shortcut, other) = shortcut.split_tape();
        tape = std::mem::take(&mut tape).merge(other);
        shortcut
    });
    let shape = *x.shape();
    let added = shortcut.as_ref().map(|shortcut| &**shortcut.buffer());
    let (z, NormalisedBuffers { y, mean, variance, normalisation }) =
        B::convolved_normalised(x.buffer(), shape, weight.buffer(), &conv, &norm.buffers(), added, relu)?;
    let y = Features::<B>::new(y, conv.output_shape(shape));
    let rectified = relu.then(|| y.buffer().clone());
    // The backward pass needs the identity of the shortcut, not its values.
    let shortcut = shortcut.map(|shortcut| shortcut.into_handle());
    let (weight, gamma, beta) = (weight.clone(), norm.weight.clone(), norm.bias.clone());
    let y = record(y, tape, move |dy, gradients| {
        let of_norm = gradients.add_both([gamma.handle(), beta.handle()], |gamma_sum, beta_sum| {
            let (y, with_shortcut) = (rectified.as_deref(), shortcut.is_some());
            B::normalisation_gradients(&normalisation, dy, &z, y, with_shortcut, gamma_sum, beta_sum)
        })?;
        drop((z, normalisation, rectified));
        let NormGradients { input: dz, shortcut: of_shortcut } = of_norm;
        if let (Some(shortcut), Some(gradient)) = (shortcut, of_shortcut) {
            gradients.give(&shortcut, gradient)?;
        }
        gradients.add(weight.handle(), |sum| B::convolution_weight_gradient(x.buffer(), shape, &dz, &conv, sum))?;
        if conv.input_gradient {
            let weight = weight.buffer();
            gradients.add(x.handle(), |sum| B::convolution_input_gradient(&dz, weight, shape, &conv, sum))?;
        }
        Ok(())
    });
    Ok((y, statistics(mean, variance, conv.output)))
}

/// See [`crate::tensor::Backend::conv_norm_frozen`].
pub(in crate::tensor) fn conv_frozen<B: Kernels>(
    x: &Features<B>,
    weight: &Vector<B>,
    conv: Conv2d,
    norm: &Norm<'_, B>,
    (mean, variance): (&Vector<B>, &Vector<B>),
    shortcut: Option<&Features<B>>,
    relu: bool,
) -> OpResult<Features<B>> {
    let shape = *x.shape();
    let norm = FrozenBuffers { norm: norm.buffers(), mean: mean.buffer(), variance: variance.buffer() };
    let shortcut = shortcut.map(|shortcut| &**shortcut.buffer());
    let y = B::convolved_frozen(x.buffer(), shape, weight.buffer(), &conv, &norm, shortcut, relu)?;
    Ok(Tensor::new(y, conv.output_shape(shape)))
}

/// Returns the statistics of a batch as tensors.
fn statistics<B: Kernels>(mean: B::Buffer, variance: B::Buffer, channels: usize) -> BatchStatistics<B> {
    BatchStatistics { mean: Tensor::new(mean, (channels,)), variance: Tensor::new(variance, (channels,)) }
}
