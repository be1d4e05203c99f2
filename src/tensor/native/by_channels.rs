//! Convolutions with more weights than pixels, as deep in a U-Net. Threads share the work by channels, not by pixels.
//!
//! A matrix product packs its factors before it multiplies. If divided by pixels, each part would pack all weights, and the gradient of
//! the weights would be a sum of as many full-size parts. If divided by channels, each weight is packed once and each gradient has one
//! writer. The rows (im2row) of so few pixels are small enough to be built at once.

use std::ops::Deref;

use rayon::prelude::*;

use super::Nhwc;
use super::gemm::{Matrix, WriteMode, gemm};
use super::im2row::{im2row, row2im};
use super::output::{Output, even_lengths};
use super::values::Values;
use crate::tensor::Conv2d;

/// Largest number of pixels. With more, the products cost more than the packing.
const MAX_PIXELS: usize = 1024;
/// Smallest number of weights. With fewer, there is little to pack.
const MIN_WEIGHTS: usize = 1 << 17;
/// Columns per slab: fixed, so that the bits do not depend on the number of threads.
const COLUMNS: usize = 128;
/// Pixels per parallel part when the slabs are joined.
const PIXELS: usize = 32;

/// Returns whether this is the fastest algorithm for the convolution.
pub(super) fn is_faster(shape: Nhwc, conv: &Conv2d) -> bool {
    let (images, height, width, _) = conv.output_shape(shape);
    images * height * width <= MAX_PIXELS && conv.weights() >= MIN_WEIGHTS
}

/// The rows of all pixels.
enum Rows<'x> {
    /// Every pixel is its own row.
    Pixels(&'x [f32]),
    Patches(Values),
}

impl<'x> Rows<'x> {
    fn new(x: &'x [f32], shape: Nhwc, conv: &Conv2d) -> Self {
        if conv.is_pointwise() {
            return Self::Pixels(x);
        }
        let (images, height, width, _) = conv.output_shape(shape);
        let line = width * conv.depth();
        let mut rows = Values::new(images * height * line);
        rows.par_chunks_mut(line).enumerate().for_each(|(row, patches)| im2row(x, shape, conv, row, 1, patches));
        Self::Patches(rows)
    }
}

impl Deref for Rows<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Self::Pixels(pixels) => pixels,
            Self::Patches(rows) => rows,
        }
    }
}

/// Computes a · b in slabs of columns.
fn product(a: Matrix<'_>, b: Matrix<'_>, pixels: usize, columns: usize, y: Output<'_>) {
    let slabs: Vec<Values> = (0..columns)
        .step_by(COLUMNS)
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|from| {
            let count = COLUMNS.min(columns - from);
            let mut slab = Values::new(pixels * count);
            gemm(a, b.some_columns(from, count), &mut slab, WriteMode::Overwrite);
            slab
        })
        .collect();
    y.fill(&even_lengths(pixels * columns, PIXELS * columns), |index, y, mode| {
        for (pixel, y) in (index * PIXELS..).zip(y.chunks_exact_mut(columns)) {
            for (y, slab) in y.chunks_mut(COLUMNS).zip(&slabs) {
                let count = y.len();
                let values = &slab[pixel * count..][..count];
                match mode {
                    WriteMode::Overwrite => y.copy_from_slice(values),
                    WriteMode::Accumulate => y.iter_mut().zip(values).for_each(|(y, v)| *y += v),
                }
            }
        }
    });
}

/// Computes rows(x) · W.
pub(super) fn convolve(x: &[f32], shape: Nhwc, weights: &[f32], conv: &Conv2d, y: Output<'_>) {
    let (images, height, width, _) = conv.output_shape(shape);
    let pixels = images * height * width;
    let rows = Rows::new(x, shape, conv);
    let kernel = Matrix::new(weights, conv.depth(), conv.output);
    product(Matrix::new(&rows, pixels, conv.depth()), kernel, pixels, conv.output, y);
}

/// Computes dW = rows(x)ᵀ · dy.
pub(super) fn backward_weights(
    x: &[f32],
    shape: Nhwc,
    dy: &[f32],
    conv: &Conv2d,
    gradient: &mut [f32],
    mode: WriteMode,
) {
    let pixels = dy.len() / conv.output;
    let rows = Rows::new(x, shape, conv);
    let rows = Matrix::new(&rows, pixels, conv.depth());
    gradient.par_chunks_mut(COLUMNS * conv.output).enumerate().for_each(|(slab, gradient)| {
        let rows = rows.some_columns(slab * COLUMNS, gradient.len() / conv.output);
        gemm(rows.transposed(), Matrix::new(dy, pixels, conv.output), gradient, mode);
    });
}

/// Computes dx = row2im(dy · Wᵀ).
pub(super) fn backward_input(dy: &[f32], weights: &[f32], shape: Nhwc, conv: &Conv2d, dx: Output<'_>) {
    let (images, height, width, channels) = shape;
    let pixels = dy.len() / conv.output;
    let kernel = Matrix::new(weights, conv.depth(), conv.output).transposed();
    let dy = Matrix::new(dy, pixels, conv.output);
    if conv.is_pointwise() {
        return product(dy, kernel, pixels, channels, dx);
    }
    let mut rows = Values::new(pixels * conv.depth());
    product(dy, kernel, pixels, conv.depth(), Output::new(&mut rows, WriteMode::Overwrite));
    let rows_per_image = pixels / images * conv.depth();
    dx.fill(&even_lengths(images * height * width * channels, height * width * channels), |image, dx, mode| {
        row2im(&rows[image * rows_per_image..][..rows_per_image], shape, conv, dx, mode);
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tensor::native::conv2d::{backward_rows_input, backward_rows_weights, convolve_rows};

    fn ramp(count: usize, from: usize) -> Vec<f32> {
        (from..from + count).map(|i| ((i * 2_654_435_761) % 1000) as f32 / 500.0 - 1.0).collect()
    }

    fn are_close(ours: &[f32], theirs: &[f32]) -> bool {
        ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-3)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(30))]
        #[test]
        fn agrees_with_the_division_by_pixels(
            images in 1_usize..4, height in 3_usize..9, width in 3_usize..9, input in 1_usize..40, output in 1_usize..300,
            kernel in prop::sample::select(vec![1_usize, 3]), stride in 1_usize..3,
        ) {
            let conv = Conv2d { input, output, kernel, stride, padding: kernel / 2, input_gradient: true };
            let shape = (images, height, width, input);
            let out = conv.output_shape(shape);
            let (x, weights) = (ramp(images * height * width * input, 1), ramp(conv.weights(), 7));
            let dy = ramp(out.0 * out.1 * out.2 * output, 3);
            for mode in [WriteMode::Accumulate, WriteMode::Overwrite] {
                let (mut ours, mut theirs) = (vec![0.5; dy.len()], vec![0.5; dy.len()]);
                convolve(&x, shape, &weights, &conv, Output::new(&mut ours, mode));
                convolve_rows(&x, shape, &weights, &conv, Output::new(&mut theirs, mode));
                prop_assert!(are_close(&ours, &theirs));
                let (mut ours, mut theirs) = (vec![0.5; weights.len()], vec![0.5; weights.len()]);
                backward_weights(&x, shape, &dy, &conv, &mut ours, mode);
                backward_rows_weights(&x, shape, &dy, &conv, &mut theirs, mode);
                prop_assert!(are_close(&ours, &theirs));
                let (mut ours, mut theirs) = (vec![0.5; x.len()], vec![0.5; x.len()]);
                backward_input(&dy, &weights, shape, &conv, Output::new(&mut ours, mode));
                backward_rows_input(&dy, &weights, shape, &conv, Output::new(&mut theirs, mode));
                prop_assert!(are_close(&ours, &theirs));
            }
        }
    }
}
