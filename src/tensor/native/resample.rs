//! Resampling: every output is a weighted sum of the pixels that its taps read. The gradient of every input is the same weighted sum over
//! the outputs that read it.

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, Tape};

use super::elementwise::add_into;
use super::host_copy::HostCopy;
use super::simd::vectorised;
use super::{Nhwc, tensor, zeroed};
use crate::tensor::tape::unary;
use crate::tensor::tensors::{Buffer, DeviceResult, Features};
use crate::tensor::{Resampling, StepPart};

/// Sources and weights of each result along an axis.
type Axis = Vec<Vec<(usize, f32)>>;

/// Returns the map along an axis of `side` pixels, and its transpose.
fn axes(map: Resampling, side: usize) -> (Axis, Axis) {
    let mut forward = vec![Vec::new(); map.output_side(side)];
    let mut backward = vec![Vec::new(); side];
    for (tap, &weight) in map.weights().iter().enumerate() {
        for (output, source) in map.sources(side, tap).into_iter().enumerate() {
            forward[output].push((source, weight));
            backward[source].push((output, weight));
        }
    }
    (forward, backward)
}

/// See [`crate::tensor::Backend::resample`].
pub(super) fn resample<T: Tape<f32, Cpu>>(x: Features<Cpu, T>, map: Resampling) -> DeviceResult<Cpu, Features<Cpu, T>> {
    let _part = StepPart::Elementwise.start();
    unary(x, |x| {
        let shape = *x.shape();
        let (images, height, width, channels) = shape;
        let ((rows, back_rows), (columns, back_columns)) = (axes(map, height), axes(map, width));
        let out_shape = (images, rows.len(), columns.len(), channels);
        let y = tensor(sums(&HostCopy::of(&x), shape, &rows, &columns), out_shape)?;
        let backward = move |dy: Vec<f32>, dx: &mut Buffer<Cpu>| {
            let _part = StepPart::Elementwise.start();
            add_into(dx, &sums(&dy, out_shape, &back_rows, &back_columns));
            Ok(())
        };
        Ok((y, backward))
    })
}

/// Computes the weighted sums, in parallel over rows of results.
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
