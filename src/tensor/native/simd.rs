//! Loops that are compiled for the widest vectors of the machine.

use rayon::prelude::*;

/// Runs `work` with the best vector instructions of the machine. It is compiled for each level (AVX-512, AVX2, NEON, …).
///
/// The arithmetic and its order are the same at every level: a compiler does not fuse separate products and sums.
#[inline]
pub(super) fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// Number of concurrent sums in [`lane_sum`]: fixed, so that the bits do not depend on the machine.
const LANES: usize = 16;

/// Computes Σ term(a, b) in sixteen concurrent sums, which are then joined pair by pair.
///
/// A single chain of sums cannot be vectorised, because it fixes another order.
#[inline(always)]
pub(super) fn lane_sum<V: Copy + Default + std::ops::AddAssign>(
    a: &[f32],
    b: &[f32],
    term: impl Fn(f32, f32) -> V,
) -> V {
    let mut sums = [V::default(); LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += term(a[lane], b[lane]);
        }
    }
    for ((sum, a), b) in sums.iter_mut().zip(a_rest).zip(b_rest) {
        *sum += term(*a, *b);
    }
    let mut width = LANES / 2;
    while width > 0 {
        let (left, right) = sums.split_at_mut(width);
        for lane in 0..width {
            left[lane] += right[lane];
        }
        width /= 2;
    }
    sums[0]
}

/// Computes Σ term(v) in 64 bits, in parts of `part` values that are joined in order.
pub(super) fn sum_64(values: &[f32], part: usize, term: impl Fn(f32) -> f64 + Sync) -> f64 {
    sum_64_of_pairs(values, values, part, |value, _| term(value))
}

/// Computes Σ term(a, b) in 64 bits, in parts of `part` pairs that are joined in order.
pub(super) fn sum_64_of_pairs(a: &[f32], b: &[f32], part: usize, term: impl Fn(f32, f32) -> f64 + Sync) -> f64 {
    let parts: Vec<f64> = a
        .par_chunks(part)
        .zip(b.par_chunks(part))
        .map(|(a, b)| {
            vectorised(
                #[inline(always)]
                || lane_sum(a, b, &term),
            )
        })
        .collect();
    parts.iter().sum()
}
