//! The convolution itself.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};

use super::tiles::{Block, Source, blocks, places, places_mut, plane, room};
use super::transforms::{Inputs, Outputs, Transform, transform};
use super::weights::transform_weights;
use super::{PLACES, SEEN, TILE};
use crate::tensor::Conv2d;
use crate::tensor::native::Nhwc;
use crate::tensor::native::gemm::{Into, Matrix, gemm};
use crate::tensor::native::scratch::with_scratch;
use crate::tensor::native::target::Target;

/// The convolution of x, padding up to 2.
pub(in crate::tensor::native) fn convolve(x: &[f32], shape: Nhwc, weights: &[f32], conv: &Conv2d, y: Target<'_>) {
    let y_shape = conv.output_shape(shape);
    with_scratch(PLACES * conv.input * conv.output, |kernels| {
        transform_weights(weights, conv, kernels);
        let kernels = &*kernels;
        let blocks = blocks(y_shape);
        let lengths: Vec<usize> = blocks.iter().map(|block| block.outputs(y_shape).1).collect();
        y.fill(&lengths, |index, part, into| {
            let block = blocks[index];
            let tiles = block.len();
            with_scratch(conv.input + room(tiles, conv.input) + room(tiles, conv.output), |scratch| {
                let (zeros, scratch) = scratch.split_at_mut(conv.input);
                zeros.fill(0.0);
                let (inputs, products) = scratch.split_at_mut(room(tiles, conv.input));
                let source = Source { values: x, shape, padding: conv.padding, zeros };
                Arch::new().dispatch(Gather::<Inputs, SEEN>::new(source, block, inputs));
                let matrices =
                    inputs.chunks_exact(plane(tiles, conv.input)).zip(kernels.chunks_exact(conv.input * conv.output));
                for ((inputs, kernel), products) in matrices.zip(products.chunks_exact_mut(plane(tiles, conv.output))) {
                    let kernel = Matrix::new(kernel, conv.input, conv.output);
                    gemm(Matrix::new(inputs, tiles, conv.input), kernel, products, Into::Overwrite);
                }
                Arch::new().dispatch(ScatterOutputs { products, block, to: part, shape: y_shape, into });
            });
        });
    });
}

/// F ⊗ F of the N×N pixels of a block's tiles, as 36 matrices of (tiles × channels).
pub(super) struct Gather<'a, F, const N: usize> {
    source: Source<'a>,
    block: Block,
    to: &'a mut [f32],
    transform: PhantomData<F>,
}

impl<'a, F, const N: usize> Gather<'a, F, N> {
    pub(super) fn new(source: Source<'a>, block: Block, to: &'a mut [f32]) -> Self {
        Self { source, block, to, transform: PhantomData }
    }
}

impl<F: Transform<N, SEEN>, const N: usize> WithSimd for Gather<'_, F, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let channels = self.source.shape.3;
        for tile in self.block.tiles() {
            let mut to = places_mut(self.to, tile.index, channels);
            transform::<S, F, N, SEEN>(simd, &self.source.pixels(tile), &mut to, Into::Overwrite);
        }
    }
}

/// Aᵀ m A of a block's tiles, to the block's part of the output.
struct ScatterOutputs<'a> {
    products: &'a [f32],
    block: Block,
    to: &'a mut [f32],
    shape: Nhwc,
    into: Into,
}

impl WithSimd for ScatterOutputs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (_, height, width, channels) = self.shape;
        let (first, _) = self.block.outputs(self.shape);
        for tile in self.block.tiles() {
            let corner = ((tile.image * height + tile.top) * width + tile.left) * channels - first;
            let (rows, columns) = (TILE.min(height - tile.top), TILE.min(width - tile.left));
            let mut to: [[&mut [f32]; TILE]; TILE] = Default::default();
            let lines = self.to[corner..].chunks_mut(width * channels);
            for (to, line) in to.iter_mut().take(rows).zip(lines) {
                for (to, pixel) in to.iter_mut().take(columns).zip(line.chunks_exact_mut(channels)) {
                    *to = pixel;
                }
            }
            let products = places(self.products, tile.index, channels);
            transform::<S, Outputs, SEEN, TILE>(simd, &products, &mut to, self.into);
        }
    }
}
