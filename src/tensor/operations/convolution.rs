//! Convolutions and transposed convolutions.

use crate::tensor::tape::record;
use crate::tensor::tensor::{Features, Tape, Tensor, Vector};
use crate::tensor::{Conv2d, Kernels, OpResult};

/// See [`crate::tensor::Backend::conv2d`].
pub(in crate::tensor) fn conv2d<B: Kernels, T: Tape>(
    x: Features<B, T>,
    weight: &Vector<B>,
    bias: Option<&Vector<B>>,
    conv: Conv2d,
) -> OpResult<Features<B, T>> {
    let (x, tape) = x.split_tape();
    let shape = *x.shape();
    let y = B::convolved(x.buffer(), shape, weight.buffer(), bias.map(|bias| &**bias.buffer()), &conv)?;
    let (weight, bias) = (weight.clone(), bias.cloned());
    Ok(record(Tensor::new(y, conv.output_shape(shape)), tape, move |dy, gradients| {
        gradients.add(weight.handle(), |sum| B::convolution_weight_gradient(x.buffer(), shape, &dy, &conv, sum))?;
        if let Some(bias) = bias {
            gradients.add(bias.handle(), |sum| B::add_channel_sums(&dy, conv.output, sum))?;
        }
        if conv.input_gradient {
            let weight = weight.buffer();
            gradients.add(x.handle(), |sum| B::convolution_input_gradient(&dy, weight, shape, &conv, sum))?;
        }
        Ok(())
    }))
}

/// See [`crate::tensor::Backend::conv_transpose2x2`].
///
/// Every input pixel becomes a 2×2 block, without overlap. The operation is a 1×1 convolution to four times the channels, block(a, b) =
/// x · W(a, b), whose outputs are then moved to their places.
pub(in crate::tensor) fn conv_transpose2x2<B: Kernels, T: Tape>(
    x: Features<B, T>,
    weight: &Vector<B>,
    bias: Option<&Vector<B>>,
    output: usize,
) -> OpResult<Features<B, T>> {
    let (x, tape) = x.split_tape();
    let shape = *x.shape();
    let (images, height, width, input) = shape;
    let conv = Conv2d { input, output: 4 * output, kernel: 1, stride: 1, padding: 0, input_gradient: true };
    let blocks_shape = (images, height, width, output);
    let blocks = B::convolved(x.buffer(), shape, weight.buffer(), None, &conv)?;
    let y = B::image_of_blocks(blocks, blocks_shape, bias.map(|bias| &**bias.buffer()))?;
    let (weight, bias) = (weight.clone(), bias.cloned());
    Ok(record(Tensor::new(y, (images, 2 * height, 2 * width, output)), tape, move |dy, gradients| {
        if let Some(bias) = bias {
            gradients.add(bias.handle(), |sum| B::add_channel_sums(&dy, output, sum))?;
        }
        let blocks = B::blocks_of_image(&dy, blocks_shape)?;
        drop(dy);
        gradients.add(weight.handle(), |sum| B::convolution_weight_gradient(x.buffer(), shape, &blocks, &conv, sum))?;
        gradients.add(x.handle(), |sum| B::convolution_input_gradient(&blocks, weight.buffer(), shape, &conv, sum))
    }))
}
