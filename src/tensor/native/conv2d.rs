//! 2-D convolution: im2row in blocks, one matrix product per block. [`winograd`] or [`by_channels`] is used instead if it is faster.
//!
//! y = rows(x) · W + b. Backward: dW = rows(x)ᵀ · dy, db = Σ dy, dx = row2im(dy · Wᵀ). With stride 1, dx is itself a convolution of dy
//! ([`Conv2d::transposed`]). The backward pass builds the rows again: they are nine times the size of x, and building them is cheaper
//! than keeping them.

use std::sync::Arc;

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape};
use rayon::prelude::*;

use super::gemm::{Matrix, WriteMode, gemm};
use super::host_copy::HostCopy;
use super::im2row::{im2row, row2im_add};
use super::scratch::with_scratch;
use super::simd::vectorised;
use super::target::{Finish, Target};
use super::zeroed::even_lengths;
use super::{Nhwc, by_channels, tensor, winograd};
use crate::tensor::tape::take;
use crate::tensor::tensors::{DeviceResult, Features, Vector};
use crate::tensor::{Conv2d, StepPart, to_host};

/// Patches per block: enough for an efficient matrix product, few enough to stay in cache.
const BLOCK_PATCHES: usize = 512;
/// Pixels per part in operations on separate channels.
const PART_PIXELS: usize = 1024;
/// Parts of a weight gradient, summed in order: fixed, so that the bits do not depend on the number of threads.
const WEIGHT_PARTS: usize = 8;

/// Returns the number of output rows per block, for `total` rows of `width` patches.
fn block_rows(total: usize, width: usize) -> usize {
    (BLOCK_PATCHES / width).min(total.div_ceil(4)).max(1)
}

/// See [`crate::tensor::Backend::conv2d`].
pub(super) fn conv2d<T: Tape<f32, Cpu>>(
    x: Features<Cpu, T>,
    weight: &Vector<Cpu>,
    bias: Option<&Vector<Cpu>>,
    conv: Conv2d,
) -> DeviceResult<Cpu, Features<Cpu, T>> {
    let shape = *x.shape();
    let output_shape = conv.output_shape(shape);

    let (x, mut tape) = x.split_tape();
    let input = Arc::new(HostCopy::of(&x));
    let weights = Arc::new(to_host(weight));
    let y = tensor(forward_biased(&input, shape, &weights, bias.map(to_host).as_deref(), &conv), output_shape)?;

    let x = conv.input_gradient.then(|| x.ghost());
    let (weight, bias, result) = (weight.clone(), bias.cloned(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let dy: Vec<f32> = take!(gradients, &result)?;
        backward_weights(&input, shape, &dy, &conv, gradients.get_or_alloc_mut(&weight)?);
        if let Some(bias) = bias {
            sum_rows_add(&dy, gradients.get_or_alloc_mut(&bias)?);
        }
        if let Some(x) = x {
            backward_input(&dy, &weights, shape, &conv, gradients.get_or_alloc_mut(&x)?);
        }
        Ok(())
    });
    Ok(y.put_tape(tape))
}

/// Returns the multiply-accumulates of one pass over a batch.
fn work(shape: Nhwc, conv: &Conv2d) -> u64 {
    shape.0 as u64 * conv.multiply_accumulates(shape.1, shape.2)
}

/// Convolves plain buffers. Calls `finish` with every piece of the result while it is in cache.
pub(super) fn forward(x: &[f32], shape: Nhwc, weights: &[f32], conv: &Conv2d, finish: Option<Finish<'_>>) -> Vec<f32> {
    let _part = StepPart::ConvolutionForward.start_with(work(shape, conv));
    let mut values = Vec::new();
    convolve(x, shape, weights, conv, Target::New { values: &mut values, finish });
    values
}

/// Calls [`forward`] and adds one value per channel.
pub(super) fn forward_biased(x: &[f32], shape: Nhwc, weights: &[f32], bias: Option<&[f32]>, conv: &Conv2d) -> Vec<f32> {
    match bias {
        None => forward(x, shape, weights, conv, None),
        Some(bias) => forward(x, shape, weights, conv, Some(&|_, piece| add_channels(piece, bias))),
    }
}

fn convolve(x: &[f32], shape: Nhwc, weights: &[f32], conv: &Conv2d, y: Target<'_>) {
    if winograd::is_faster(shape, conv) {
        winograd::convolve(x, shape, weights, conv, y);
    } else if by_channels::is_faster(shape, conv) {
        by_channels::convolve(x, shape, weights, conv, y);
    } else {
        convolve_rows(x, shape, weights, conv, y);
    }
}

/// Computes rows(x) · W.
pub(super) fn convolve_rows(x: &[f32], shape: Nhwc, weights: &[f32], conv: &Conv2d, y: Target<'_>) {
    let (images, height, width, channels) = shape;
    let (out_height, out_width) = (conv.output_side(height), conv.output_side(width));
    let kernel = Matrix::new(weights, conv.depth(), conv.output);
    let block = block_rows(images * out_height, out_width);
    let line = out_width * conv.output;
    y.fill(&even_lengths(images * out_height * line, block * line), |index, part, mode| {
        let first = index * block;
        let count = part.len() / line;
        let patches = count * out_width;
        if conv.is_pointwise() {
            // A pixel is its own patch.
            let rows = &x[first * width * channels..][..patches * channels];
            gemm(Matrix::new(rows, patches, channels), kernel, part, mode);
        } else {
            with_scratch(patches * conv.depth(), |rows| {
                im2row(x, shape, conv, first, count, rows);
                gemm(Matrix::new(rows, patches, conv.depth()), kernel, part, mode);
            });
        }
    });
}

pub(super) fn backward_weights(x: &[f32], shape: Nhwc, dy: &[f32], conv: &Conv2d, gradient: &mut [f32]) {
    let _part = StepPart::ConvolutionBackwardWeights.start_with(work(shape, conv));
    if winograd::is_faster(shape, conv) {
        winograd::backward_weights(x, shape, dy, conv, gradient);
    } else if by_channels::is_faster(shape, conv) {
        by_channels::backward_weights(x, shape, dy, conv, gradient);
    } else {
        backward_rows_weights(x, shape, dy, conv, gradient);
    }
}

/// Computes dW += rows(x)ᵀ · dy.
pub(super) fn backward_rows_weights(x: &[f32], shape: Nhwc, dy: &[f32], conv: &Conv2d, gradient: &mut [f32]) {
    let (images, height, width, channels) = shape;
    let (out_height, out_width) = (conv.output_side(height), conv.output_side(width));
    let total = images * out_height;
    let block = block_rows(total, out_width);
    let part_rows = total.div_ceil(block).div_ceil(WEIGHT_PARTS) * block;
    let parts: Vec<Vec<f32>> = (0..total.div_ceil(part_rows))
        .into_par_iter()
        .map(|part| {
            let mut sum = vec![0.0; conv.weights()];
            let end = ((part + 1) * part_rows).min(total);
            for first in (part * part_rows..end).step_by(block) {
                let count = block.min(end - first);
                let patches = count * out_width;
                let dy = Matrix::new(&dy[first * out_width * conv.output..], patches, conv.output);
                if conv.is_pointwise() {
                    let rows = &x[first * width * channels..][..patches * channels];
                    gemm(Matrix::new(rows, patches, channels).transposed(), dy, &mut sum, WriteMode::Accumulate);
                } else {
                    with_scratch(patches * conv.depth(), |rows| {
                        im2row(x, shape, conv, first, count, rows);
                        let rows = Matrix::new(rows, patches, conv.depth());
                        gemm(rows.transposed(), dy, &mut sum, WriteMode::Accumulate);
                    });
                }
            }
            sum
        })
        .collect();
    for part in &parts {
        gradient.iter_mut().zip(part).for_each(|(g, p)| *g += p);
    }
}

/// Adds the gradient with respect to the input to `gradient`.
pub(super) fn backward_input(dy: &[f32], weights: &[f32], shape: Nhwc, conv: &Conv2d, gradient: &mut [f32]) {
    let _part = StepPart::ConvolutionBackwardData.start_with(work(shape, conv));
    if conv.stride == 1 && !conv.is_pointwise() {
        let (rotated, transposed) = (conv.rotated(weights), conv.transposed());
        convolve(dy, conv.output_shape(shape), &rotated, &transposed, Target::Added(gradient));
    } else if by_channels::is_faster(shape, conv) {
        by_channels::backward_input(dy, weights, shape, conv, gradient);
    } else if conv.is_pointwise() {
        let kernel = Matrix::new(weights, conv.input, conv.output).transposed();
        let parts = gradient.par_chunks_mut(BLOCK_PATCHES * conv.input).zip(dy.par_chunks(BLOCK_PATCHES * conv.output));
        parts.for_each(|(gradient, dy)| {
            gemm(Matrix::new(dy, dy.len() / conv.output, conv.output), kernel, gradient, WriteMode::Accumulate);
        });
    } else {
        backward_rows_input(dy, weights, shape, conv, gradient);
    }
}

/// Computes dx += row2im(dy · Wᵀ), image by image.
pub(super) fn backward_rows_input(dy: &[f32], weights: &[f32], shape: Nhwc, conv: &Conv2d, gradient: &mut [f32]) {
    let (_, height, width, channels) = shape;
    let patches = conv.output_side(height) * conv.output_side(width);
    let kernel = Matrix::new(weights, conv.depth(), conv.output).transposed();
    gradient.par_chunks_mut(height * width * channels).zip(dy.par_chunks(patches * conv.output)).for_each(
        |(image, dy)| {
            with_scratch(patches * conv.depth(), |rows| {
                gemm(Matrix::new(dy, patches, conv.output), kernel, rows, WriteMode::Overwrite);
                row2im_add(rows, shape, conv, image);
            });
        },
    );
}

/// Adds one value per channel to all pixels.
fn add_channels(y: &mut [f32], values: &[f32]) {
    vectorised(
        #[inline(always)]
        || {
            for pixel in y.chunks_exact_mut(values.len()) {
                pixel.iter_mut().zip(values).for_each(|(y, value)| *y += value);
            }
        },
    );
}

/// Adds the column sums of `rows` to `sums`.
pub(super) fn sum_rows_add(rows: &[f32], sums: &mut [f32]) {
    let channels = sums.len();
    // Parts have a fixed size and are summed in order, so that the bits do not depend on the number of threads.
    let parts: Vec<Vec<f32>> = rows
        .par_chunks(channels * PART_PIXELS)
        .map(|part| {
            vectorised(
                #[inline(always)]
                || {
                    let mut sum = vec![0.0; channels];
                    for row in part.chunks_exact(channels) {
                        sum.iter_mut().zip(row).for_each(|(s, v)| *s += v);
                    }
                    sum
                },
            )
        })
        .collect();
    for part in &parts {
        sums.iter_mut().zip(part).for_each(|(s, p)| *s += p);
    }
}
