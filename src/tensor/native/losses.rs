//! Losses, and the distance for anomaly maps. For the formulas see [`crate::tensor::Backend::similarity`].

use std::sync::Arc;

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, Merge, Tape};
use rayon::prelude::*;

use super::elementwise::add_scaled;
use super::host_copy::HostCopy;
use super::simd::{lane_sum, sum_64, vectorised};
use super::{tensor, zeroed};
use crate::tensor::formulas::NORM_FLOOR;
use crate::tensor::tape::{binary, unary};
use crate::tensor::tensors::{Buffer, DeviceResult, Features, Matrix, Scalar};
use crate::tensor::{StepPart, to_host};

/// Pixels per part of a reduction.
const PART: usize = 1024;
/// Elements per part of a reduction.
const PART_ELEMENTS: usize = 1 << 14;

/// Returns the factor that makes the L2 norm of a vector 1.
#[inline(always)]
fn inverse_norm(vector: &[f32]) -> f32 {
    1.0 / lane_sum(vector, vector, |a, b| a * b).sqrt().max(NORM_FLOOR)
}

/// Returns ‖t − s‖² of every pixel.
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
                        let difference = t * t_factor - s * s_factor;
                        difference * difference
                    });
                }
            },
        );
    })
}

/// See [`crate::tensor::Backend::distance_map`].
pub(super) fn distance_map(teacher: &Features<Cpu>, student: &Features<Cpu>) -> DeviceResult<Cpu, Matrix<Cpu>> {
    let _part = StepPart::Loss.start();
    let (images, height, width, channels) = *teacher.shape();
    let (t, s) = HostCopy::both(teacher, student);
    tensor(distances(&t, &s, channels), (images, height * width))
}

/// See [`crate::tensor::Backend::similarity`].
pub(super) fn similarity<T: Tape<f32, Cpu>>(
    teacher: &Features<Cpu>,
    student: Features<Cpu, T>,
) -> DeviceResult<Cpu, Scalar<Cpu, T>> {
    let _part = StepPart::Loss.start();
    unary(student, |student| {
        let channels = student.shape().3;
        let (t, s) = rayon::join(|| HostCopy::of(teacher), || HostCopy::of(&student));
        let pixels = s.len() / channels;
        let sum = sum_64(&distances(&t, &s, channels), PART_ELEMENTS, f64::from);
        let loss = tensor(vec![(sum / pixels as f64) as f32], ())?;
        let backward = move |dloss: Vec<f32>, ds: &mut Buffer<Cpu>| {
            let _part = StepPart::Loss.start();
            add_distance_gradient(ds, &t, &s, channels, 2.0 * dloss[0] / pixels as f32);
            Ok(())
        };
        Ok((loss, backward))
    })
}

/// Computes ds += ½ scale · ∂D/∂S, pixel by pixel.
fn add_distance_gradient(ds: &mut [f32], t: &[f32], s: &[f32], channels: usize, scale: f32) {
    let part = channels * PART;
    ds.par_chunks_mut(part).zip(t.par_chunks(part)).zip(s.par_chunks(part)).for_each(|((ds, t), s)| {
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
}

/// See [`crate::tensor::Backend::mean_squared_error`].
pub(super) fn mean_squared_error<T: Tape<f32, Cpu> + Merge<U>, U: Tape<f32, Cpu>>(
    a: Features<Cpu, T>,
    b: Features<Cpu, U>,
) -> DeviceResult<Cpu, Scalar<Cpu, T>> {
    let _part = StepPart::Loss.start();
    binary(a, b, |a, b| {
        let (mut difference, b) = rayon::join(|| to_host(&a), || HostCopy::of(&b));
        add_scaled(&mut difference, -1.0, &b);
        let count = difference.len();
        let loss = tensor(vec![(sum_64(&difference, PART_ELEMENTS, |d| f64::from(d * d)) / count as f64) as f32], ())?;
        let difference = Arc::new(difference);
        let backward = |sign: f32| {
            let difference = difference.clone();
            move |dloss: &Vec<f32>, gradient: &mut Buffer<Cpu>| {
                let _part = StepPart::Loss.start();
                add_scaled(gradient, sign * (2.0 * dloss[0] / count as f32), &difference);
                Ok(())
            }
        };
        Ok((loss, backward(1.0), backward(-1.0)))
    })
}
