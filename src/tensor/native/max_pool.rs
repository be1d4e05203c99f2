//! Max pooling. The first of equal maxima gets the gradient, as in PyTorch.

use rayon::prelude::*;

use super::Nhwc;
use super::gemm::WriteMode;
use super::simd::vectorised;
use super::values::{Values, accumulate, accumulated};
use crate::tensor::StepPart;
use crate::tensor::geometry::{MAX_POOL, max_pool_shape};

/// Returns the maxima, and the winning tap of each if a gradient will be computed.
///
/// Taps are floats, so that the loops over taps and values have lanes of one width.
pub(super) fn max_pooled(input: &[f32], shape: Nhwc, with_winners: bool) -> (Values, Values) {
    let (images, out_height, out_width, channels) = max_pool_shape(shape);
    let line = out_width * channels;
    let length = images * out_height * line;
    let _part = StepPart::Elementwise.start(input.len() + if with_winners { 2 * length } else { length });
    let mut winners = Values::new(if with_winners { length } else { 0 });
    let mut values = Values::new(length);
    let rows = values.par_chunks_mut(line);
    match with_winners {
        true => rows.zip(winners.par_chunks_mut(line)).enumerate().for_each(|(row, (values, winners))| {
            vectorised(
                #[inline(always)]
                || fill_row(input, shape, row, values, Some(winners)),
            );
        }),
        false => rows.enumerate().for_each(|(row, values)| {
            vectorised(
                #[inline(always)]
                || fill_row(input, shape, row, values, None),
            );
        }),
    }
    (values, winners)
}

/// Fills one row of outputs, counted over all images.
#[inline(always)]
fn fill_row(input: &[f32], shape: Nhwc, row: usize, values: &mut [f32], mut winners: Option<&mut [f32]>) {
    let (_, height, width, channels) = shape;
    let (_, out_height, out_width, _) = max_pool_shape(shape);
    let image = &input[(row / out_height) * height * width * channels..];
    values.fill(f32::NEG_INFINITY);
    // In a window of −∞ alone, nothing exceeds the start: its first tap wins.
    if let Some(winners) = &mut winners {
        winners.fill(0.0);
    }
    for column in 0..out_width {
        let values = &mut values[column * channels..][..channels];
        for (tap, y, x) in taps(row % out_height, column, height, width) {
            let source = &image[(y * width + x) * channels..][..channels];
            match &mut winners {
                None => values.iter_mut().zip(source).for_each(|(v, &s)| *v = if exceeds(s, *v) { s } else { *v }),
                Some(winners) => {
                    let winners = &mut winners[column * channels..][..channels];
                    for ((v, w), &s) in values.iter_mut().zip(winners).zip(source) {
                        let wins = exceeds(s, *v);
                        *v = if wins { s } else { *v };
                        *w = if wins { tap } else { *w };
                    }
                }
            }
        }
    }
}

/// Adds the gradient of each output to the winning input. Every row of inputs gathers from the windows that it lies in.
pub(super) fn gradient(dy: &[f32], winners: &[f32], shape: Nhwc, sum: &mut Option<Values>) {
    let (images, height, width, channels) = shape;
    let (_, out_height, out_width, _) = max_pool_shape(shape);
    let length = images * height * width * channels;
    let _part = StepPart::Elementwise.start(2 * dy.len() + accumulated(sum, length));
    accumulate(sum, length, |dx, mode| {
        dx.par_chunks_mut(width * channels).enumerate().for_each(|(row, dx)| {
            let (image, y) = (row / height, row % height);
            vectorised(
                #[inline(always)]
                || {
                    for (x, dx) in dx.chunks_exact_mut(channels).enumerate() {
                        if mode == WriteMode::Overwrite {
                            dx.fill(0.0);
                        }
                        for (row, tap_row) in windows(y, out_height) {
                            for (column, tap_column) in windows(x, out_width) {
                                let tap = (tap_row * MAX_POOL.kernel + tap_column) as f32;
                                let output = ((image * out_height + row) * out_width + column) * channels;
                                let outputs = dy[output..][..channels].iter().zip(&winners[output..][..channels]);
                                for (dx, (dy, winner)) in dx.iter_mut().zip(outputs) {
                                    *dx += if *winner == tap { *dy } else { 0.0 };
                                }
                            }
                        }
                    }
                },
            );
        });
    });
}

/// Returns the windows along an axis that a coordinate lies in, each with the coordinate's place in it.
#[inline(always)]
fn windows(coordinate: usize, count: usize) -> impl Iterator<Item = (usize, usize)> {
    let padded = coordinate + MAX_POOL.padding;
    let last = padded / MAX_POOL.stride;
    let first = (padded + 1).saturating_sub(MAX_POOL.kernel).div_ceil(MAX_POOL.stride);
    (first..=last.min(count - 1)).map(move |window| (window, padded - window * MAX_POOL.stride))
}

/// Returns whether a value replaces the largest so far. NaN does, because it must not be hidden.
#[inline(always)]
fn exceeds(value: f32, largest: f32) -> bool {
    value > largest || value.is_nan()
}

/// Returns the taps of one window inside the image: (index, row, column).
#[inline(always)]
fn taps(row: usize, column: usize, height: usize, width: usize) -> impl Iterator<Item = (f32, usize, usize)> {
    (0..MAX_POOL.kernel * MAX_POOL.kernel).filter_map(
        #[inline(always)]
        move |tap| {
            let y = (MAX_POOL.stride * row + tap / MAX_POOL.kernel).checked_sub(MAX_POOL.padding)?;
            let x = (MAX_POOL.stride * column + tap % MAX_POOL.kernel).checked_sub(MAX_POOL.padding)?;
            (y < height && x < width).then_some((tap as f32, y, x))
        },
    )
}
