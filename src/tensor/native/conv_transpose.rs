//! Transposed 2×2 convolution with stride 2. Every input pixel becomes a 2×2 block, without overlap.
//!
//! It is a 1×1 convolution to four times the channels, block(a, b) = x · W(a, b), whose outputs are then moved to their places.

use std::sync::Arc;

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape};

use super::conv2d::{backward_input, backward_weights, forward_biased, sum_rows_add};
use super::host_copy::HostCopy;
use super::{tensor, zeroed};
use crate::tensor::tape::take;
use crate::tensor::tensors::{DeviceResult, Features, Vector};
use crate::tensor::{Conv2d, StepPart, to_host};

/// See [`crate::tensor::Backend::conv_transpose2x2`].
pub(super) fn conv_transpose2x2<T: Tape<f32, Cpu>>(
    x: Features<Cpu, T>,
    weight: &Vector<Cpu>,
    bias: Option<&Vector<Cpu>>,
    output: usize,
) -> DeviceResult<Cpu, Features<Cpu, T>> {
    let shape = *x.shape();
    let (images, height, width, input) = shape;
    let conv = Conv2d { input, output: 4 * output, kernel: 1, stride: 1, padding: 0, input_gradient: true };
    let (x, mut tape) = x.split_tape();
    let pixels = Arc::new(HostCopy::of(&x));
    let weights = Arc::new(to_host(weight));

    // The bias of each channel applies to each of the four pixels of a block.
    let bias_values = bias.map(|bias| to_host(bias).repeat(4));
    let blocks = forward_biased(&pixels, shape, &weights, bias_values.as_deref(), &conv);
    let part = StepPart::Elementwise.start();
    // One row of input pixels gives two rows of output.
    let line = 4 * width * output;
    let values = zeroed::in_parts(blocks.len(), line, |row, out| {
        for (column, block) in blocks[row * line..][..line].chunks_exact(4 * output).enumerate() {
            for (a, pair) in block.chunks_exact(2 * output).enumerate() {
                out[(a * 2 * width + 2 * column) * output..][..2 * output].copy_from_slice(pair);
            }
        }
    });
    drop(part);
    let y = tensor(values, (images, 2 * height, 2 * width, output))?;

    let (x, weight, bias, result) = (x.ghost(), weight.clone(), bias.cloned(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let dy: Vec<f32> = take!(gradients, &result)?;
        let part = StepPart::Elementwise.start();
        if let Some(bias) = bias {
            sum_rows_add(&dy, gradients.get_or_alloc_mut(&bias)?);
        }
        let blocks = zeroed::in_parts(dy.len(), line, |row, blocks| {
            let dy = &dy[row * line..][..line];
            for (column, block) in blocks.chunks_exact_mut(4 * output).enumerate() {
                for (a, pair) in block.chunks_exact_mut(2 * output).enumerate() {
                    pair.copy_from_slice(&dy[(a * 2 * width + 2 * column) * output..][..2 * output]);
                }
            }
        });
        drop(part);
        backward_weights(&pixels, shape, &blocks, &conv, gradients.get_or_alloc_mut(&weight)?);
        backward_input(&blocks, &weights, shape, &conv, gradients.get_or_alloc_mut(&x)?);
        Ok(())
    });
    Ok(y.put_tape(tape))
}
