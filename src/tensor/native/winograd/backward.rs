//! The gradient with respect to the weights.

use pulp::Arch;
use rayon::prelude::*;

use super::kernel_transforms::write_weight_gradient;
use super::products::{Left, Product, Right};
use super::tile_transforms::Gather;
use super::tiles::{Block, Source, blocks, buffer_length, matrix_stride};
use super::transforms::{Inputs, OutputGradients};
use super::{PRODUCTS, TILE, TILE_INPUTS};
use crate::tensor::Conv2d;
use crate::tensor::native::Nhwc;
use crate::tensor::native::gemm::WriteMode;
use crate::tensor::native::scratch::with_scratch;
use crate::tensor::native::values::Values;

/// Number of values in transformed blocks that wait for multiplication: few enough to stay in cache.
const BUFFERED_VALUES: usize = 2 << 20;
/// Most values of the 36 sums that a thread has in its own cache, together with the blocks that it transforms.
const OWN_VALUES: usize = 1 << 18;
/// Parts of the sums, joined in order: fixed, so that the bits do not depend on the number of threads.
const PARTS: usize = 8;

/// Computes dW = Gᵀ[Σ over tiles (Bᵀ d B) ⊙ (A dY Aᵀ)]G.
pub(in crate::tensor::native) fn backward_weights(
    x: &[f32],
    shape: Nhwc,
    dy: &[f32],
    conv: &Conv2d,
    gradient: &mut [f32],
    mode: WriteMode,
) {
    let dy_shape = conv.output_shape(shape);
    let zeros = vec![0.0; conv.input.max(conv.output)];
    let sources = Sources {
        x: Source { values: x, shape, padding: conv.padding, zeros: &zeros[..conv.input] },
        dy: Source { values: dy, shape: dy_shape, padding: 0, zeros: &zeros[..conv.output] },
        inputs: conv.input,
        outputs: conv.output,
    };
    let blocks = blocks(dy_shape, conv);
    let length = PRODUCTS * conv.input * conv.output;
    with_scratch(length, |sums| {
        match length <= OWN_VALUES {
            true => sources.sum_by_parts(&blocks, sums),
            false => sources.sum_by_products(&blocks, sums),
        }
        write_weight_gradient(sums, conv, gradient, mode);
    });
}

/// The images that both factors of the products come from.
struct Sources<'a> {
    x: Source<'a>,
    dy: Source<'a>,
    inputs: usize,
    outputs: usize,
}

impl Sources<'_> {
    /// Returns the number of values of a block's two factors.
    fn values(&self, block: &Block) -> usize {
        buffer_length(block.len(), self.inputs) + buffer_length(block.len(), self.outputs)
    }

    fn transform_inputs(&self, block: Block, to: &mut [f32]) {
        Arch::new().dispatch(Gather::<Inputs, TILE_INPUTS>::new(self.x, block, to));
    }

    fn transform_gradients(&self, block: Block, to: &mut [f32]) {
        Arch::new().dispatch(Gather::<OutputGradients, TILE>::new(self.dy, block, to));
    }

    /// Computes one of the 36 products of a block.
    fn product(&self, product: usize, tiles: usize, x: &[f32], dy: &[f32], sum: &mut [f32], mode: WriteMode) {
        let x = Left::transposed(&x[product * matrix_stride(tiles, self.inputs)..], self.inputs, tiles);
        let dy = Right::new(&dy[product * matrix_stride(tiles, self.outputs)..], tiles, self.outputs);
        Arch::new().dispatch(Product::new(x, dy, sum, mode));
    }

    /// Sums few products: a thread transforms and multiplies the blocks of a part, all in its own cache.
    fn sum_by_parts(&self, blocks: &[Block], sums: &mut [f32]) {
        let parts: Vec<Values> = blocks
            .par_chunks(blocks.len().div_ceil(PARTS))
            .map(|blocks| {
                let mut sums = Values::new(sums.len());
                for (number, &block) in blocks.iter().enumerate() {
                    let mode = if number == 0 { WriteMode::Overwrite } else { WriteMode::Accumulate };
                    with_scratch(self.values(&block), |scratch| {
                        let (x, dy) = scratch.split_at_mut(buffer_length(block.len(), self.inputs));
                        self.transform_inputs(block, x);
                        self.transform_gradients(block, dy);
                        for (product, sum) in sums.chunks_exact_mut(self.inputs * self.outputs).enumerate() {
                            self.product(product, block.len(), x, dy, sum, mode);
                        }
                    });
                }
                sums
            })
            .collect();
        sums.par_chunks_mut(self.inputs * self.outputs).enumerate().for_each(|(product, sum)| {
            let of = |part: &'_ Values| product * self.inputs * self.outputs..part.len();
            sum.copy_from_slice(&parts[0][of(&parts[0])][..sum.len()]);
            for part in &parts[1..] {
                sum.iter_mut().zip(&part[of(part)]).for_each(|(sum, part)| *sum += part);
            }
        });
    }

    /// Sums many products: blocks are transformed in parallel, then one thread per product sums it over the blocks, in order.
    fn sum_by_products(&self, blocks: &[Block], sums: &mut [f32]) {
        let blocks_at_once = (BUFFERED_VALUES / self.values(&blocks[0])).max(2);
        for (index, blocks) in blocks.chunks(blocks_at_once).enumerate() {
            with_scratch(blocks.iter().map(|block| self.values(block)).sum(), |scratch| {
                let mut rest = scratch;
                let mut parts: Vec<(Block, &mut [f32], &mut [f32])> = blocks
                    .iter()
                    .map(|&block| {
                        let mut part = |width| rest.split_off_mut(..buffer_length(block.len(), width)).expect("room");
                        (block, part(self.inputs), part(self.outputs))
                    })
                    .collect();
                parts.par_iter_mut().for_each(|(block, x, dy)| {
                    rayon::join(|| self.transform_inputs(*block, x), || self.transform_gradients(*block, dy));
                });
                sums.par_chunks_exact_mut(self.inputs * self.outputs).enumerate().for_each(|(product, sum)| {
                    for (number, (block, x, dy)) in parts.iter().enumerate() {
                        let mode = if index == 0 && number == 0 { WriteMode::Overwrite } else { WriteMode::Accumulate };
                        self.product(product, block.len(), x, dy, sum, mode);
                    }
                });
            });
        }
    }
}
