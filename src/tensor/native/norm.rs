//! Batch norm over N, H and W (Ioffe and Szegedy 2015) of plain buffers, with two operations that often follow: the sum with a shortcut
//! and ReLU.
//!
//! With x̂ = (z − μ)/√(σ² + ε), a = γ/√(σ² + ε): y = max(a·z + (β − a·μ) + shortcut, 0). Backward: g = dy where y > 0, which is also the
//! gradient of the shortcut; dβ = Σ g, dγ = Σ g·x̂, dz = a·(g − mean(g) − x̂·mean(g·x̂)).
//!
//! Means and deviations are computed part by part. Each part is read once, and its deviations are summed around its own mean while it is
//! in cache. Parts are joined in 64 bits (Chan, Golub and LeVeque 1979).

use rayon::prelude::*;

use super::gemm::WriteMode;
use super::simd::vectorised;
use super::values::{Values, accumulate};
use crate::tensor::StepPart;
use crate::tensor::formulas::unbiased_divisor;

/// Pixels per part.
pub(super) const PART: usize = 512;

/// Mean and sum of squared deviations per channel of some pixels.
pub(super) struct Moments {
    count: usize,
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl Moments {
    /// Computes the moments of a part that is in cache.
    pub(super) fn of_part(part: &[f32], channels: usize) -> Self {
        vectorised(
            #[inline(always)]
            || {
                let count = part.len() / channels;
                let mut mean = vec![0.0_f32; channels];
                for pixel in part.chunks_exact(channels) {
                    mean.iter_mut().zip(pixel).for_each(|(m, z)| *m += z);
                }
                mean.iter_mut().for_each(|m| *m /= count as f32);
                let mut deviation = vec![0.0_f32; channels];
                for pixel in part.chunks_exact(channels) {
                    for ((d, z), m) in deviation.iter_mut().zip(pixel).zip(&mean) {
                        *d += (z - m) * (z - m);
                    }
                }
                Self { count, mean, deviation }
            },
        )
    }

    /// Computes the moments of all parts of some pixels.
    pub(super) fn of_parts(z: &[f32], channels: usize) -> Vec<Self> {
        z.par_chunks(PART * channels).map(|part| Self::of_part(part, channels)).collect()
    }
}

/// Mean and sum of squared deviations per channel of all pixels.
struct JoinedMoments {
    count: usize,
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl JoinedMoments {
    fn of(parts: &[Moments], channels: usize) -> Self {
        let mut all = Self { count: 0, mean: vec![0.0; channels], deviation: vec![0.0; channels] };
        for Moments { count, mean, deviation } in parts {
            let (before, count) = (all.count as f64, *count as f64);
            for c in 0..channels {
                let difference = f64::from(mean[c]) - all.mean[c];
                all.mean[c] += difference * count / (before + count);
                all.deviation[c] +=
                    f64::from(deviation[c]) + difference * difference * before * count / (before + count);
            }
            all.count += count as usize;
        }
        all
    }
}

/// Computes y = scale·z + shift (+ shortcut) channel by channel, then ReLU if `relu`.
fn finish(z: &[f32], scale: &[f32], shift: &[f32], shortcut: Option<&[f32]>, relu: bool) -> Values {
    let channels = scale.len();
    let part = PART * channels;
    let mut y = Values::new(z.len());
    y.par_chunks_mut(part).zip(z.par_chunks(part)).enumerate().for_each(|(index, (y, z))| {
        let shortcut = shortcut.map(|shortcut| &shortcut[index * part..][..y.len()]);
        vectorised(
            #[inline(always)]
            || match (shortcut, relu) {
                (None, false) => affine(y, z, scale, shift, |y| y),
                // NaN stays NaN: divergence of a network must not be hidden.
                (None, true) => affine(y, z, scale, shift, |y| if y < 0.0 { 0.0 } else { y }),
                (Some(shortcut), false) => affine_with(y, z, scale, shift, shortcut, |y| y),
                (Some(shortcut), true) => {
                    affine_with(y, z, scale, shift, shortcut, |y| if y < 0.0 { 0.0 } else { y });
                }
            },
        );
    });
    y
}

/// Computes y = last(scale·z + shift).
#[inline(always)]
fn affine(y: &mut [f32], z: &[f32], scale: &[f32], shift: &[f32], last: impl Fn(f32) -> f32) {
    let channels = scale.len();
    for (y, z) in y.chunks_exact_mut(channels).zip(z.chunks_exact(channels)) {
        for (((y, z), scale), shift) in y.iter_mut().zip(z).zip(scale).zip(shift) {
            *y = last(z * scale + shift);
        }
    }
}

/// Computes y = last(shortcut + (scale·z + shift)).
#[inline(always)]
fn affine_with(y: &mut [f32], z: &[f32], scale: &[f32], shift: &[f32], shortcut: &[f32], last: impl Fn(f32) -> f32) {
    let channels = scale.len();
    let pixels = z.chunks_exact(channels).zip(shortcut.chunks_exact(channels));
    for (y, (z, shortcut)) in y.chunks_exact_mut(channels).zip(pixels) {
        for ((((y, z), scale), shift), shortcut) in y.iter_mut().zip(z).zip(scale).zip(shift).zip(shortcut) {
            *y = last(shortcut + (z * scale + shift));
        }
    }
}

/// Values of the forward pass that the backward pass needs.
pub struct Normalisation {
    count: f64,
    mean: Vec<f32>,
    inverse: Vec<f64>,
    scale: Vec<f32>,
    shift: Vec<f32>,
}

/// Σ g and Σ g·(z − μ) per channel.
struct GradientSums {
    plain: Vec<f64>,
    along: Vec<f64>,
}

/// The normalised values of one batch.
pub(super) struct Normalised {
    pub(super) y: Values,
    pub(super) mean: Vec<f32>,
    /// Divided by n − 1.
    pub(super) variance: Vec<f32>,
    pub(super) normalisation: Normalisation,
}

/// γ, β and ε of a batch norm.
#[derive(Clone, Copy)]
pub(super) struct Parameters<'a> {
    pub(super) gamma: &'a [f32],
    pub(super) beta: &'a [f32],
    pub(super) epsilon: f32,
}

/// Normalises with the batch's own statistics, given as the moments of its parts. Channels are the last axis.
pub(super) fn normalise(
    z: &[f32],
    parts: &[Moments],
    Parameters { gamma, beta, epsilon }: Parameters<'_>,
    shortcut: Option<&[f32]>,
    relu: bool,
) -> Normalised {
    let channels = gamma.len();
    let JoinedMoments { count: pixels, mean, deviation } = JoinedMoments::of(parts, channels);
    let count = pixels as f64;
    let inverse: Vec<f64> = deviation.iter().map(|d| 1.0 / (d / count + f64::from(epsilon)).sqrt()).collect();
    let scale: Vec<f32> = (0..channels).map(|c| (inverse[c] * f64::from(gamma[c])) as f32).collect();
    let shift: Vec<f32> =
        (0..channels).map(|c| (f64::from(beta[c]) - mean[c] * inverse[c] * f64::from(gamma[c])) as f32).collect();
    let y = finish(z, &scale, &shift, shortcut, relu);
    let mean: Vec<f32> = mean.iter().map(|&m| m as f32).collect();
    let divisor = unbiased_divisor(pixels) as f64;
    let variance = deviation.iter().map(|d| (d / divisor) as f32).collect();
    Normalised { y, mean: mean.clone(), variance, normalisation: Normalisation { count, mean, inverse, scale, shift } }
}

/// How g follows from dy.
#[derive(Clone, Copy)]
enum Mask<'a> {
    /// g = dy.
    None,
    /// g = dy where y > 0. It replaces dy.
    Of(&'a [f32]),
    /// g = dy where scale·z + shift > 0. This is y, but computing it again is faster than reading it.
    Recomputed,
}

/// Returns g under [`Mask::Recomputed`].
#[inline(always)]
fn masked(dy: f32, z: f32, scale: f32, shift: f32) -> f32 {
    if z * scale + shift > 0.0 { dy } else { 0.0 }
}

impl Normalisation {
    /// Adds to dγ and dβ, and returns dz. `y` is the result if it went through ReLU. With `keep_g`, because g is also the gradient of a
    /// shortcut, g replaces dy; otherwise dz does, and `None` is returned.
    pub(super) fn gradients(
        &self,
        dy: &mut Values,
        z: &[f32],
        y: Option<&[f32]>,
        keep_g: bool,
        gamma_sum: &mut Option<Values>,
        beta_sum: &mut Option<Values>,
    ) -> Option<Values> {
        let mask = match y {
            None => Mask::None,
            Some(y) if keep_g => Mask::Of(y),
            Some(_) => Mask::Recomputed,
        };
        let passes = if matches!(mask, Mask::Of(_)) { 7 } else { 5 };
        let _part = StepPart::BatchNorm.start(passes * z.len());
        let sums = self.sums(dy, z, mask);
        let channels = self.mean.len();
        let add = |sum: &mut Option<Values>, term: &dyn Fn(usize) -> f32| {
            accumulate(sum, channels, |sum, mode| {
                for (c, to) in sum.iter_mut().enumerate() {
                    *to = if mode == WriteMode::Overwrite { term(c) } else { *to + term(c) };
                }
            });
        };
        add(gamma_sum, &|c| (sums.along[c] * self.inverse[c]) as f32);
        add(beta_sum, &|c| sums.plain[c] as f32);
        if keep_g {
            let mut dz = Values::new(dy.len());
            self.input_gradient(z, &sums, Some(dy), false, &mut dz);
            return Some(dz);
        }
        self.input_gradient(z, &sums, None, matches!(mask, Mask::Recomputed), dy);
        None
    }

    /// Returns the sums of g.
    fn sums(&self, dy: &mut [f32], z: &[f32], mask: Mask<'_>) -> GradientSums {
        let channels = self.mean.len();
        let part = PART * channels;
        let parts: Vec<(Vec<f32>, Vec<f32>)> = dy
            .par_chunks_mut(part)
            .zip(z.par_chunks(part))
            .enumerate()
            .map(|(index, (dy, z))| {
                vectorised(
                    #[inline(always)]
                    || {
                        if let Mask::Of(y) = mask {
                            for (dy, y) in dy.iter_mut().zip(&y[index * part..]) {
                                *dy = if *y > 0.0 { *dy } else { 0.0 };
                            }
                        }
                        match mask {
                            Mask::Recomputed => self.sums_of_part(dy, z, masked),
                            _ => self.sums_of_part(dy, z, |dy, _, _, _| dy),
                        }
                    },
                )
            })
            .collect();
        let mut all = GradientSums { plain: vec![0.0; channels], along: vec![0.0; channels] };
        for (plain, along) in &parts {
            all.plain.iter_mut().zip(plain).for_each(|(sum, part)| *sum += f64::from(*part));
            all.along.iter_mut().zip(along).for_each(|(sum, part)| *sum += f64::from(*part));
        }
        all
    }

    /// Returns Σ g and Σ g·(z − μ) of some pixels. `g` is a function of dy, z, scale and shift.
    #[inline(always)]
    fn sums_of_part(&self, dy: &[f32], z: &[f32], g: impl Fn(f32, f32, f32, f32) -> f32) -> (Vec<f32>, Vec<f32>) {
        let channels = self.mean.len();
        let (mut plain, mut along) = (vec![0.0_f32; channels], vec![0.0_f32; channels]);
        let constants = self.mean.iter().zip(&self.scale).zip(&self.shift);
        for (dy, z) in dy.chunks_exact(channels).zip(z.chunks_exact(channels)) {
            let sums = plain.iter_mut().zip(&mut along);
            for (((plain, along), (dy, z)), ((mean, scale), shift)) in sums.zip(dy.iter().zip(z)).zip(constants.clone())
            {
                let g = g(*dy, *z, *scale, *shift);
                *plain += g;
                *along += g * (z - mean);
            }
        }
        (plain, along)
    }

    /// Computes dz = scale·g − slope·z − level. Without `g`, `dz` holds it before, or dy if g is still to be masked by z.
    fn input_gradient(
        &self,
        z: &[f32],
        GradientSums { plain, along }: &GradientSums,
        g: Option<&[f32]>,
        masked_by_z: bool,
        dz: &mut [f32],
    ) {
        let Self { count, mean, inverse, scale, shift } = self;
        let channels = mean.len();
        let slope: Vec<f32> =
            (0..channels).map(|c| (f64::from(scale[c]) * inverse[c] * inverse[c] * along[c] / count) as f32).collect();
        let level: Vec<f32> = (0..channels)
            .map(|c| (f64::from(scale[c]) * plain[c] / count - f64::from(slope[c]) * f64::from(mean[c])) as f32)
            .collect();
        let part = PART * channels;
        let constants = scale.iter().zip(shift).zip(&slope).zip(&level);
        dz.par_chunks_mut(part).zip(z.par_chunks(part)).enumerate().for_each(|(index, (dz, z))| {
            vectorised(
                #[inline(always)]
                || {
                    if let Some(g) = g {
                        dz.copy_from_slice(&g[index * part..][..dz.len()]);
                    }
                    for (dz, z) in dz.chunks_exact_mut(channels).zip(z.chunks_exact(channels)) {
                        let values = dz.iter_mut().zip(z).zip(constants.clone());
                        if masked_by_z {
                            for ((dz, z), (((scale, shift), slope), level)) in values {
                                *dz = masked(*dz, *z, *scale, *shift) * scale - z * slope - level;
                            }
                        } else {
                            for ((dz, z), (((scale, _), slope), level)) in values {
                                *dz = *dz * scale - z * slope - level;
                            }
                        }
                    }
                },
            );
        });
    }
}

/// Returns the scale and the shift per channel that equal batch norm with given mean and variance.
pub(super) fn folded(
    Parameters { gamma, beta, epsilon }: Parameters<'_>,
    (mean, variance): (&[f32], &[f32]),
) -> (Vec<f32>, Vec<f32>) {
    let scale: Vec<f32> = gamma.iter().zip(variance).map(|(g, v)| g / (v + epsilon).sqrt()).collect();
    let shift = (0..beta.len()).map(|c| beta[c] - mean[c] * scale[c]).collect();
    (scale, shift)
}

/// Computes y = scale·x + shift, then ReLU if `relu`.
pub(super) fn applied(x: &[f32], scale: &[f32], shift: &[f32], relu: bool) -> Values {
    let _part = StepPart::BatchNorm.start(2 * x.len());
    finish(x, scale, shift, None, relu)
}

/// Computes y + shift (+ shortcut) in place, then ReLU if `relu`. Runs on the calling thread.
pub(super) fn finish_in_place(y: &mut [f32], shift: &[f32], shortcut: Option<&[f32]>, relu: bool) {
    let channels = shift.len();
    vectorised(
        #[inline(always)]
        || {
            if let Some(shortcut) = shortcut {
                y.iter_mut().zip(shortcut).for_each(|(y, s)| *y += s);
            }
            for y in y.chunks_exact_mut(channels) {
                for (y, shift) in y.iter_mut().zip(shift) {
                    *y += shift;
                    *y = if relu && *y < 0.0 { 0.0 } else { *y };
                }
            }
        },
    );
}
