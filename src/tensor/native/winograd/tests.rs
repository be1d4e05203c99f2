//! Compares Winograd's convolutions with products of rows.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rand::Rng;

use super::*;
use crate::data::stream;
use crate::tensor::Conv2d;
use crate::tensor::geometry::Nhwc;
use crate::tensor::native::conv2d::{backward_rows_weights, convolve_rows};
use crate::tensor::native::gemm::WriteMode;
use crate::tensor::native::output::Output;

fn noise(purpose: &str, count: usize) -> Vec<f32> {
    let mut stream = stream(5, purpose, 0, 0);
    (0..count).map(|_| (stream.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// Returns the largest difference, relative to the largest value.
fn error(ours: &[f32], theirs: &[f32]) -> f32 {
    let largest = |values: &mut dyn Iterator<Item = f32>| values.fold(0.0_f32, |m, v| m.max(v.abs()));
    largest(&mut ours.iter().zip(theirs).map(|(a, b)| a - b)) / largest(&mut theirs.iter().copied())
}

/// Returns the errors of the outputs and of the weights' gradient, written and added.
fn errors(shape: Nhwc, output: usize, padding: usize) -> (f32, f32) {
    let (images, height, width, input) = shape;
    let conv = Conv2d { input, output, kernel: 3, stride: 1, padding, input_gradient: true };
    let x = noise("x", images * height * width * input);
    let weights = noise("weights", conv.weights());
    let dy = noise("dy", images * conv.output_side(height) * conv.output_side(width) * output);
    let mut largest = (0.0_f32, 0.0_f32);
    for mode in [WriteMode::Accumulate, WriteMode::Overwrite] {
        let (mut ours, mut theirs) = (vec![0.5; dy.len()], vec![0.5; dy.len()]);
        convolve(&x, shape, &weights, &conv, Output::new(&mut ours, mode));
        convolve_rows(&x, shape, &weights, &conv, Output::new(&mut theirs, mode));
        largest.0 = largest.0.max(error(&ours, &theirs));
        let (mut ours, mut theirs) = (vec![0.5; weights.len()], vec![0.5; weights.len()]);
        backward_weights(&x, shape, &dy, &conv, &mut ours, mode);
        backward_rows_weights(&x, shape, &dy, &conv, &mut theirs, mode);
        largest.1 = largest.1.max(error(&ours, &theirs));
    }
    largest
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
    let mut y = vec![0.0; 9 * 9 * 3];
    let output = Output::new(&mut y, WriteMode::Overwrite);
    convolve(&x, shape, &noise("weights", conv.weights()), &conv, output);
    for (position, value) in y.iter().enumerate() {
        let (row, column) = (position / 27, position / 3 % 9);
        if row.abs_diff(4) <= 1 && column.abs_diff(3) <= 1 {
            assert!(value.is_nan(), "{row} {column}");
        }
        if row.abs_diff(4) > 4 || column.abs_diff(3) > 4 {
            assert!(value.is_finite(), "{row} {column}");
        }
    }
}
