//! Losses, and the distance that becomes an anomaly map.
//!
//! With t = T/‖T‖, s = S/‖S‖ per pixel and D = ‖t − s‖²: ∂D/∂S = 2/‖S‖ · ((s − t) − s·⟨s − t, s⟩).

use std::sync::Arc;

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape};
use rayon::prelude::*;

use super::{Native, tensor};
use crate::tensor::backend::to_host;
use crate::tensor::{Features, OpResult, Scalar};

/// Floor of a norm, as `torch.nn.functional.normalize`.
const NORM_FLOOR: f32 = 1e-12;
/// Pixels a part of a reduction.
const PART: usize = 1024;

/// The factor that makes a vector's L2 norm 1.
fn inverse_norm(vector: &[f32]) -> f32 {
    1.0 / vector.iter().map(|v| v * v).sum::<f32>().sqrt().max(NORM_FLOOR)
}

/// Σ_c (T^ − S^)² per pixel.
pub(super) fn distances(teacher: &[f32], student: &[f32], channels: usize) -> Vec<f32> {
    let mut map = vec![0.0; teacher.len() / channels];
    map.par_chunks_mut(PART)
        .zip(teacher.par_chunks(PART * channels))
        .zip(student.par_chunks(PART * channels))
        .for_each(|((map, teacher), student)| {
            let pixels = map.iter_mut().zip(teacher.chunks_exact(channels)).zip(student.chunks_exact(channels));
            for ((value, t), s) in pixels {
                let (t_factor, s_factor) = (inverse_norm(t), inverse_norm(s));
                *value = t.iter().zip(s).map(|(t, s)| (t * t_factor - s * s_factor).powi(2)).sum();
            }
        });
    map
}

/// The sum of `values` in f64, in parts of a fixed size.
fn sum(values: &[f32]) -> f64 {
    let parts: Vec<f64> =
        values.par_chunks(1 << 14).map(|part| part.iter().map(|&v| f64::from(v)).sum::<f64>()).collect();
    parts.iter().sum()
}

/// See [`crate::tensor::Backend::similarity`].
pub(super) fn similarity<T: Tape<f32, Cpu>>(
    teacher: &Features<Native>,
    student: Features<Native, T>,
) -> OpResult<Native, Scalar<Native, T>> {
    let channels = student.shape().3;
    let (student, mut tape) = student.split_tape();
    let (t, s) = (Arc::new(to_host(teacher)), Arc::new(to_host(&student)));
    let pixels = s.len() / channels;
    let loss = tensor(vec![(sum(&distances(&t, &s, channels)) / pixels as f64) as f32], ())?;

    let (student, out) = (student.ghost(), loss.ghost());
    tape.add_backward_op(move |gradients| {
        let scale = 2.0 * gradients.get_or_alloc_mut(&out)?[0] / pixels as f32;
        let ds = gradients.get_or_alloc_mut(&student)?;
        ds.par_chunks_mut(channels * PART)
            .zip(t.par_chunks(channels * PART))
            .zip(s.par_chunks(channels * PART))
            .for_each(|((ds, t), s)| {
                let rows = ds.chunks_exact_mut(channels).zip(t.chunks_exact(channels)).zip(s.chunks_exact(channels));
                for ((ds, t), s) in rows {
                    let (t_factor, s_factor) = (inverse_norm(t), inverse_norm(s));
                    let along: f32 = t.iter().zip(s).map(|(t, s)| (s * s_factor - t * t_factor) * (s * s_factor)).sum();
                    for ((ds, t), s) in ds.iter_mut().zip(t).zip(s) {
                        let unit = s * s_factor;
                        *ds += scale * s_factor * ((unit - t * t_factor) - unit * along);
                    }
                }
            });
        Ok(())
    });
    Ok(loss.put_tape(tape))
}

/// See [`crate::tensor::Backend::mean_squared_error`].
pub(super) fn mean_squared_error<T: Tape<f32, Cpu>>(
    a: Features<Native, T>,
    b: Features<Native, T>,
) -> OpResult<Native, Scalar<Native, T>> {
    let (a, tape) = a.split_tape();
    let (b, other) = b.split_tape();
    let mut tape = tape.merge(other);
    let (left, right) = (to_host(&a), to_host(&b));
    let difference: Vec<f32> = left.par_iter().zip(&right).map(|(a, b)| a - b).collect();
    let count = difference.len();
    let squares: Vec<f32> = difference.par_iter().map(|d| d * d).collect();
    let loss = tensor(vec![(sum(&squares) / count as f64) as f32], ())?;

    let (a, b, out) = (a.ghost(), b.ghost(), loss.ghost());
    tape.add_backward_op(move |gradients| {
        let scale = 2.0 * gradients.get_or_alloc_mut(&out)?[0] / count as f32;
        let da = gradients.get_or_alloc_mut(&a)?;
        da.par_iter_mut().zip(&difference).for_each(|(g, d)| *g += scale * d);
        let db = gradients.get_or_alloc_mut(&b)?;
        db.par_iter_mut().zip(&difference).for_each(|(g, d)| *g -= scale * d);
        Ok(())
    });
    Ok(loss.put_tape(tape))
}
