//! Transposed 2×2 convolution with stride 2: one matrix product, whose blocks are then moved to their places.
//!
//! blocks = x · W, y = pixels(blocks) + b. Backward: with dB = blocks(dy), dx = dB · Wᵀ, dW = xᵀ · dB, db = Σ dy.

use dfdx::shapes::HasShape;
use dfdx::tensor::{PutTape, SplitTape, Tape};
use dfdx::tensor_ops::{PermuteTo, ReshapeTo, TryMatMul};

use super::device::ComposedDevice;
use super::gradient_buffer::add;
use super::pattern::Pattern;
use super::rows::{add_columns, column_sums, gather, images, pixels};
use crate::tensor::tape::take;
use crate::tensor::tensors::{DeviceResult, Features, Matrix, Vector};

/// See [`crate::tensor::Backend::conv_transpose2x2`].
pub(in crate::tensor) fn conv_transpose2x2<D: ComposedDevice, T: Tape<f32, D>>(
    x: Features<D, T>,
    weight: &Vector<D>,
    bias: Option<&Vector<D>>,
    output: usize,
) -> DeviceResult<D, Features<D, T>> {
    let (count, height, width, input) = *x.shape();
    let (x, mut tape) = x.split_tape();
    let kernel: Matrix<D> = weight.clone().try_reshape_like(&(input, 4 * output))?;

    let blocks = pixels(x.clone())?.try_matmul(kernel.clone())?;
    let blocks = blocks.try_reshape_like(&(count, height * width * 4, output))?;
    let y = gather(blocks, Pattern::BlocksToPixels(height, width), 0.0)?;
    let mut y: Matrix<D> = y.try_reshape_like(&(count * height * width * 4, output))?;
    if let Some(bias) = bias {
        y = add_columns(y, bias.clone())?;
    }
    let y = y.try_reshape_like(&(count, 2 * height, 2 * width, output))?;

    let (weight, bias, result) = (weight.clone(), bias.cloned(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let dy: Features<D> = take!(gradients, &result)?;
        if let Some(bias) = bias {
            add(gradients.get_or_alloc_mut(&bias)?, column_sums(pixels(dy.clone())?)?)?;
        }
        let blocks = gather(images(dy)?, Pattern::PixelsToBlocks(height, width), 0.0)?;
        let blocks: Matrix<D> = blocks.try_reshape_like(&(count * height * width, 4 * output))?;
        let dw = pixels(x.clone())?.try_permute::<(usize, usize), _>()?.try_matmul(blocks.clone())?;
        add(gradients.get_or_alloc_mut(&weight)?, dw)?;
        let dx = blocks.try_matmul(kernel.try_permute::<(usize, usize), _>()?)?;
        add(gradients.get_or_alloc_mut(&x)?, dx)
    });
    Ok(y.put_tape(tape))
}
