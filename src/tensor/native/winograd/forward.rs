//! The convolution itself.

use pulp::Arch;

use super::kernel_transforms::transform_weights;
use super::tile_transforms::{Gather, ScatterOutputs};
use super::tiles::{Source, blocks, plane, room};
use super::transforms::Inputs;
use super::{PLACES, SEEN};
use crate::tensor::Conv2d;
use crate::tensor::native::Nhwc;
use crate::tensor::native::gemm::{Into, Matrix, gemm};
use crate::tensor::native::scratch::with_scratch;
use crate::tensor::native::target::Target;

/// Convolves x, with padding up to 2.
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
                Arch::new().dispatch(ScatterOutputs::new(products, block, part, y_shape, into));
            });
        });
    });
}
