//! Transforms of tiles from images to matrices, and from matrices to outputs.

use std::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::tiles::{Block, Source, matrix_rows, matrix_rows_mut};
use super::transforms::{Outputs, Transform, transform};
use super::{TILE, TILE_INPUTS};
use crate::tensor::native::Nhwc;
use crate::tensor::native::gemm::WriteMode;

/// Computes F ⊗ F of the N×N pixels of a block's tiles, as 36 matrices of (tiles × channels).
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

impl<F: Transform<N, TILE_INPUTS>, const N: usize> WithSimd for Gather<'_, F, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let channels = self.source.shape.3;
        for tile in self.block.tiles() {
            let mut to = matrix_rows_mut(self.to, tile.index, channels);
            transform::<S, F, N, TILE_INPUTS>(simd, &self.source.pixels(tile), &mut to, WriteMode::Overwrite);
        }
    }
}

/// Computes Aᵀ m A of a block's tiles and writes it to the block's part of the output.
pub(super) struct ScatterOutputs<'a> {
    products: &'a [f32],
    block: Block,
    to: &'a mut [f32],
    shape: Nhwc,
    mode: WriteMode,
}

impl<'a> ScatterOutputs<'a> {
    pub(super) fn new(products: &'a [f32], block: Block, to: &'a mut [f32], shape: Nhwc, mode: WriteMode) -> Self {
        Self { products, block, to, shape, mode }
    }
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
            let products = matrix_rows(self.products, tile.index, channels);
            transform::<S, Outputs, TILE_INPUTS, TILE>(simd, &products, &mut to, self.mode);
        }
    }
}
