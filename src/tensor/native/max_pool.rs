//! 3×3 maximum, stride 2, padding 1. The first of equal maxima gets the gradient, as in PyTorch.

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape};
use rayon::prelude::*;

use super::simd::vectorised;
use super::{Native, tensor, zeroed};
use crate::tensor::backend::to_host;
use crate::tensor::{Features, OpResult, Part};

/// See [`crate::tensor::Backend::max_pool`].
pub(super) fn max_pool<T: Tape<f32, Cpu>>(x: Features<Native, T>) -> OpResult<Native, Features<Native, T>> {
    let _part = Part::Elementwise.start();
    let (images, height, width, channels) = *x.shape();
    let (out_height, out_width) = ((height - 1) / 2 + 1, (width - 1) / 2 + 1);
    let (x, mut tape) = x.split_tape();
    let input = to_host(&x);

    let line = out_width * channels;
    let length = images * out_height * line;
    // One row of outputs; and which of the nine taps won, where a gradient will ask.
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
    let mut winners = vec![0_u8; if T::OWNS_TAPE { length } else { 0 }];
    let values = if T::OWNS_TAPE {
        zeroed::in_parts_beside(length, line, &mut winners, |row, values, winners| {
            vectorised(
                #[inline(always)]
                || fill(row, values, Some(winners)),
            );
        })
    } else {
        zeroed::in_parts(length, line, |row, values| {
            vectorised(
                #[inline(always)]
                || fill(row, values, None),
            );
        })
    };
    let y = tensor(values, (images, out_height, out_width, channels))?;

    let (x, out) = (x.ghost(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let _part = Part::Elementwise.start();
        let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
        let dx = gradients.get_or_alloc_mut(&x)?;
        // An image a part: windows overlap within an image only.
        dx.par_chunks_mut(height * width * channels)
            .zip(dy.par_chunks(out_height * line))
            .zip(winners.par_chunks(out_height * line))
            .for_each(|((dx, dy), winners)| {
                vectorised(
                    #[inline(always)]
                    || {
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
        Ok(())
    });
    Ok(y.put_tape(tape))
}

/// Whether a value takes the place of the largest so far. What is no number does: it must not be hidden.
#[inline(always)]
fn exceeds(value: f32, largest: f32) -> bool {
    value > largest || value.is_nan()
}

/// The taps of one window that lie inside the image: (index, row, column).
#[inline(always)]
fn taps(row: usize, column: usize, height: usize, width: usize) -> impl Iterator<Item = (u8, usize, usize)> {
    (0..9_u8).filter_map(
        #[inline(always)]
        move |tap| {
            let y = (2 * row + usize::from(tap / 3)).checked_sub(1)?;
            let x = (2 * column + usize::from(tap % 3)).checked_sub(1)?;
            (y < height && x < width).then_some((tap, y, x))
        },
    )
}
