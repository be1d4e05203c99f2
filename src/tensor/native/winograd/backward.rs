//! The gradient with respect to the weights.

use pulp::Arch;
use rayon::prelude::*;

use super::kernel_transforms::write_weight_gradient;
use super::tile_transforms::Gather;
use super::tiles::{Block, Source, blocks, buffer_length, matrix_stride};
use super::transforms::{Inputs, OutputGradients};
use super::{PRODUCTS, TILE, TILE_INPUTS};
use crate::tensor::Conv2d;
use crate::tensor::native::Nhwc;
use crate::tensor::native::gemm::{Matrix, WriteMode, gemm};
use crate::tensor::native::scratch::with_scratch;

/// Number of values in transformed blocks that wait for multiplication: few enough to stay in cache.
const BUFFERED_VALUES: usize = 2 << 20;

/// Computes dW = Gᵀ[Σ over tiles (Bᵀ d B) ⊙ (A dY Aᵀ)]G.
///
/// Blocks are transformed in parallel. Then one thread per product sums each of the 36 products over the blocks, in order.
pub(in crate::tensor::native) fn backward_weights(
    x: &[f32],
    shape: Nhwc,
    dy: &[f32],
    conv: &Conv2d,
    gradient: &mut [f32],
    mode: WriteMode,
) {
    let (inputs, outputs) = (conv.input, conv.output);
    let dy_shape = conv.output_shape(shape);
    let zeros = vec![0.0; inputs.max(outputs)];
    let x = Source { values: x, shape, padding: conv.padding, zeros: &zeros[..inputs] };
    let dy = Source { values: dy, shape: dy_shape, padding: 0, zeros: &zeros[..outputs] };
    let blocks = blocks(dy_shape);
    let values_per_block = |block: &Block| buffer_length(block.len(), inputs) + buffer_length(block.len(), outputs);
    let blocks_at_once = (BUFFERED_VALUES / values_per_block(&blocks[0])).max(2);
    with_scratch(PRODUCTS * inputs * outputs, |sums| {
        for (index, blocks) in blocks.chunks(blocks_at_once).enumerate() {
            with_scratch(blocks.iter().map(values_per_block).sum(), |scratch| {
                let mut rest = scratch;
                let mut parts: Vec<(Block, &mut [f32], &mut [f32])> = blocks
                    .iter()
                    .map(|&block| {
                        let mut part = |width| rest.split_off_mut(..buffer_length(block.len(), width)).expect("room");
                        (block, part(inputs), part(outputs))
                    })
                    .collect();
                parts.par_iter_mut().for_each(|(block, inputs, gradients)| {
                    rayon::join(
                        || Arch::new().dispatch(Gather::<Inputs, TILE_INPUTS>::new(x, *block, inputs)),
                        || Arch::new().dispatch(Gather::<OutputGradients, TILE>::new(dy, *block, gradients)),
                    );
                });
                sums.par_chunks_exact_mut(inputs * outputs).enumerate().for_each(|(product, sum)| {
                    for (number, (block, x, dy)) in parts.iter().enumerate() {
                        let tiles = block.len();
                        let x = Matrix::new(&x[product * matrix_stride(tiles, inputs)..], tiles, inputs);
                        let dy = Matrix::new(&dy[product * matrix_stride(tiles, outputs)..], tiles, outputs);
                        let mode = if index == 0 && number == 0 { WriteMode::Overwrite } else { WriteMode::Accumulate };
                        gemm(x.transposed(), dy, sum, mode);
                    }
                });
            });
        }
        write_weight_gradient(sums, conv, gradient, mode);
    });
}
