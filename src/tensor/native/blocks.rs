//! Moves the outputs of a transposed 2×2 convolution between blocks and their places in the image.

use rayon::prelude::*;

use super::Nhwc;
use super::values::Values;
use crate::tensor::StepPart;

/// See [`crate::tensor::Kernels::image_of_blocks`].
pub(super) fn image_of(blocks: &[f32], (_, _, width, channels): Nhwc, bias: Option<&[f32]>) -> Values {
    let _part = StepPart::Elementwise.start(2 * blocks.len());
    let mut image = Values::new(blocks.len());
    // One row of blocks gives two rows of the image.
    let line = 4 * width * channels;
    image.par_chunks_mut(line).zip(blocks.par_chunks(line)).for_each(|(image, blocks)| {
        for (column, block) in blocks.chunks_exact(4 * channels).enumerate() {
            for (a, pair) in block.chunks_exact(2 * channels).enumerate() {
                image[(a * 2 * width + 2 * column) * channels..][..2 * channels].copy_from_slice(pair);
            }
        }
        for pixel in image.chunks_exact_mut(channels) {
            pixel.iter_mut().zip(bias.unwrap_or_default()).for_each(|(value, bias)| *value += bias);
        }
    });
    image
}

/// See [`crate::tensor::Kernels::blocks_of_image`].
pub(super) fn of_image(image: &[f32], (_, _, width, channels): Nhwc) -> Values {
    let _part = StepPart::Elementwise.start(2 * image.len());
    let mut blocks = Values::new(image.len());
    let line = 4 * width * channels;
    blocks.par_chunks_mut(line).zip(image.par_chunks(line)).for_each(|(blocks, image)| {
        for (column, block) in blocks.chunks_exact_mut(4 * channels).enumerate() {
            for (a, pair) in block.chunks_exact_mut(2 * channels).enumerate() {
                pair.copy_from_slice(&image[(a * 2 * width + 2 * column) * channels..][..2 * channels]);
            }
        }
    });
    blocks
}
