//! Max pooling. The first of equal maxima gets the gradient, as in PyTorch.

use rayon::prelude::*;

use super::Nhwc;
use super::gemm::WriteMode;
use super::simd::vectorised;
use super::values::{Values, accumulate};
use crate::tensor::StepPart;
use crate::tensor::geometry::{MAX_POOL, max_pool_shape};

/// Returns the maxima, and the winning tap of each if a gradient will be computed.
pub(super) fn max_pooled(input: &[f32], shape: Nhwc, with_winners: bool) -> (Values, Vec<u8>) {
    let _part = StepPart::Elementwise.start();
    let (_, height, width, channels) = shape;
    let (images, out_height, out_width, _) = max_pool_shape(shape);
    let line = out_width * channels;
    let length = images * out_height * line;
    // Fills one row of outputs.
    let fill = |row: usize, values: &mut [f32], mut winners: Option<&mut [u8]>| {
        let image = &input[(row / out_height) * height * width * channels..];
        values.fill(f32::NEG_INFINITY);
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
    };
    let mut winners = vec![0_u8; if with_winners { length } else { 0 }];
    let mut values = Values::new(length);
    let rows = values.par_chunks_mut(line);
    match with_winners {
        true => rows.zip(winners.par_chunks_mut(line)).enumerate().for_each(|(row, (values, winners))| {
            vectorised(
                #[inline(always)]
                || fill(row, values, Some(winners)),
            );
        }),
        false => rows.enumerate().for_each(|(row, values)| {
            vectorised(
                #[inline(always)]
                || fill(row, values, None),
            );
        }),
    }
    (values, winners)
}

/// Adds the gradient of each output to the winning input. Runs in parallel over images, because windows overlap only within an image.
pub(super) fn gradient(dy: &[f32], winners: &[u8], shape: Nhwc, sum: &mut Option<Values>) {
    let _part = StepPart::Elementwise.start();
    let (images, height, width, channels) = shape;
    let (_, out_height, out_width, _) = max_pool_shape(shape);
    let outputs = out_height * out_width * channels;
    let length = height * width * channels;
    accumulate(sum, images * length, |dx, mode| {
        let images = dx.par_chunks_mut(length).zip(dy.par_chunks(outputs)).zip(winners.par_chunks(outputs));
        images.for_each(|((dx, dy), winners)| {
            vectorised(
                #[inline(always)]
                || {
                    if mode == WriteMode::Overwrite {
                        dx.fill(0.0);
                    }
                    for position in 0..out_height * out_width {
                        let dy = &dy[position * channels..][..channels];
                        let winners = &winners[position * channels..][..channels];
                        for (tap, y, x) in taps(position / out_width, position % out_width, height, width) {
                            let target = &mut dx[(y * width + x) * channels..][..channels];
                            for ((target, dy), winner) in target.iter_mut().zip(dy).zip(winners) {
                                *target += if *winner == tap { *dy } else { 0.0 };
                            }
                        }
                    }
                },
            );
        });
    });
}

/// Returns whether a value replaces the largest so far. NaN does, because it must not be hidden.
#[inline(always)]
fn exceeds(value: f32, largest: f32) -> bool {
    value > largest || value.is_nan()
}

/// Returns the taps of one window inside the image: (index, row, column).
#[inline(always)]
fn taps(row: usize, column: usize, height: usize, width: usize) -> impl Iterator<Item = (u8, usize, usize)> {
    const KERNEL: u8 = MAX_POOL.kernel as u8;
    (0..KERNEL * KERNEL).filter_map(
        #[inline(always)]
        move |tap| {
            let y = (MAX_POOL.stride * row + usize::from(tap / KERNEL)).checked_sub(MAX_POOL.padding)?;
            let x = (MAX_POOL.stride * column + usize::from(tap % KERNEL)).checked_sub(MAX_POOL.padding)?;
            (y < height && x < width).then_some((tap, y, x))
        },
    )
}
