//! Activations, sums, products, concatenation, resampling and pooling.

use crate::tensor::geometry::{concat_shape, max_pool_shape};
use crate::tensor::tape::record;
use crate::tensor::tensor::{Features, Tape, Tensor};
use crate::tensor::{Activation, Kernels, OpResult, Resampling};

/// See [`crate::tensor::Backend::activate`].
pub(in crate::tensor) fn activate<B: Kernels, T: Tape>(
    x: Features<B, T>,
    activation: Activation,
) -> OpResult<Features<B, T>> {
    let (x, tape) = x.split_tape();
    let y = Features::<B>::new(B::activated(x.buffer(), activation)?, *x.shape());
    let saved = if activation.saves_output() { y.buffer().clone() } else { x.buffer().clone() };
    let x = x.into_handle();
    Ok(record(y, tape, move |dy, gradients| {
        gradients.add(&x, |sum| B::activation_gradient(dy, &saved, activation, sum))
    }))
}

/// See [`crate::tensor::Backend::add`]. da = db = dy.
pub(in crate::tensor) fn add<B: Kernels, T: Tape>(a: Features<B, T>, b: Features<B, T>) -> OpResult<Features<B, T>> {
    let ((a, tape), (b, other)) = (a.split_tape(), b.split_tape());
    debug_assert_eq!(a.shape(), b.shape());
    let y = Tensor::new(B::added(a.buffer(), b.buffer())?, *a.shape());
    let (a, b) = (a.into_handle(), b.into_handle());
    Ok(record(y, tape.merge(other), move |dy, gradients| {
        gradients.add(&a, |sum| B::add_scaled(1.0, &dy, sum))?;
        gradients.give(&b, dy)
    }))
}

/// See [`crate::tensor::Backend::scale`]. dx = dy · factor.
pub(in crate::tensor) fn scale<B: Kernels, T: Tape>(
    x: Features<B, T>,
    factor: &Features<B>,
) -> OpResult<Features<B, T>> {
    let (x, tape) = x.split_tape();
    debug_assert_eq!(x.shape(), factor.shape());
    let mut y = None;
    B::add_product(x.buffer(), factor.buffer(), &mut y)?;
    let y = Tensor::new(y.expect("a product"), *x.shape());
    let (x, factor) = (x.into_handle(), factor.buffer().clone());
    Ok(record(y, tape, move |dy, gradients| gradients.add(&x, |sum| B::add_product(&dy, &factor, sum))))
}

/// See [`crate::tensor::Backend::concat`].
pub(in crate::tensor) fn concat<B: Kernels, T: Tape>(a: Features<B, T>, b: Features<B, T>) -> OpResult<Features<B, T>> {
    let ((a, tape), (b, other)) = (a.split_tape(), b.split_tape());
    let shape = concat_shape(*a.shape(), *b.shape());
    let (left, right) = (a.shape().3, b.shape().3);
    let y = Tensor::new(B::concatenated(a.buffer(), b.buffer(), (left, right))?, shape);
    let (a, b) = (a.into_handle(), b.into_handle());
    Ok(record(y, tape.merge(other), move |dy, gradients| {
        gradients.add(&a, |sum| B::add_channels(&dy, left + right, 0, left, sum))?;
        gradients.add(&b, |sum| B::add_channels(&dy, left + right, left, right, sum))
    }))
}

/// See [`crate::tensor::Backend::resample`].
pub(in crate::tensor) fn resample<B: Kernels, T: Tape>(x: Features<B, T>, map: Resampling) -> OpResult<Features<B, T>> {
    let (x, tape) = x.split_tape();
    let shape = *x.shape();
    let (images, height, width, channels) = shape;
    let result = (images, map.output_side(height), map.output_side(width), channels);
    let y = Tensor::new(B::resampled(x.buffer(), shape, map)?, result);
    let x = x.into_handle();
    Ok(record(y, tape, move |dy, gradients| gradients.add(&x, |sum| B::resampling_gradient(&dy, shape, map, sum))))
}

/// See [`crate::tensor::Backend::max_pool`].
pub(in crate::tensor) fn max_pool<B: Kernels, T: Tape>(x: Features<B, T>) -> OpResult<Features<B, T>> {
    let (x, tape) = x.split_tape();
    let shape = *x.shape();
    let (y, winners) = B::max_pooled(x.buffer(), shape, T::OWNS_TAPE)?;
    let x = x.into_handle();
    Ok(record(Tensor::new(y, max_pool_shape(shape)), tape, move |dy, gradients| {
        gradients.add(&x, |sum| B::max_pooling_gradient(&dy, &winners, shape, sum))
    }))
}
