//! 3×3 maximum, stride 2, padding 1. The first of equal maxima gets the gradient, as in PyTorch.

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape};
use rayon::prelude::*;

use super::{Native, tensor};
use crate::tensor::backend::to_host;
use crate::tensor::{Features, OpResult};

/// See [`crate::tensor::Backend::max_pool`].
pub(super) fn max_pool<T: Tape<f32, Cpu>>(x: Features<Native, T>) -> OpResult<Native, Features<Native, T>> {
    let (images, height, width, channels) = *x.shape();
    let (out_height, out_width) = ((height - 1) / 2 + 1, (width - 1) / 2 + 1);
    let (x, mut tape) = x.split_tape();
    let input = to_host(&x);

    let mut values = vec![f32::NEG_INFINITY; images * out_height * out_width * channels];
    // Which of the nine taps won.
    let mut winners = vec![0_u8; values.len()];
    let line = out_width * channels;
    values.par_chunks_mut(line).zip(winners.par_chunks_mut(line)).enumerate().for_each(|(row, (values, winners))| {
        let image = &input[(row / out_height) * height * width * channels..];
        for column in 0..out_width {
            let target = &mut values[column * channels..][..channels];
            let winner = &mut winners[column * channels..][..channels];
            for (tap, y, x) in taps(row % out_height, column, height, width) {
                let source = &image[(y * width + x) * channels..][..channels];
                for c in 0..channels {
                    if source[c] > target[c] || source[c].is_nan() {
                        target[c] = source[c];
                        winner[c] = tap;
                    }
                }
            }
        }
    });
    let y = tensor(values, (images, out_height, out_width, channels))?;

    let (x, out) = (x.ghost(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
        let dx = gradients.get_or_alloc_mut(&x)?;
        // An image a part: windows overlap within an image only.
        dx.par_chunks_mut(height * width * channels)
            .zip(dy.par_chunks(out_height * line))
            .zip(winners.par_chunks(out_height * line))
            .for_each(|((dx, dy), winners)| {
                for position in 0..out_height * out_width {
                    let dy = &dy[position * channels..][..channels];
                    let winners = &winners[position * channels..][..channels];
                    for (tap, y, x) in taps(position / out_width, position % out_width, height, width) {
                        let target = &mut dx[(y * width + x) * channels..][..channels];
                        for c in 0..channels {
                            target[c] += if winners[c] == tap { dy[c] } else { 0.0 };
                        }
                    }
                }
            });
        Ok(())
    });
    Ok(y.put_tape(tape))
}

/// The taps of one window that lie inside the image: (index, row, column).
fn taps(row: usize, column: usize, height: usize, width: usize) -> impl Iterator<Item = (u8, usize, usize)> {
    (0..9_u8).filter_map(move |tap| {
        let y = (2 * row + usize::from(tap / 3)).checked_sub(1)?;
        let x = (2 * column + usize::from(tap % 3)).checked_sub(1)?;
        (y < height && x < width).then_some((tap, y, x))
    })
}
