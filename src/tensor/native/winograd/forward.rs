//! The convolution itself.

use pulp::Arch;

use super::kernel_transforms::transform_weights;
use super::products::{Left, Product, Right};
use super::tile_transforms::{Gather, ScatterOutputs};
use super::tiles::{Source, blocks, buffer_length, matrix_stride};
use super::transforms::Inputs;
use super::{PRODUCTS, TILE_INPUTS};
use crate::tensor::Conv2d;
use crate::tensor::native::Nhwc;
use crate::tensor::native::gemm::WriteMode;
use crate::tensor::native::output::Output;
use crate::tensor::native::scratch::with_scratch;

/// Convolves x, with padding up to 2.
pub(in crate::tensor::native) fn convolve(x: &[f32], shape: Nhwc, weights: &[f32], conv: &Conv2d, y: Output<'_>) {
    let y_shape = conv.output_shape(shape);
    with_scratch(PRODUCTS * conv.input * conv.output, |kernels| {
        transform_weights(weights, conv, kernels);
        let kernels = &*kernels;
        let blocks = blocks(y_shape, conv);
        let lengths: Vec<usize> = blocks.iter().map(|block| block.outputs(y_shape).1).collect();
        y.fill(&lengths, |index, part, mode| {
            let block = blocks[index];
            let tiles = block.len();
            with_scratch(
                conv.input + buffer_length(tiles, conv.input) + buffer_length(tiles, conv.output),
                |scratch| {
                    let (zeros, scratch) = scratch.split_at_mut(conv.input);
                    zeros.fill(0.0);
                    let (inputs, products) = scratch.split_at_mut(buffer_length(tiles, conv.input));
                    let source = Source { values: x, shape, padding: conv.padding, zeros };
                    Arch::new().dispatch(Gather::<Inputs, TILE_INPUTS>::new(source, block, inputs));
                    let matrices = inputs
                        .chunks_exact(matrix_stride(tiles, conv.input))
                        .zip(kernels.chunks_exact(conv.input * conv.output));
                    for ((inputs, kernel), products) in
                        matrices.zip(products.chunks_exact_mut(matrix_stride(tiles, conv.output)))
                    {
                        let kernel = Right::packed(kernel, conv.input, conv.output);
                        let inputs = Left::new(inputs, tiles, conv.input);
                        Arch::new().dispatch(Product::new(inputs, kernel, products, WriteMode::Overwrite));
                    }
                    Arch::new().dispatch(ScatterOutputs::new(products, block, part, y_shape, mode));
                },
            );
        });
    });
}
