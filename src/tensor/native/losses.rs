//! Losses, and the distance that becomes an anomaly map.
//!
//! With t = T/‖T‖, s = S/‖S‖ per pixel and D = ‖t − s‖²: ∂D/∂S = 2/‖S‖ · ((s − t) − s·⟨s − t, s⟩).

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, Merge, PutTape, SplitTape, Tape};
use rayon::prelude::*;

use super::elementwise::add_scaled;
use super::simd::{lane_sum, sum_64, vectorised};
use super::{Native, tensor, zeroed};
use crate::tensor::backend::to_host;
use crate::tensor::{Features, OpResult, Part, Scalar};

/// Floor of a norm, as `torch.nn.functional.normalize`.
const NORM_FLOOR: f32 = 1e-12;
/// Pixels a part of a reduction.
const PART: usize = 1024;
/// Elements a part of a reduction.
const PART_ELEMENTS: usize = 1 << 14;

/// The factor that makes a vector's L2 norm 1.
#[inline(always)]
fn inverse_norm(vector: &[f32]) -> f32 {
    1.0 / lane_sum(vector, vector, |a, b| a * b).sqrt().max(NORM_FLOOR)
}

/// Σ_c (T^ − S^)² per pixel.
fn distances(teacher: &[f32], student: &[f32], channels: usize) -> Vec<f32> {
    zeroed::in_parts(teacher.len() / channels, PART, |index, map| {
        vectorised(
            #[inline(always)]
            || {
                let from = index * PART * channels;
                let pixels = teacher[from..].chunks_exact(channels).zip(student[from..].chunks_exact(channels));
                for (value, (t, s)) in map.iter_mut().zip(pixels) {
                    let (t_factor, s_factor) = (inverse_norm(t), inverse_norm(s));
                    *value = lane_sum(t, s, |t, s| {
                        let apart = t * t_factor - s * s_factor;
                        apart * apart
                    });
                }
            },
        );
    })
}

/// See [`crate::tensor::Backend::distance_map`].
pub(super) fn distance_map(teacher: &Features<Native>, student: &Features<Native>) -> Vec<f32> {
    let _part = Part::Loss.start();
    distances(&to_host(teacher), &to_host(student), teacher.shape().3)
}

/// See [`crate::tensor::Backend::similarity`].
pub(super) fn similarity<T: Tape<f32, Cpu>>(
    teacher: &Features<Native>,
    student: Features<Native, T>,
) -> OpResult<Native, Scalar<Native, T>> {
    let _part = Part::Loss.start();
    let channels = student.shape().3;
    let (student, mut tape) = student.split_tape();
    let (t, s) = (to_host(teacher), to_host(&student));
    let pixels = s.len() / channels;
    let loss =
        tensor(vec![(sum_64(&distances(&t, &s, channels), PART_ELEMENTS, f64::from) / pixels as f64) as f32], ())?;

    let (student, out) = (student.ghost(), loss.ghost());
    tape.add_backward_op(move |gradients| {
        let _part = Part::Loss.start();
        let scale = 2.0 * gradients.get_or_alloc_mut(&out)?[0] / pixels as f32;
        let ds = gradients.get_or_alloc_mut(&student)?;
        let parts =
            ds.par_chunks_mut(channels * PART).zip(t.par_chunks(channels * PART)).zip(s.par_chunks(channels * PART));
        parts.for_each(|((ds, t), s)| {
            vectorised(
                #[inline(always)]
                || {
                    let pixels = t.chunks_exact(channels).zip(s.chunks_exact(channels));
                    for (ds, (t, s)) in ds.chunks_exact_mut(channels).zip(pixels) {
                        let (t_factor, s_factor) = (inverse_norm(t), inverse_norm(s));
                        let along = lane_sum(t, s, |t, s| (s * s_factor - t * t_factor) * (s * s_factor));
                        for ((ds, t), s) in ds.iter_mut().zip(t).zip(s) {
                            let unit = s * s_factor;
                            *ds += scale * s_factor * ((unit - t * t_factor) - unit * along);
                        }
                    }
                },
            );
        });
        Ok(())
    });
    Ok(loss.put_tape(tape))
}

/// See [`crate::tensor::Backend::mean_squared_error`].
pub(super) fn mean_squared_error<T: Tape<f32, Cpu> + Merge<R>, R: Tape<f32, Cpu>>(
    a: Features<Native, T>,
    b: Features<Native, R>,
) -> OpResult<Native, Scalar<Native, T>> {
    let _part = Part::Loss.start();
    let (a, tape) = a.split_tape();
    let (b, other) = b.split_tape();
    let mut tape = tape.merge(other);
    let mut difference = to_host(&a);
    add_scaled(&mut difference, -1.0, &to_host(&b));
    let count = difference.len();
    let loss = tensor(vec![(sum_64(&difference, PART_ELEMENTS, |d| f64::from(d * d)) / count as f64) as f32], ())?;

    let (a, b, out) = (a.ghost(), b.ghost(), loss.ghost());
    tape.add_backward_op(move |gradients| {
        let _part = Part::Loss.start();
        let scale = 2.0 * gradients.get_or_alloc_mut(&out)?[0] / count as f32;
        add_scaled(gradients.get_or_alloc_mut(&a)?, scale, &difference);
        if R::OWNS_TAPE {
            add_scaled(gradients.get_or_alloc_mut(&b)?, -scale, &difference);
        }
        Ok(())
    });
    Ok(loss.put_tape(tape))
}
