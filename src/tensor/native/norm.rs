//! Batch norm over N, H and W (Ioffe and Szegedy 2015) of plain buffers, with two operations that often follow: the sum with a shortcut
//! and ReLU.
//!
//! With x̂ = (z − μ)/√(σ² + ε), a = γ/√(σ² + ε): y = max(a·z + (β − a·μ) + shortcut, 0). Backward: g = dy where y > 0, which is also the
//! gradient of the shortcut; dβ = Σ g, dγ = Σ g·x̂, dz = a·(g − mean(g) − x̂·mean(g·x̂)).
//!
//! Means and deviations are computed part by part. Each part is read once, and its deviations are summed around its own mean while it is
//! in cache. Parts are joined in 64 bits (Chan, Golub and LeVeque 1979).

use dfdx::tensor::Cpu;
use rayon::prelude::*;

use super::simd::vectorised;
use super::{tensor, zeroed};
use crate::tensor::formulas::unbiased_divisor;
use crate::tensor::tensors::{BatchStatistics, DeviceResult, Norm, Vector};
use crate::tensor::to_host;

/// Pixels per part.
pub(super) const PART: usize = 512;

/// Mean and sum of squared deviations of every channel.
struct Moments {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

/// Computes the moments over all pixels.
fn moments(z: &[f32], channels: usize) -> Moments {
    let parts: Vec<(usize, Vec<f32>, Vec<f32>)> = z
        .par_chunks(PART * channels)
        .map(|part| {
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
                    (count, mean, deviation)
                },
            )
        })
        .collect();
    let mut all = Moments { mean: vec![0.0; channels], deviation: vec![0.0; channels] };
    let mut count_so_far = 0.0;
    for (count, mean, deviation) in &parts {
        let count = *count as f64;
        for c in 0..channels {
            let difference = f64::from(mean[c]) - all.mean[c];
            all.mean[c] += difference * count / (count_so_far + count);
            all.deviation[c] +=
                f64::from(deviation[c]) + difference * difference * count_so_far * count / (count_so_far + count);
        }
        count_so_far += count;
    }
    all
}

/// Computes y = scale·z + shift (+ shortcut) channel by channel, then ReLU if `relu`. With ReLU, returns also where y is positive.
fn finish(
    z: &[f32],
    scale: &[f32],
    shift: &[f32],
    shortcut: Option<&[f32]>,
    relu: bool,
) -> (Vec<f32>, Option<Vec<bool>>) {
    let channels = scale.len();
    let part = PART * channels;
    let mut positive = relu.then(|| vec![false; z.len()]);
    let affine = |y: &mut [f32], first: usize| {
        let z = &z[first..][..y.len()];
        if let Some(shortcut) = shortcut {
            y.copy_from_slice(&shortcut[first..][..y.len()]);
        }
        for (y, z) in y.chunks_exact_mut(channels).zip(z.chunks_exact(channels)) {
            for (((y, z), scale), shift) in y.iter_mut().zip(z).zip(scale).zip(shift) {
                *y += z * scale + shift;
            }
        }
    };
    let y = match &mut positive {
        None => zeroed::in_parts(z.len(), part, |index, y| {
            vectorised(
                #[inline(always)]
                || affine(y, index * part),
            );
        }),
        Some(positive) => zeroed::in_parts_with(z.len(), part, positive, |index, y, positive| {
            vectorised(
                #[inline(always)]
                || {
                    affine(y, index * part);
                    for (y, positive) in y.iter_mut().zip(positive) {
                        *positive = *y > 0.0;
                        // NaN stays NaN: divergence of a network must not be hidden.
                        *y = if *y < 0.0 { 0.0 } else { *y };
                    }
                },
            );
        }),
    };
    (y, positive)
}

/// Values of the forward pass that the backward pass needs.
pub(super) struct Normalisation {
    count: f64,
    mean: Vec<f32>,
    inverse: Vec<f64>,
    scale: Vec<f32>,
    positive: Option<Vec<bool>>,
}

/// Σ g and Σ g·(z − μ) per channel.
pub(super) struct GradientSums {
    plain: Vec<f64>,
    along: Vec<f64>,
}

/// The normalised values of one batch.
pub(super) struct Normalised {
    pub(super) y: Vec<f32>,
    pub(super) statistics: BatchStatistics<Cpu>,
    pub(super) normalisation: Normalisation,
}

/// Normalises with the batch's own statistics. Channels are the last axis.
pub(super) fn normalise(
    z: &[f32],
    norm: &Norm<'_, Cpu>,
    shortcut: Option<&[f32]>,
    relu: bool,
) -> DeviceResult<Cpu, Normalised> {
    let (gamma, beta) = (to_host(norm.weight), to_host(norm.bias));
    let channels = gamma.len();
    let pixels = z.len() / channels;
    let count = pixels as f64;
    let Moments { mean, deviation } = moments(z, channels);
    let inverse: Vec<f64> = deviation.iter().map(|d| 1.0 / (d / count + f64::from(norm.epsilon)).sqrt()).collect();
    let scale: Vec<f32> = (0..channels).map(|c| (inverse[c] * f64::from(gamma[c])) as f32).collect();
    let shift: Vec<f32> =
        (0..channels).map(|c| (f64::from(beta[c]) - mean[c] * inverse[c] * f64::from(gamma[c])) as f32).collect();
    let (y, positive) = finish(z, &scale, &shift, shortcut, relu);
    let mean: Vec<f32> = mean.iter().map(|&m| m as f32).collect();
    let divisor = unbiased_divisor(pixels) as f64;
    let unbiased: Vec<f32> = deviation.iter().map(|d| (d / divisor) as f32).collect();
    let statistics =
        BatchStatistics { mean: tensor(mean.clone(), (channels,))?, variance: tensor(unbiased, (channels,))? };
    Ok(Normalised { y, statistics, normalisation: Normalisation { count, mean, inverse, scale, positive } })
}

impl Normalisation {
    /// Returns the sums of g. Replaces dy by g.
    pub(super) fn sums(&self, dy: &mut [f32], z: &[f32]) -> GradientSums {
        let channels = self.mean.len();
        let part = PART * channels;
        let sums = |dy: &[f32], z: &[f32]| {
            let (mut plain, mut along) = (vec![0.0_f32; channels], vec![0.0_f32; channels]);
            for (dy, z) in dy.chunks_exact(channels).zip(z.chunks_exact(channels)) {
                for ((((plain, along), dy), z), mean) in plain.iter_mut().zip(&mut along).zip(dy).zip(z).zip(&self.mean)
                {
                    *plain += dy;
                    *along += dy * (z - mean);
                }
            }
            (plain, along)
        };
        let parts: Vec<(Vec<f32>, Vec<f32>)> = match &self.positive {
            None => dy
                .par_chunks(part)
                .zip(z.par_chunks(part))
                .map(|(dy, z)| {
                    vectorised(
                        #[inline(always)]
                        || sums(dy, z),
                    )
                })
                .collect(),
            Some(positive) => dy
                .par_chunks_mut(part)
                .zip(z.par_chunks(part))
                .zip(positive.par_chunks(part))
                .map(|((dy, z), positive)| {
                    vectorised(
                        #[inline(always)]
                        || {
                            for (dy, positive) in dy.iter_mut().zip(positive) {
                                *dy = if *positive { *dy } else { 0.0 };
                            }
                            sums(dy, z)
                        },
                    )
                })
                .collect(),
        };
        let mut all = GradientSums { plain: vec![0.0; channels], along: vec![0.0; channels] };
        for (plain, along) in &parts {
            all.plain.iter_mut().zip(plain).for_each(|(sum, part)| *sum += f64::from(*part));
            all.along.iter_mut().zip(along).for_each(|(sum, part)| *sum += f64::from(*part));
        }
        all
    }

    /// Adds to dγ.
    pub(super) fn add_gamma(&self, sums: &GradientSums, gradient: &mut [f32]) {
        for ((to, sum), inverse) in gradient.iter_mut().zip(&sums.along).zip(&self.inverse) {
            *to += (sum * inverse) as f32;
        }
    }

    /// Adds to dβ.
    pub(super) fn add_beta(&self, sums: &GradientSums, gradient: &mut [f32]) {
        gradient.iter_mut().zip(&sums.plain).for_each(|(to, sum)| *to += *sum as f32);
    }

    /// Computes dz = scale·g − slope·z − level in place of g.
    pub(super) fn input_gradient(&self, g: &mut [f32], z: &[f32], GradientSums { plain, along }: &GradientSums) {
        let Self { count, mean, inverse, scale, .. } = self;
        let channels = mean.len();
        let slope: Vec<f32> =
            (0..channels).map(|c| (f64::from(scale[c]) * inverse[c] * inverse[c] * along[c] / count) as f32).collect();
        let level: Vec<f32> = (0..channels)
            .map(|c| (f64::from(scale[c]) * plain[c] / count - f64::from(slope[c]) * f64::from(mean[c])) as f32)
            .collect();
        g.par_chunks_mut(PART * channels).zip(z.par_chunks(PART * channels)).for_each(|(g, z)| {
            vectorised(
                #[inline(always)]
                || {
                    for (g, z) in g.chunks_exact_mut(channels).zip(z.chunks_exact(channels)) {
                        for ((((g, z), scale), slope), level) in g.iter_mut().zip(z).zip(scale).zip(&slope).zip(&level)
                        {
                            *g = *g * scale - z * slope - level;
                        }
                    }
                },
            );
        });
    }
}

/// Returns the scale and the shift per channel that equal batch norm with given mean and variance.
pub(super) fn folded(norm: &Norm<'_, Cpu>, (mean, variance): (&Vector<Cpu>, &Vector<Cpu>)) -> (Vec<f32>, Vec<f32>) {
    let (gamma, beta, mean, variance) = (to_host(norm.weight), to_host(norm.bias), to_host(mean), to_host(variance));
    let scale: Vec<f32> = gamma.iter().zip(&variance).map(|(g, v)| g / (v + norm.epsilon).sqrt()).collect();
    let shift = (0..beta.len()).map(|c| beta[c] - mean[c] * scale[c]).collect();
    (scale, shift)
}

/// Computes y·scale + shift (+ shortcut) in place, then ReLU if `relu`. Runs on the calling thread.
pub(super) fn finish_in_place(
    y: &mut [f32],
    scale: Option<&[f32]>,
    shift: &[f32],
    shortcut: Option<&[f32]>,
    relu: bool,
) {
    let channels = shift.len();
    vectorised(
        #[inline(always)]
        || {
            if let Some(scale) = scale {
                for y in y.chunks_exact_mut(channels) {
                    y.iter_mut().zip(scale).for_each(|(y, scale)| *y *= scale);
                }
            }
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
