//! Resampling: every output is a weighted sum of the pixels that its taps read. The gradient of every input is the same weighted sum over
//! the outputs that read it.

use rayon::prelude::*;

use super::Nhwc;
use super::gemm::WriteMode;
use super::simd::vectorised;
use super::values::{Values, accumulate, accumulated};
use crate::tensor::resampling::{Axis, axes};
use crate::tensor::{Resampling, StepPart};

/// See [`crate::tensor::Kernels::resampled`].
pub(super) fn resampled(x: &[f32], shape: Nhwc, map: Resampling) -> Values {
    let (images, height, width, channels) = shape;
    let ((rows, _), (columns, _)) = (axes(map, height), axes(map, width));
    let length = images * rows.len() * columns.len() * channels;
    let _part = StepPart::Elementwise.start(x.len() + length);
    let mut y = Values::new(length);
    sums(x, shape, &rows, &columns, &mut y, WriteMode::Overwrite);
    y
}

/// See [`crate::tensor::Kernels::resampling_gradient`].
pub(super) fn gradient(dy: &[f32], shape: Nhwc, map: Resampling, sum: &mut Option<Values>) {
    let (images, height, width, channels) = shape;
    let length = images * height * width * channels;
    let _part = StepPart::Elementwise.start(dy.len() + accumulated(sum, length));
    let ((rows, back_rows), (columns, back_columns)) = (axes(map, height), axes(map, width));
    let dy_shape = (images, rows.len(), columns.len(), channels);
    accumulate(sum, length, |dx, mode| {
        sums(dy, dy_shape, &back_rows, &back_columns, dx, mode);
    });
}

/// Computes the weighted sums, in parallel over rows of results.
fn sums(x: &[f32], shape: Nhwc, rows: &Axis, columns: &Axis, y: &mut [f32], mode: WriteMode) {
    let (_, height, width, channels) = shape;
    y.par_chunks_mut(columns.len() * channels).enumerate().for_each(|(row, y)| {
        let image = &x[row / rows.len() * height * width * channels..];
        vectorised(
            #[inline(always)]
            || {
                if mode == WriteMode::Overwrite {
                    y.fill(0.0);
                }
                for &(source_row, of_row) in &rows[row % rows.len()] {
                    for (y, taps) in y.chunks_exact_mut(channels).zip(columns) {
                        for &(source, of_column) in taps {
                            let weight = of_row * of_column;
                            let x = &image[(source_row * width + source) * channels..][..channels];
                            y.iter_mut().zip(x).for_each(|(y, x)| *y += weight * x);
                        }
                    }
                }
            },
        );
    });
}
