//! 3×3 convolutions with stride 1 with a quarter of the multiplications: Winograd's F(4×4, 3×3) (Lavin & Gray 2016, arXiv:1509.09308).
//!
//! A tile of 4×4 outputs is Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A. d are the 6×6 inputs that the tile reads, and g is the kernel. Summed over
//! input channels, each of the 36 places of ⊙ is a matrix product (tiles × in)·(in × out). The gradient with respect to the weights is
//! Gᵀ[Σ over tiles (Bᵀ d B) ⊙ (A dY Aᵀ)]G, 36 products (in × tiles)·(tiles × out).
//!
//! Errors stay near 1e-5 of the largest value (256 channels), about ten times those of plain sums. A NaN in the input affects all tiles
//! that read it: all outputs that depend on it, and neighbours at most three pixels further.

mod backward;
mod forward;
mod kernel_transforms;
mod tile_transforms;
mod tiles;
mod transforms;

pub(super) use backward::backward_weights;
pub(super) use forward::convolve;

use super::Nhwc;
use crate::tensor::Conv2d;

/// Outputs along a side of a tile.
const TILE: usize = 4;
/// Inputs along a side of a tile.
const SEEN: usize = TILE + 2;
/// Products per tile, input channel and output channel.
const PLACES: usize = SEEN * SEEN;

/// Smallest number of input and output channels. With fewer, the transforms cost more than they save.
const FEWEST_CHANNELS: usize = 16;
/// Smallest number of tiles. With fewer, the transform of the weights costs more than it saves.
const FEWEST_TILES: usize = 32;

/// Returns whether this is the fastest algorithm for the convolution.
pub(super) fn is_faster(shape: Nhwc, conv: &Conv2d) -> bool {
    if conv.kernel != 3 || conv.stride != 1 || conv.input.min(conv.output) < FEWEST_CHANNELS {
        return false;
    }
    let (images, height, width, _) = conv.output_shape(shape);
    let tiles = images * height.div_ceil(TILE) * width.div_ceil(TILE);
    // Tiles that extend far over the border compute unused outputs.
    tiles >= FEWEST_TILES && images * height * width >= 6 * tiles
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::TestRunner;
    use rand::Rng;

    use super::*;
    use crate::data::stream;
    use crate::tensor::native::conv2d::{backward_rows_weights, convolve_rows};
    use crate::tensor::native::target::Target;

    fn noise(purpose: &str, count: usize) -> Vec<f32> {
        let mut stream = stream(5, purpose, 0, 0);
        (0..count).map(|_| (stream.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
    }

    /// Returns the largest difference, relative to the largest value.
    fn error(ours: &[f32], theirs: &[f32]) -> f32 {
        let largest = |values: &mut dyn Iterator<Item = f32>| values.fold(0.0_f32, |m, v| m.max(v.abs()));
        largest(&mut ours.iter().zip(theirs).map(|(a, b)| a - b)) / largest(&mut theirs.iter().copied())
    }

    /// Returns the errors of the outputs and of the weights' gradient, both added to existing values.
    fn errors(shape: Nhwc, output: usize, padding: usize) -> (f32, f32) {
        let (images, height, width, input) = shape;
        let conv = Conv2d { input, output, kernel: 3, stride: 1, padding, input_gradient: true };
        let x = noise("x", images * height * width * input);
        let weights = noise("weights", conv.weights());
        let dy = noise("dy", images * conv.output_side(height) * conv.output_side(width) * output);
        let (mut ours, mut theirs) = (vec![0.5; dy.len()], vec![0.5; dy.len()]);
        convolve(&x, shape, &weights, &conv, Target::Added(&mut ours));
        convolve_rows(&x, shape, &weights, &conv, Target::Added(&mut theirs));
        let outputs = error(&ours, &theirs);
        convolve(&x, shape, &weights, &conv, Target::New { values: &mut ours, finish: None });
        convolve_rows(&x, shape, &weights, &conv, Target::New { values: &mut theirs, finish: None });
        let outputs = outputs.max(error(&ours, &theirs));
        let (mut ours, mut theirs) = (vec![0.5; weights.len()], vec![0.5; weights.len()]);
        backward_weights(&x, shape, &dy, &conv, &mut ours);
        backward_rows_weights(&x, shape, &dy, &conv, &mut theirs);
        (outputs, error(&ours, &theirs))
    }

    #[test]
    fn agrees_with_products_of_rows() {
        let shapes = ((1_usize..5, 3_usize..24, 3_usize..24, 1_usize..40), 1_usize..40, 0_usize..3);
        TestRunner::new(ProptestConfig::with_cases(60))
            .run(&shapes, |(shape, output, padding)| {
                let (outputs, weights) = errors(shape, output, padding);
                prop_assert!(outputs < 2e-5 && weights < 2e-5, "{} {}", outputs, weights);
                Ok(())
            })
            .expect("equal");
    }

    #[test]
    fn many_channels_and_many_blocks_cost_no_accuracy() {
        for (shape, output) in [((2, 16, 16, 256), 256), ((8, 64, 64, 64), 64), ((1, 129, 67, 32), 33)] {
            let (outputs, weights) = errors(shape, output, 1);
            assert!(outputs < 2e-5 && weights < 2e-5, "{outputs} {weights}");
        }
    }

    #[test]
    fn nan_spoils_all_outputs_that_read_it() {
        let shape = (1, 9, 9, 2);
        let conv = Conv2d { input: 2, output: 3, kernel: 3, stride: 1, padding: 1, input_gradient: true };
        let mut x = noise("x", 9 * 9 * 2);
        x[(4 * 9 + 3) * 2 + 1] = f32::NAN;
        let mut y = Vec::new();
        let target = Target::New { values: &mut y, finish: None };
        convolve(&x, shape, &noise("weights", conv.weights()), &conv, target);
        for (place, value) in y.iter().enumerate() {
            let (row, column) = (place / 27, place / 3 % 9);
            if row.abs_diff(4) <= 1 && column.abs_diff(3) <= 1 {
                assert!(value.is_nan(), "{row} {column}");
            }
            if row.abs_diff(4) > 4 || column.abs_diff(3) > 4 {
                assert!(value.is_finite(), "{row} {column}");
            }
        }
    }
}
