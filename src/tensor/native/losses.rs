//! Losses, and the distance for anomaly maps. For the formulas see [`crate::tensor::Backend::similarity`].

use rayon::prelude::*;

use super::elementwise::add_zip;
use super::gemm::WriteMode;
use super::simd::{lane_sum, sum_64, sum_64_of_pairs, vectorised};
use super::values::{Values, accumulate, accumulated};
use crate::tensor::StepPart;
use crate::tensor::formulas::NORM_FLOOR;

/// Pixels per part of a reduction.
const PART: usize = 1024;
/// Elements per part of a reduction.
const PART_ELEMENTS: usize = 1 << 14;

/// Returns the pixels per parallel part of a distance. Pixels with many channels, such as whole images, need more parts. The parts do
/// not change the bits, because a pixel's distance depends on no other.
fn pixels_per_part(channels: usize) -> usize {
    (64 * PART / channels).clamp(1, PART)
}

/// Returns the factor that makes the L2 norm of a vector 1.
#[inline(always)]
fn inverse_norm(vector: &[f32]) -> f32 {
    1.0 / lane_sum(vector, vector, |a, b| a * b).sqrt().max(NORM_FLOOR)
}

/// See [`crate::tensor::Kernels::distances`].
pub(super) fn distances(teacher: &[f32], student: &[f32], channels: usize) -> Values {
    let _part = StepPart::Loss.start(2 * teacher.len() + teacher.len() / channels);
    let mut map = Values::new(teacher.len() / channels);
    let part = pixels_per_part(channels);
    map.par_chunks_mut(part).enumerate().for_each(|(index, map)| {
        vectorised(
            #[inline(always)]
            || {
                let from = index * part * channels;
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
    });
    map
}

/// See [`crate::tensor::Kernels::mean_distance`].
pub(super) fn mean_distance(teacher: &[f32], student: &[f32], channels: usize) -> f32 {
    let map = distances(teacher, student, channels);
    (sum_64(&map, PART, f64::from) / map.len() as f64) as f32
}

/// See [`crate::tensor::Kernels::mean_distance_gradient`].
pub(super) fn mean_distance_gradient(
    dloss: f32,
    teacher: &[f32],
    student: &[f32],
    channels: usize,
    sum: &mut Option<Values>,
) {
    let _part = StepPart::Loss.start(2 * teacher.len() + accumulated(sum, student.len()));
    let scale = 2.0 * dloss / (teacher.len() / channels) as f32;
    let part = channels * pixels_per_part(channels);
    accumulate(sum, student.len(), |ds, mode| {
        ds.par_chunks_mut(part).zip(teacher.par_chunks(part)).zip(student.par_chunks(part)).for_each(|((ds, t), s)| {
            vectorised(
                #[inline(always)]
                || {
                    let pixels = t.chunks_exact(channels).zip(s.chunks_exact(channels));
                    for (ds, (t, s)) in ds.chunks_exact_mut(channels).zip(pixels) {
                        let (t_factor, s_factor) = (inverse_norm(t), inverse_norm(s));
                        let along = lane_sum(t, s, |t, s| (s * s_factor - t * t_factor) * (s * s_factor));
                        let values = ds.iter_mut().zip(t).zip(s);
                        let slope = |t: f32, s: f32| {
                            let unit = s * s_factor;
                            scale * s_factor * ((unit - t * t_factor) - unit * along)
                        };
                        match mode {
                            WriteMode::Overwrite => values.for_each(|((ds, t), s)| *ds = slope(*t, *s)),
                            WriteMode::Accumulate => values.for_each(|((ds, t), s)| *ds += slope(*t, *s)),
                        }
                    }
                },
            );
        });
    });
}

/// See [`crate::tensor::Kernels::squared_error`].
pub(super) fn squared_error(a: &[f32], b: &[f32]) -> f32 {
    let _part = StepPart::Loss.start(2 * a.len());
    let square = |a: f32, b: f32| f64::from((a - b) * (a - b));
    (sum_64_of_pairs(a, b, PART_ELEMENTS, square) / a.len() as f64) as f32
}

/// See [`crate::tensor::Kernels::squared_error_gradient`].
pub(super) fn squared_error_gradient(dloss: f32, a: &[f32], b: &[f32], sign: f32, sum: &mut Option<Values>) {
    let _part = StepPart::Loss.start(2 * a.len() + accumulated(sum, a.len()));
    let factor = sign * (2.0 * dloss / a.len() as f32);
    add_zip(sum, a, b, |a, b| factor * (a - b));
}

/// See [`crate::tensor::Kernels::smooth_l1_error`].
pub(super) fn smooth_l1_error(a: &[f32], b: &[f32]) -> f32 {
    let _part = StepPart::Loss.start(2 * a.len());
    let distance = |a: f32, b: f32| {
        let difference = (a - b).abs();
        f64::from(if difference < 1.0 { 0.5 * difference * difference } else { difference - 0.5 })
    };
    (sum_64_of_pairs(a, b, PART_ELEMENTS, distance) / a.len() as f64) as f32
}

/// See [`crate::tensor::Kernels::smooth_l1_gradient`].
pub(super) fn smooth_l1_gradient(dloss: f32, a: &[f32], b: &[f32], sum: &mut Option<Values>) {
    let _part = StepPart::Loss.start(2 * a.len() + accumulated(sum, a.len()));
    let factor = dloss / a.len() as f32;
    // `clamp` keeps NaN.
    add_zip(sum, a, b, |a, b| factor * (a - b).clamp(-1.0, 1.0));
}
