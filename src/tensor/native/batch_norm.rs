//! Batch norm as a separate operation. For the arithmetic see [`super::norm`].

use std::sync::Arc;

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape};
use rayon::prelude::*;

use super::elementwise::add_into;
use super::host_copy::HostCopy;
use super::norm::{self, PART, finish_in_place, folded, normalise};
use super::tensor;
use crate::tensor::tape::take;
use crate::tensor::tensors::{DeviceResult, Features, Norm, Normalised, Vector};
use crate::tensor::{StepPart, to_host};

/// See [`crate::tensor::Backend::batch_norm_train`].
pub(super) fn train<T: Tape<f32, Cpu>>(
    x: Features<Cpu, T>,
    norm: &Norm<'_, Cpu>,
    relu: bool,
) -> DeviceResult<Cpu, Normalised<Cpu, T>> {
    let _part = StepPart::BatchNorm.start();
    let shape = *x.shape();
    let (x, mut tape) = x.split_tape();
    let input = Arc::new(HostCopy::of(&x));
    let norm::Normalised { y, statistics, normalisation } = normalise(&input, norm, None, relu)?;
    let y = tensor(y, shape)?;

    let (x, gamma, beta, result) = (x.ghost(), norm.weight.clone(), norm.bias.clone(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let _part = StepPart::BatchNorm.start();
        let mut dy: Vec<f32> = take!(gradients, &result)?;
        let sums = normalisation.sums(&mut dy, &input);
        normalisation.add_gamma(&sums, gradients.get_or_alloc_mut(&gamma)?);
        normalisation.add_beta(&sums, gradients.get_or_alloc_mut(&beta)?);
        normalisation.input_gradient(&mut dy, &input, &sums);
        add_into(gradients.get_or_alloc_mut(&x)?, &dy);
        Ok(())
    });
    Ok((y.put_tape(tape), statistics))
}

/// See [`crate::tensor::Backend::batch_norm_frozen`].
pub(super) fn frozen(
    x: &Features<Cpu>,
    norm: &Norm<'_, Cpu>,
    statistics: (&Vector<Cpu>, &Vector<Cpu>),
    relu: bool,
) -> DeviceResult<Cpu, Features<Cpu>> {
    let _part = StepPart::BatchNorm.start();
    let (scale, shift) = folded(norm, statistics);
    let mut y = to_host(x);
    y.par_chunks_mut(PART * shift.len()).for_each(|y| finish_in_place(y, Some(&scale), &shift, None, relu));
    tensor(y, *x.shape())
}
