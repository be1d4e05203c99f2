//! Resampling: every output is a weighted sum of the pixels that its taps name; every input's gradient is the same sum over
//! the outputs that name it.

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape};

use super::elementwise::add_into;
use super::simd::vectorised;
use super::{Native, Nhwc, tensor, zeroed};
use crate::tensor::backend::to_host;
use crate::tensor::{Features, OpResult, Part, Resampling};

/// For each result along an axis, its sources with their weights.
type Axis = Vec<Vec<(usize, f32)>>;

/// The map along an axis of `side` pixels, and its transpose.
fn axes(map: Resampling, side: usize) -> (Axis, Axis) {
    let mut there = vec![Vec::new(); map.output_side(side)];
    let mut back = vec![Vec::new(); side];
    for (tap, &weight) in map.weights().iter().enumerate() {
        for (output, source) in map.sources(side, tap).into_iter().enumerate() {
            there[output].push((source, weight));
            back[source].push((output, weight));
        }
    }
    (there, back)
}

/// See [`crate::tensor::Backend::resample`].
pub(super) fn resample<T: Tape<f32, Cpu>>(
    x: Features<Native, T>,
    map: Resampling,
) -> OpResult<Native, Features<Native, T>> {
    let _part = Part::Elementwise.start();
    let shape = *x.shape();
    let (images, height, width, channels) = shape;
    let ((rows, back_rows), (columns, back_columns)) = (axes(map, height), axes(map, width));
    let out_shape = (images, rows.len(), columns.len(), channels);
    let (x, mut tape) = x.split_tape();
    let y = tensor(sums(&to_host(&x), shape, &rows, &columns), out_shape)?;

    let (x, out) = (x.ghost(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let _part = Part::Elementwise.start();
        let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
        let dx = sums(&dy, out_shape, &back_rows, &back_columns);
        add_into(gradients.get_or_alloc_mut(&x)?, &dx);
        Ok(())
    });
    Ok(y.put_tape(tape))
}

/// One row of results a part.
fn sums(x: &[f32], (images, height, width, channels): Nhwc, rows: &Axis, columns: &Axis) -> Vec<f32> {
    let line = columns.len() * channels;
    zeroed::in_parts(images * rows.len() * line, line, |row, y| {
        let image = &x[row / rows.len() * height * width * channels..];
        vectorised(
            #[inline(always)]
            || {
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
    })
}
