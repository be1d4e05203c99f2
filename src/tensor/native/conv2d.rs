//! 2-D convolution: im2row in blocks, one matrix product per block. [`winograd`] or [`by_channels`] is used instead if it is faster.
//!
//! y = rows(x) · W + b. Backward: dW = rows(x)ᵀ · dy, db = Σ dy, dx = row2im(dy · Wᵀ). With stride 1, dx is itself a convolution of dy
//! ([`Conv2d::transposed`]). The backward pass builds the rows again: they are nine times the size of x, and building them is cheaper
//! than keeping them.

use rayon::prelude::*;

use super::gemm::{Matrix, WriteMode, gemm};
use super::im2row::{im2row, row2im};
use super::output::{Finish, Output, even_lengths};
use super::scratch::with_scratch;
use super::simd::vectorised;
use super::values::{Values, accumulate, accumulated};
use super::{Nhwc, by_channels, winograd};
use crate::tensor::{Conv2d, StepPart};

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

/// Returns the multiply-accumulates of one pass over a batch.
fn work(shape: Nhwc, conv: &Conv2d) -> u64 {
    shape.0 as u64 * conv.multiply_accumulates(shape.1, shape.2)
}

/// Convolves. Calls `finish` with every piece of the result while it is in cache.
pub(super) fn forward(x: &[f32], shape: Nhwc, weights: &[f32], conv: &Conv2d, finish: Option<Finish<'_>>) -> Values {
    let (images, height, width, channels) = conv.output_shape(shape);
    let length = images * height * width * channels;
    let _part = StepPart::ConvolutionForward.start_with(x.len() + weights.len() + length, work(shape, conv));
    let mut values = Values::new(length);
    let output = Output { values: &mut values, mode: WriteMode::Overwrite, finish };
    convolve(x, shape, weights, conv, output);
    values
}

/// Calls [`forward`] and adds one value per channel.
pub(super) fn forward_biased(x: &[f32], shape: Nhwc, weights: &[f32], bias: Option<&[f32]>, conv: &Conv2d) -> Values {
    match bias {
        None => forward(x, shape, weights, conv, None),
        Some(bias) => forward(x, shape, weights, conv, Some(&|_, piece| add_channels(piece, bias))),
    }
}

fn convolve(x: &[f32], shape: Nhwc, weights: &[f32], conv: &Conv2d, y: Output<'_>) {
    if winograd::is_faster(shape, conv) {
        winograd::convolve(x, shape, weights, conv, y);
    } else if by_channels::is_faster(shape, conv) {
        by_channels::convolve(x, shape, weights, conv, y);
    } else {
        convolve_rows(x, shape, weights, conv, y);
    }
}

/// Computes rows(x) · W.
pub(super) fn convolve_rows(x: &[f32], shape: Nhwc, weights: &[f32], conv: &Conv2d, y: Output<'_>) {
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

/// Adds the gradient with respect to the weights.
pub(super) fn backward_weights(x: &[f32], shape: Nhwc, dy: &[f32], conv: &Conv2d, sum: &mut Option<Values>) {
    let values = x.len() + dy.len() + accumulated(sum, conv.weights());
    let _part = StepPart::ConvolutionBackwardWeights.start_with(values, work(shape, conv));
    accumulate(sum, conv.weights(), |gradient, mode| {
        if winograd::is_faster(shape, conv) {
            winograd::backward_weights(x, shape, dy, conv, gradient, mode);
        } else if by_channels::is_faster(shape, conv) {
            by_channels::backward_weights(x, shape, dy, conv, gradient, mode);
        } else {
            backward_rows_weights(x, shape, dy, conv, gradient, mode);
        }
    });
}

/// Computes dW = rows(x)ᵀ · dy.
pub(super) fn backward_rows_weights(
    x: &[f32],
    shape: Nhwc,
    dy: &[f32],
    conv: &Conv2d,
    gradient: &mut [f32],
    mode: WriteMode,
) {
    let (images, height, width, channels) = shape;
    let (out_height, out_width) = (conv.output_side(height), conv.output_side(width));
    let total = images * out_height;
    let block = block_rows(total, out_width);
    let part_rows = total.div_ceil(block).div_ceil(WEIGHT_PARTS) * block;
    let parts: Vec<Values> = (0..total.div_ceil(part_rows))
        .into_par_iter()
        .map(|part| {
            let mut sum = Values::new(conv.weights());
            let end = ((part + 1) * part_rows).min(total);
            let mut mode = WriteMode::Overwrite;
            for first in (part * part_rows..end).step_by(block) {
                let count = block.min(end - first);
                let patches = count * out_width;
                let dy = Matrix::new(&dy[first * out_width * conv.output..], patches, conv.output);
                if conv.is_pointwise() {
                    let rows = &x[first * width * channels..][..patches * channels];
                    gemm(Matrix::new(rows, patches, channels).transposed(), dy, &mut sum, mode);
                } else {
                    with_scratch(patches * conv.depth(), |rows| {
                        im2row(x, shape, conv, first, count, rows);
                        let rows = Matrix::new(rows, patches, conv.depth());
                        gemm(rows.transposed(), dy, &mut sum, mode);
                    });
                }
                mode = WriteMode::Accumulate;
            }
            sum
        })
        .collect();
    if mode == WriteMode::Overwrite {
        gradient.fill(0.0);
    }
    for part in &parts {
        gradient.iter_mut().zip(&**part).for_each(|(g, p)| *g += p);
    }
}

/// Adds the gradient with respect to the input.
pub(super) fn backward_input(dy: &[f32], weights: &[f32], shape: Nhwc, conv: &Conv2d, sum: &mut Option<Values>) {
    let (images, height, width, channels) = shape;
    let length = images * height * width * channels;
    let values = dy.len() + weights.len() + accumulated(sum, length);
    let _part = StepPart::ConvolutionBackwardData.start_with(values, work(shape, conv));
    accumulate(sum, length, |dx, mode| {
        if conv.stride == 1 && !conv.is_pointwise() {
            let (rotated, transposed) = (rotated(weights, conv), conv.transposed());
            convolve(dy, conv.output_shape(shape), &rotated, &transposed, Output::new(dx, mode));
        } else if by_channels::is_faster(shape, conv) {
            by_channels::backward_input(dy, weights, shape, conv, Output::new(dx, mode));
        } else if conv.is_pointwise() {
            let kernel = Matrix::new(weights, conv.input, conv.output).transposed();
            let parts = dx.par_chunks_mut(BLOCK_PATCHES * conv.input).zip(dy.par_chunks(BLOCK_PATCHES * conv.output));
            parts.for_each(|(dx, dy)| gemm(Matrix::new(dy, dy.len() / conv.output, conv.output), kernel, dx, mode));
        } else {
            backward_rows_input(dy, weights, shape, conv, Output::new(dx, mode));
        }
    });
}

/// Returns the kernel of [`Conv2d::transposed`]: rotated by 180°, with input and output channels exchanged.
///
/// (row, column, input, output) becomes (last row − row, last column − column, output, input).
fn rotated(weights: &[f32], conv: &Conv2d) -> Values {
    let (inputs, outputs) = (conv.input, conv.output);
    let mut rotated = Values::new(weights.len());
    let planes = rotated.par_chunks_exact_mut(inputs * outputs).rev().zip(weights.par_chunks_exact(inputs * outputs));
    planes.for_each(|(to, from)| {
        for (i, row) in from.chunks_exact(outputs).enumerate() {
            for (o, &value) in row.iter().enumerate() {
                to[o * inputs + i] = value;
            }
        }
    });
    rotated
}

/// Computes dx = row2im(dy · Wᵀ), image by image.
pub(super) fn backward_rows_input(dy: &[f32], weights: &[f32], shape: Nhwc, conv: &Conv2d, dx: Output<'_>) {
    let (images, height, width, channels) = shape;
    let patches = conv.output_side(height) * conv.output_side(width);
    let kernel = Matrix::new(weights, conv.depth(), conv.output).transposed();
    let length = height * width * channels;
    dx.fill(&even_lengths(images * length, length), |index, image, mode| {
        let dy = &dy[index * patches * conv.output..][..patches * conv.output];
        with_scratch(patches * conv.depth(), |rows| {
            gemm(Matrix::new(dy, patches, conv.output), kernel, rows, WriteMode::Overwrite);
            row2im(rows, shape, conv, image, mode);
        });
    });
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

/// Adds the sums of the channels over all pixels.
pub(super) fn add_channel_sums(pixels: &[f32], channels: usize, sum: &mut Option<Values>) {
    // Parts have a fixed size and are summed in order, so that the bits do not depend on the number of threads.
    let parts: Vec<Vec<f32>> = pixels
        .par_chunks(channels * PART_PIXELS)
        .map(|part| {
            vectorised(
                #[inline(always)]
                || {
                    let mut sum = vec![0.0; channels];
                    for pixel in part.chunks_exact(channels) {
                        sum.iter_mut().zip(pixel).for_each(|(s, v)| *s += v);
                    }
                    sum
                },
            )
        })
        .collect();
    accumulate(sum, channels, |sums, mode| {
        if mode == WriteMode::Overwrite {
            sums.fill(0.0);
        }
        for part in &parts {
            sums.iter_mut().zip(part).for_each(|(s, p)| *s += p);
        }
    });
}
