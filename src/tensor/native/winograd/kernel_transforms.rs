//! Transforms of kernels, G g Gᵀ, and of their gradients back.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::TILE_INPUTS;
use super::products::pack;
use super::transforms::{KernelGradients, Kernels, Transform, transform};
use crate::tensor::Conv2d;
use crate::tensor::native::gemm::WriteMode;
use crate::tensor::native::scratch::with_scratch;

/// Weights that one thread transforms at a time.
const STRIP: usize = 2048;

/// Transforms the kernels (3, 3, in, out) to 36 matrices of (in × out), packed for products.
pub(super) fn transform_weights(weights: &[f32], conv: &Conv2d, to: &mut [f32]) {
    with_scratch(weights.len(), |packed| {
        pack(weights, conv.input, conv.output, packed);
        transform_planes::<Kernels, 3, TILE_INPUTS>(packed, to, conv.input * conv.output, WriteMode::Overwrite);
    });
}

/// Computes dW = Gᵀ sums G. `sums` holds the gradients of the transformed kernels as 36 matrices of (in × out).
pub(super) fn write_weight_gradient(sums: &[f32], conv: &Conv2d, gradient: &mut [f32], mode: WriteMode) {
    transform_planes::<KernelGradients, TILE_INPUTS, 3>(sums, gradient, conv.input * conv.output, mode);
}

/// Transforms N×N planes of `length` values to M×M planes.
fn transform_planes<F: Transform<N, M>, const N: usize, const M: usize>(
    from: &[f32],
    to: &mut [f32],
    length: usize,
    mode: WriteMode,
) {
    let mut planes = to.chunks_exact_mut(length).map(|plane| plane.chunks_mut(STRIP));
    let mut planes: [[_; M]; M] = std::array::from_fn(|_| std::array::from_fn(|_| planes.next().expect("M×M planes")));
    let strips: Vec<[[&mut [f32]; M]; M]> = (0..length.div_ceil(STRIP))
        .map(|_| planes.each_mut().map(|row| row.each_mut().map(|plane| plane.next().expect("a strip"))))
        .collect();
    strips.into_par_iter().enumerate().for_each(|(index, mut to)| {
        let strip = to[0][0].len();
        let from =
            std::array::from_fn(|i| std::array::from_fn(|j| &from[(i * N + j) * length + index * STRIP..][..strip]));
        Arch::new().dispatch(TransformStrip::<F, N, M> { from, to: &mut to, mode, transform: PhantomData });
    });
}

struct TransformStrip<'a, 'b, F, const N: usize, const M: usize> {
    from: [[&'a [f32]; N]; N],
    to: &'a mut [[&'b mut [f32]; M]; M],
    mode: WriteMode,
    transform: PhantomData<F>,
}

impl<F: Transform<N, M>, const N: usize, const M: usize> WithSimd for TransformStrip<'_, '_, F, N, M> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        transform::<S, F, N, M>(simd, &self.from, self.to, self.mode);
    }
}
