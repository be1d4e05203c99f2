//! Convolution, batch norm, shortcut and ReLU as one operation, which never copies intermediate results.
//!
//! For the arithmetic see [`super::conv2d`] and [`super::norm`].

use std::sync::Arc;

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape};

use super::conv2d::{backward_input, backward_weights, forward};
use super::elementwise::add_into;
use super::host_copy::HostCopy;
use super::norm::{self, finish_in_place, folded, normalise};
use super::tensor;
use crate::tensor::tape::take;
use crate::tensor::tensors::{DeviceResult, Features, Norm, Normalised, Vector};
use crate::tensor::{Conv2d, StepPart, to_host};

/// See [`crate::tensor::Backend::conv_norm_train`].
pub(super) fn train<T: Tape<f32, Cpu>>(
    x: Features<Cpu, T>,
    weight: &Vector<Cpu>,
    conv: Conv2d,
    norm: &Norm<'_, Cpu>,
    shortcut: Option<Features<Cpu, T>>,
    relu: bool,
) -> DeviceResult<Cpu, Normalised<Cpu, T>> {
    let shape = *x.shape();
    let output_shape = conv.output_shape(shape);
    let (x, mut tape) = x.split_tape();
    let shortcut = shortcut.map(|shortcut| {
        let (shortcut, other) = shortcut.split_tape();
        tape = std::mem::take(&mut tape).merge(other);
        shortcut
    });
    // One thread copies one tensor; threads would otherwise wait for each other's copies.
    let (input, added) = rayon::join(|| HostCopy::of(&x), || shortcut.as_ref().map(HostCopy::of));
    let (input, weights) = (Arc::new(input), Arc::new(to_host(weight)));

    let z = forward(&input, shape, &weights, &conv, None);
    let part = StepPart::BatchNorm.start();
    let norm::Normalised { y, statistics, normalisation } = normalise(&z, norm, added.as_deref(), relu)?;
    drop((part, added));
    let y = tensor(y, output_shape)?;

    let x = conv.input_gradient.then(|| x.ghost());
    let shortcut = shortcut.map(|shortcut| shortcut.ghost());
    let (weight, gamma, beta, result) = (weight.clone(), norm.weight.clone(), norm.bias.clone(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let part = StepPart::BatchNorm.start();
        let mut dy: Vec<f32> = take!(gradients, &result)?;
        let sums = normalisation.sums(&mut dy, &z);
        if let Some(shortcut) = shortcut {
            add_into(gradients.get_or_alloc_mut(&shortcut)?, &dy);
        }
        normalisation.add_gamma(&sums, gradients.get_or_alloc_mut(&gamma)?);
        normalisation.add_beta(&sums, gradients.get_or_alloc_mut(&beta)?);
        normalisation.input_gradient(&mut dy, &z, &sums);
        drop((z, normalisation));
        drop(part);
        backward_weights(&input, shape, &dy, &conv, gradients.get_or_alloc_mut(&weight)?);
        drop(input);
        if let Some(x) = x {
            backward_input(&dy, &weights, shape, &conv, gradients.get_or_alloc_mut(&x)?);
        }
        Ok(())
    });
    Ok((y.put_tape(tape), statistics))
}

/// See [`crate::tensor::Backend::conv_norm_frozen`]. The scale is multiplied into the weights.
pub(super) fn frozen(
    x: &Features<Cpu>,
    weight: &Vector<Cpu>,
    conv: Conv2d,
    norm: &Norm<'_, Cpu>,
    statistics: (&Vector<Cpu>, &Vector<Cpu>),
    shortcut: Option<&Features<Cpu>>,
    relu: bool,
) -> DeviceResult<Cpu, Features<Cpu>> {
    let shape = *x.shape();
    let (scale, shift) = folded(norm, statistics);
    let scaled = || {
        let mut weights = to_host(weight);
        for row in weights.chunks_exact_mut(conv.output) {
            row.iter_mut().zip(&scale).for_each(|(w, s)| *w *= s);
        }
        weights
    };
    // One thread copies one tensor; threads would otherwise wait for each other's copies.
    let (input, (weights, shortcut)) = rayon::join(|| HostCopy::of(x), || (scaled(), shortcut.map(HostCopy::of)));
    let finish = |first: usize, y: &mut [f32]| {
        let added = shortcut.as_ref().map(|shortcut| &shortcut[first..][..y.len()]);
        finish_in_place(y, None, &shift, added, relu);
    };
    tensor(forward(&input, shape, &weights, &conv, Some(&finish)), conv.output_shape(shape))
}
