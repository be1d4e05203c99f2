//! Weights there and back: G g Gᵀ, and their gradient.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::forward::Gather;
use super::tiles::{Block, Source, blocks, plane, room};
use super::transforms::{Inputs, KernelGradients, Kernels, OutputGradients, Transform, transform};
use super::{PLACES, SEEN, TILE};
use crate::tensor::Conv2d;
use crate::tensor::native::Nhwc;
use crate::tensor::native::gemm::{Into, Matrix, gemm};
use crate::tensor::native::scratch::with_scratch;

/// Weights that one thread transforms at a time.
const STRIP: usize = 2048;
/// Values of transformed blocks that are held until they are multiplied: few enough to stay in cache.
const HELD_VALUES: usize = 2 << 20;

/// The kernels (3, 3, in, out) as 36 matrices of (in × out).
pub(super) fn transform_weights(weights: &[f32], conv: &Conv2d, to: &mut [f32]) {
    transform_planes::<Kernels, 3, SEEN>(weights, to, conv.input * conv.output, Into::Overwrite);
}

/// dW += Gᵀ[Σ over tiles (Bᵀ d B) ⊙ (A dY Aᵀ)]G.
///
/// Blocks are transformed in parallel, then each of the 36 products is summed over them by one thread, in order.
pub(in crate::tensor::native) fn backward_weights(
    x: &[f32],
    shape: Nhwc,
    dy: &[f32],
    conv: &Conv2d,
    gradient: &mut [f32],
) {
    let (inputs, outputs) = (conv.input, conv.output);
    let dy_shape = conv.output_shape(shape);
    let zeros = vec![0.0; inputs.max(outputs)];
    let x = Source { values: x, shape, padding: conv.padding, zeros: &zeros[..inputs] };
    let dy = Source { values: dy, shape: dy_shape, padding: 0, zeros: &zeros[..outputs] };
    let blocks = blocks(dy_shape);
    let both = |block: &Block| room(block.len(), inputs) + room(block.len(), outputs);
    let held = (HELD_VALUES / both(&blocks[0])).max(2);
    with_scratch(PLACES * inputs * outputs, |sums| {
        for (index, blocks) in blocks.chunks(held).enumerate() {
            with_scratch(blocks.iter().map(both).sum(), |scratch| {
                let mut rest = scratch;
                let mut parts: Vec<(Block, &mut [f32], &mut [f32])> = blocks
                    .iter()
                    .map(|&block| {
                        let mut part = |width| rest.split_off_mut(..room(block.len(), width)).expect("room");
                        (block, part(inputs), part(outputs))
                    })
                    .collect();
                parts.par_iter_mut().for_each(|(block, inputs, gradients)| {
                    rayon::join(
                        || Arch::new().dispatch(Gather::<Inputs, SEEN>::new(x, *block, inputs)),
                        || Arch::new().dispatch(Gather::<OutputGradients, TILE>::new(dy, *block, gradients)),
                    );
                });
                sums.par_chunks_exact_mut(inputs * outputs).enumerate().for_each(|(place, sum)| {
                    for (number, (block, x, dy)) in parts.iter().enumerate() {
                        let tiles = block.len();
                        let x = Matrix::new(&x[place * plane(tiles, inputs)..], tiles, inputs);
                        let dy = Matrix::new(&dy[place * plane(tiles, outputs)..], tiles, outputs);
                        let into = if index == 0 && number == 0 { Into::Overwrite } else { Into::Accumulate };
                        gemm(x.transposed(), dy, sum, into);
                    }
                });
            });
        }
        transform_planes::<KernelGradients, SEEN, 3>(sums, gradient, inputs * outputs, Into::Accumulate);
    });
}

/// N×N planes of `length` values to M×M.
fn transform_planes<F: Transform<N, M>, const N: usize, const M: usize>(
    from: &[f32],
    to: &mut [f32],
    length: usize,
    into: Into,
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
        Arch::new().dispatch(TransformStrip::<F, N, M> { from, to: &mut to, into, transform: PhantomData });
    });
}

struct TransformStrip<'a, 'b, F, const N: usize, const M: usize> {
    from: [[&'a [f32]; N]; N],
    to: &'a mut [[&'b mut [f32]; M]; M],
    into: Into,
    transform: PhantomData<F>,
}

impl<F: Transform<N, M>, const N: usize, const M: usize> WithSimd for TransformStrip<'_, '_, F, N, M> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        transform::<S, F, N, M>(simd, &self.from, self.to, self.into);
    }
}
