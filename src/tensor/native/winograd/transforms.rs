//! The transforms Bᵀ d B, A dY Aᵀ, G g Gᵀ, their transposes, and one kernel that applies them to whole channels.
//!
//! The points of interpolation are 0, ±1, ±2 and ∞, as in the paper.

use std::mem::MaybeUninit;

use pulp::Simd;

use crate::tensor::native::gemm::WriteMode;

/// A linear map of N values to M values, for all lanes of vectors.
pub(super) trait Transform<const N: usize, const M: usize> {
    fn apply<S: Simd>(simd: S, from: [S::f32s; N]) -> [S::f32s; M];
}

/// Computes F ⊗ F: N×N values to M×M values, for every channel. Skips a value if its slice of `to` is empty.
#[inline(always)]
pub(super) fn transform<S: Simd, F: Transform<N, M>, const N: usize, const M: usize>(
    simd: S,
    from: &[[&[f32]; N]; N],
    to: &mut [[&mut [f32]; M]; M],
    mode: WriteMode,
) {
    let channels = from[0][0].len();
    // Checked once here, so that the loops need no checks.
    assert!(from.iter().flatten().all(|values| values.len() == channels), "equal channels");
    assert!(to.iter().flatten().all(|values| values.is_empty() || values.len() == channels), "equal channels");
    let full = channels / S::F32_LANES * S::F32_LANES;
    for at in (0..full).step_by(S::F32_LANES) {
        lanes::<S, F, N, M, false>(simd, from, to, at, at + S::F32_LANES, mode);
    }
    if full < channels {
        lanes::<S, F, N, M, true>(simd, from, to, full, channels, mode);
    }
}

/// Computes [`transform`] for the channels `start .. end`: one vector, or part of one.
#[inline(always)]
fn lanes<S: Simd, F: Transform<N, M>, const N: usize, const M: usize, const PART: bool>(
    simd: S,
    from: &[[&[f32]; N]; N],
    to: &mut [[&mut [f32]; M]; M],
    start: usize,
    end: usize,
    mode: WriteMode,
) {
    let zero = simd.splat_f32s(0.0);
    // Transformed columns of `from`: half[column][row]. They do not fit into registers, and zeros would be written to memory first.
    let mut half = [const { MaybeUninit::<[S::f32s; M]>::uninit() }; N];
    for (j, half) in half.iter_mut().enumerate() {
        let mut column = [zero; N];
        for (value, row) in column.iter_mut().zip(from) {
            // SAFETY: `transform` checked the lengths, and `end` is not beyond them.
            *value = load::<S, PART>(simd, unsafe { row[j].get_unchecked(start..end) });
        }
        half.write(F::apply(simd, column));
    }
    for (i, to) in to.iter_mut().enumerate() {
        let mut row = [zero; N];
        for (value, half) in row.iter_mut().zip(&half) {
            // SAFETY: all columns were written above.
            *value = unsafe { half.assume_init_ref() }[i];
        }
        for (to, value) in to.iter_mut().zip(F::apply(simd, row)) {
            if to.is_empty() {
                continue;
            }
            // SAFETY: as above.
            let to = unsafe { to.get_unchecked_mut(start..end) };
            let value =
                if mode == WriteMode::Accumulate { simd.add_f32s(load::<S, PART>(simd, to), value) } else { value };
            store::<S, PART>(simd, to, value);
        }
    }
}

/// Loads one vector, or part of one.
#[inline(always)]
pub(super) fn load<S: Simd, const PART: bool>(simd: S, values: &[f32]) -> S::f32s {
    if PART { simd.partial_load_f32s(values) } else { S::as_simd_f32s(values).0[0] }
}

/// Stores one vector, or part of one.
#[inline(always)]
pub(super) fn store<S: Simd, const PART: bool>(simd: S, to: &mut [f32], value: S::f32s) {
    if PART {
        simd.partial_store_f32s(to, value);
    } else {
        S::as_mut_simd_f32s(to).0[0] = value;
    }
}

/// Computes a · factor + b.
#[inline(always)]
fn scaled<S: Simd>(simd: S, factor: f32, a: S::f32s, b: S::f32s) -> S::f32s {
    simd.mul_add_e_f32s(simd.splat_f32s(factor), a, b)
}

#[inline(always)]
fn times<S: Simd>(simd: S, factor: f32, a: S::f32s) -> S::f32s {
    simd.mul_f32s(simd.splat_f32s(factor), a)
}

/// Bᵀ, the transform of inputs.
pub(super) struct Inputs;

impl Transform<6, 6> for Inputs {
    #[inline(always)]
    fn apply<S: Simd>(simd: S, [d0, d1, d2, d3, d4, d5]: [S::f32s; 6]) -> [S::f32s; 6] {
        let (even, odd) = (scaled(simd, -4.0, d2, d4), scaled(simd, -4.0, d1, d3));
        let (near, far) = (simd.sub_f32s(d4, d2), times(simd, 2.0, simd.sub_f32s(d3, d1)));
        [
            scaled(simd, 4.0, d0, scaled(simd, -5.0, d2, d4)),
            simd.add_f32s(even, odd),
            simd.sub_f32s(even, odd),
            simd.add_f32s(near, far),
            simd.sub_f32s(near, far),
            scaled(simd, 4.0, d1, scaled(simd, -5.0, d3, d5)),
        ]
    }
}

/// G, the transform of kernels.
pub(super) struct Kernels;

impl Transform<3, 6> for Kernels {
    #[inline(always)]
    fn apply<S: Simd>(simd: S, [g0, g1, g2]: [S::f32s; 3]) -> [S::f32s; 6] {
        let (even, odd) = (times(simd, -1.0 / 6.0, simd.add_f32s(g0, g2)), times(simd, 1.0 / 6.0, g1));
        let near = scaled(simd, 1.0 / 24.0, g0, times(simd, 1.0 / 6.0, g2));
        let far = times(simd, 1.0 / 12.0, g1);
        [
            times(simd, 0.25, g0),
            simd.sub_f32s(even, odd),
            simd.add_f32s(even, odd),
            simd.add_f32s(near, far),
            simd.sub_f32s(near, far),
            g2,
        ]
    }
}

/// Aᵀ, the transform of products to outputs.
pub(super) struct Outputs;

impl Transform<6, 4> for Outputs {
    #[inline(always)]
    fn apply<S: Simd>(simd: S, [m0, m1, m2, m3, m4, m5]: [S::f32s; 6]) -> [S::f32s; 4] {
        let (near_sum, near) = (simd.add_f32s(m1, m2), simd.sub_f32s(m1, m2));
        let (far_sum, far) = (simd.add_f32s(m3, m4), simd.sub_f32s(m3, m4));
        [
            simd.add_f32s(m0, simd.add_f32s(near_sum, far_sum)),
            scaled(simd, 2.0, far, near),
            scaled(simd, 4.0, far_sum, near_sum),
            simd.add_f32s(scaled(simd, 8.0, far, near), m5),
        ]
    }
}

/// A, the transform of gradients of outputs to gradients of products.
pub(super) struct OutputGradients;

impl Transform<4, 6> for OutputGradients {
    #[inline(always)]
    fn apply<S: Simd>(simd: S, [y0, y1, y2, y3]: [S::f32s; 4]) -> [S::f32s; 6] {
        let (even, odd) = (simd.add_f32s(y0, y2), simd.add_f32s(y1, y3));
        let (far_even, far_odd) = (scaled(simd, 4.0, y2, y0), scaled(simd, 8.0, y3, times(simd, 2.0, y1)));
        [
            y0,
            simd.add_f32s(even, odd),
            simd.sub_f32s(even, odd),
            simd.add_f32s(far_even, far_odd),
            simd.sub_f32s(far_even, far_odd),
            y3,
        ]
    }
}

/// Gᵀ, the transform of gradients of transformed kernels to gradients of kernels.
pub(super) struct KernelGradients;

impl Transform<6, 3> for KernelGradients {
    #[inline(always)]
    fn apply<S: Simd>(simd: S, [u0, u1, u2, u3, u4, u5]: [S::f32s; 6]) -> [S::f32s; 3] {
        let (near_sum, near) = (times(simd, 1.0 / 6.0, simd.add_f32s(u1, u2)), simd.sub_f32s(u2, u1));
        let (far_sum, far) = (simd.add_f32s(u3, u4), simd.sub_f32s(u3, u4));
        [
            simd.sub_f32s(scaled(simd, 0.25, u0, times(simd, 1.0 / 24.0, far_sum)), near_sum),
            scaled(simd, 1.0 / 6.0, near, times(simd, 1.0 / 12.0, far)),
            simd.add_f32s(simd.sub_f32s(times(simd, 1.0 / 6.0, far_sum), near_sum), u5),
        ]
    }
}
