//! Transposed 2×2 convolution with stride 2: every input pixel becomes a 2×2 block, without overlap.
//!
//! block(a, b) = x · W(a, b) + bias. Backward: with dY gathered block by block, dx = dY · Wᵀ, dW = xᵀ · dY.

use std::sync::Arc;

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape};
use rayon::prelude::*;

use super::conv2d::sum_rows_add;
use super::gemm::{Into, Matrix, gemm};
use super::{Native, tensor};
use crate::tensor::backend::to_host;
use crate::tensor::{Features, OpResult, Vector};

/// Pixels a matrix product: the weights are packed anew for each, so a single row of a small map would mostly pack.
const PART_PIXELS: usize = 512;

/// See [`crate::tensor::Backend::conv_transpose2x2`].
pub(super) fn conv_transpose2x2<T: Tape<f32, Cpu>>(
    x: Features<Native, T>,
    weight: &Vector<Native>,
    bias: Option<&Vector<Native>>,
    output: usize,
) -> OpResult<Native, Features<Native, T>> {
    let (images, height, width, channels) = *x.shape();
    let (x, mut tape) = x.split_tape();
    let input = Arc::new(to_host(&x));
    let weights = Arc::new(to_host(weight));
    let bias_values = bias.map(to_host);

    // One row of input pixels makes two rows of output: no two parts write the same place.
    let part = (PART_PIXELS / width).min((images * height).div_ceil(4)).max(1) * width;
    let mut values = vec![0.0; images * height * 2 * width * 2 * output];
    values.par_chunks_mut(part * 4 * output).zip(input.par_chunks(part * channels)).for_each(|(out, pixels)| {
        let count = pixels.len() / channels;
        let mut blocks = vec![0.0; count * 4 * output];
        let kernel = Matrix::new(&weights, channels, 4 * output);
        gemm(Matrix::new(pixels, count, channels), kernel, &mut blocks, Into::Overwrite);
        let rows = out.chunks_exact_mut(4 * width * output).zip(blocks.chunks_exact(width * 4 * output));
        rows.for_each(|(out, blocks)| scatter(blocks, width, output, out));
        if let Some(bias) = &bias_values {
            for pixel in out.chunks_exact_mut(output) {
                pixel.iter_mut().zip(bias).for_each(|(v, b)| *v += b);
            }
        }
    });
    let y = tensor(values, (images, 2 * height, 2 * width, output))?;

    let (x, weight, bias, out) = (x.ghost(), weight.clone(), bias.cloned(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
        if let Some(bias) = bias {
            sum_rows_add(&dy, gradients.get_or_alloc_mut(&bias)?);
        }
        let mut blocks = vec![0.0; dy.len()];
        blocks
            .par_chunks_mut(width * 4 * output)
            .zip(dy.par_chunks(4 * width * output))
            .for_each(|(blocks, dy)| gather(dy, width, output, blocks));

        let kernel = Matrix::new(&weights, channels, 4 * output).transposed();
        let dx = gradients.get_or_alloc_mut(&x)?;
        dx.par_chunks_mut(part * channels).zip(blocks.par_chunks(part * 4 * output)).for_each(|(dx, blocks)| {
            gemm(Matrix::new(blocks, dx.len() / channels, 4 * output), kernel, dx, Into::Accumulate);
        });

        // One part an image, summed in order.
        let pixels = height * width;
        let parts: Vec<Vec<f32>> = (0..images)
            .into_par_iter()
            .map(|image| {
                let x = Matrix::new(&input[image * pixels * channels..], pixels, channels);
                let dy = Matrix::new(&blocks[image * pixels * 4 * output..], pixels, 4 * output);
                let mut part = vec![0.0; channels * 4 * output];
                gemm(x.transposed(), dy, &mut part, Into::Overwrite);
                part
            })
            .collect();
        let dw = gradients.get_or_alloc_mut(&weight)?;
        for part in &parts {
            dw.iter_mut().zip(part).for_each(|(g, p)| *g += p);
        }
        Ok(())
    });
    Ok(y.put_tape(tape))
}

/// Blocks (pixel, a, b, channel) of one input row to two output rows.
fn scatter(blocks: &[f32], width: usize, channels: usize, out: &mut [f32]) {
    for (column, block) in blocks.chunks_exact(4 * channels).enumerate() {
        for (a, pair) in block.chunks_exact(2 * channels).enumerate() {
            out[(a * 2 * width + 2 * column) * channels..][..2 * channels].copy_from_slice(pair);
        }
    }
}

/// The inverse of [`scatter`].
fn gather(dy: &[f32], width: usize, channels: usize, blocks: &mut [f32]) {
    for (column, block) in blocks.chunks_exact_mut(4 * channels).enumerate() {
        for (a, pair) in block.chunks_exact_mut(2 * channels).enumerate() {
            pair.copy_from_slice(&dy[(a * 2 * width + 2 * column) * channels..][..2 * channels]);
        }
    }
}
