//! Batch norm over N, H and W (Ioffe and Szegedy 2015).
//!
//! With c = x − μ and i = (σ² + ε)^−½: y = c·(γi) + β. Backward: dβ = Σ dy, dγ = i·Σ dy·c,
//! dx = γi·dy − γi/n·dβ − c·γi²/n·dγ.

use dfdx::shapes::HasShape;
use dfdx::tensor::{PutTape, SplitTape, Tape};
use dfdx::tensor_ops::{ReshapeTo, TryAdd, TryMul, TrySub};

use super::device::ComposedDevice;
use super::gradient_buffer::add;
use super::rows::{add_columns, column_sums, pixels, scale_columns, subtract_columns};
use crate::tensor::formulas::unbiased_divisor;
use crate::tensor::tape::take;
use crate::tensor::tensors::{BatchStatistics, DeviceResult, Features, Norm, Normalised, Vector};

/// See [`crate::tensor::Backend::batch_norm_train`]. Applies no ReLU.
pub(in crate::tensor) fn train<D: ComposedDevice, T: Tape<f32, D>>(
    x: Features<D, T>,
    norm: &Norm<'_, D>,
) -> DeviceResult<D, Normalised<D, T>> {
    let Norm { weight, bias, epsilon } = *norm;
    let shape = *x.shape();
    let pixel_count = shape.0 * shape.1 * shape.2;
    let count = pixel_count as f32;
    let (x, mut tape) = x.split_tape();
    let rows = pixels(x.clone())?;

    let mean = column_sums(rows.clone())?.try_mul(1.0 / count)?;
    let centred = subtract_columns(rows, mean.clone())?;
    let squares = column_sums(centred.clone().try_square()?)?;
    let inverse = inverse_deviation(squares.clone().try_mul(1.0 / count)?, epsilon)?;
    let scale = weight.clone().try_mul(inverse.clone())?;
    let y = add_columns(scale_columns(centred.clone(), scale.clone())?, bias.clone())?.try_reshape_like(&shape)?;
    let variance = squares.try_mul(1.0 / unbiased_divisor(pixel_count) as f32)?;
    let statistics = BatchStatistics { mean, variance };

    let (x, weight, bias, result) = (x.ghost(), weight.clone(), bias.clone(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let dy = pixels(take!(gradients, &result)?)?;
        let dbeta = column_sums(dy.clone())?;
        let dgamma = column_sums(dy.clone().try_mul(centred.clone())?)?.try_mul(inverse.clone())?;
        add(gradients.get_or_alloc_mut(&bias)?, dbeta.clone())?;
        add(gradients.get_or_alloc_mut(&weight)?, dgamma.clone())?;

        let share = scale.clone().try_mul(1.0 / count)?;
        let along = scale_columns(centred, share.clone().try_mul(inverse)?.try_mul(dgamma)?)?;
        let dx = scale_columns(dy, scale)?.try_sub(along)?;
        add(gradients.get_or_alloc_mut(&x)?, subtract_columns(dx, share.try_mul(dbeta)?)?)
    });
    Ok((y.put_tape(tape), statistics))
}

/// See [`crate::tensor::Backend::batch_norm_frozen`]. Applies no ReLU.
pub(in crate::tensor) fn frozen<D: ComposedDevice>(
    x: Features<D>,
    norm: &Norm<'_, D>,
    (mean, variance): (&Vector<D>, &Vector<D>),
) -> DeviceResult<D, Features<D>> {
    let Norm { weight, bias, epsilon } = *norm;
    let shape = *x.shape();
    let scale = weight.clone().try_mul(inverse_deviation(variance.clone(), epsilon)?)?;
    let shift = bias.clone().try_sub(mean.clone().try_mul(scale.clone())?)?;
    add_columns(scale_columns(pixels(x)?, scale)?, shift)?.try_reshape_like(&shape)
}

/// Returns (σ² + ε)^−½.
fn inverse_deviation<D: ComposedDevice>(variance: Vector<D>, epsilon: f32) -> DeviceResult<D, Vector<D>> {
    variance.try_add(epsilon)?.try_sqrt()?.try_recip()
}
