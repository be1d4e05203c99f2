//! Convolution, batch norm, shortcut and ReLU as one operation: what lies between them is never written out.
//!
//! With z = conv(x), x̂ = (z − μ)/√(σ² + ε), a = γ/√(σ² + ε): y = max(a·z + (β − a·μ) + shortcut, 0). Backward: g = dy where y > 0,
//! which the shortcut gets as it is; dβ = Σ g, dγ = Σ g·x̂, dz = a·(g − mean(g) − x̂·mean(g·x̂)), then the convolution's own.
//!
//! Means and deviations are made part by part, each part read once and its deviations summed around its own mean while it is in
//! cache; parts are joined in 64 bits (Chan, Golub and LeVeque 1979).

use std::sync::Arc;

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape};
use rayon::prelude::*;

use super::batch_norm::folded;
use super::conv2d::{backward_input, backward_weights, forward};
use super::elementwise::add_into;
use super::simd::vectorised;
use super::{Native, tensor};
use crate::tensor::backend::{Normalised, to_host};
use crate::tensor::{BatchStatistics, Conv2d, Features, Norm, OpResult, Vector};

/// Pixels a part.
const PART: usize = 512;

/// Mean and sum of squared deviations of every channel.
struct Moments {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

/// The moments over all pixels.
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
    let mut seen = 0.0;
    for (count, mean, deviation) in &parts {
        let count = *count as f64;
        for c in 0..channels {
            let apart = f64::from(mean[c]) - all.mean[c];
            all.mean[c] += apart * count / (seen + count);
            all.deviation[c] += f64::from(deviation[c]) + apart * apart * seen * count / (seen + count);
        }
        seen += count;
    }
    all
}

/// y = scale·z + shift (+ shortcut), channel by channel, rectified where asked; and where y is positive.
fn finish(
    z: &[f32],
    scale: &[f32],
    shift: &[f32],
    shortcut: Option<&[f32]>,
    relu: bool,
) -> (Vec<f32>, Option<Vec<bool>>) {
    let channels = scale.len();
    let part = PART * channels;
    let mut y = match shortcut {
        Some(shortcut) => shortcut.to_vec(),
        None => vec![0.0; z.len()],
    };
    let mut positive = relu.then(|| vec![false; z.len()]);
    let affine = |y: &mut [f32], z: &[f32]| {
        for (y, z) in y.chunks_exact_mut(channels).zip(z.chunks_exact(channels)) {
            for (((y, z), scale), shift) in y.iter_mut().zip(z).zip(scale).zip(shift) {
                *y += z * scale + shift;
            }
        }
    };
    match &mut positive {
        None => y.par_chunks_mut(part).zip(z.par_chunks(part)).for_each(|(y, z)| {
            vectorised(
                #[inline(always)]
                || affine(y, z),
            );
        }),
        Some(positive) => {
            y.par_chunks_mut(part).zip(z.par_chunks(part)).zip(positive.par_chunks_mut(part)).for_each(
                |((y, z), positive)| {
                    vectorised(
                        #[inline(always)]
                        || {
                            affine(y, z);
                            for (y, positive) in y.iter_mut().zip(positive) {
                                *positive = *y > 0.0;
                                // What is no number stays none: a network that has diverged must not be hidden.
                                *y = if *y < 0.0 { 0.0 } else { *y };
                            }
                        },
                    );
                },
            );
        }
    }
    (y, positive)
}

/// Σ g and Σ g·(z − μ) per channel, of g = dy where `positive`; dy becomes g.
fn gradient_sums(dy: &mut [f32], z: &[f32], mean: &[f32], positive: Option<&[bool]>) -> (Vec<f64>, Vec<f64>) {
    let channels = mean.len();
    let part = PART * channels;
    let sums = |dy: &[f32], z: &[f32]| {
        let (mut plain, mut along) = (vec![0.0_f32; channels], vec![0.0_f32; channels]);
        for (dy, z) in dy.chunks_exact(channels).zip(z.chunks_exact(channels)) {
            for ((((plain, along), dy), z), mean) in plain.iter_mut().zip(&mut along).zip(dy).zip(z).zip(mean) {
                *plain += dy;
                *along += dy * (z - mean);
            }
        }
        (plain, along)
    };
    let parts: Vec<(Vec<f32>, Vec<f32>)> = match positive {
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
    let mut all = (vec![0.0_f64; channels], vec![0.0_f64; channels]);
    for (plain, along) in &parts {
        all.0.iter_mut().zip(plain).for_each(|(sum, part)| *sum += f64::from(*part));
        all.1.iter_mut().zip(along).for_each(|(sum, part)| *sum += f64::from(*part));
    }
    all
}

/// dz = scale·g − slope·z − level, in the place of g.
fn normalised_gradient(g: &mut [f32], z: &[f32], scale: &[f32], slope: &[f32], level: &[f32]) {
    let channels = scale.len();
    g.par_chunks_mut(PART * channels).zip(z.par_chunks(PART * channels)).for_each(|(g, z)| {
        vectorised(
            #[inline(always)]
            || {
                for (g, z) in g.chunks_exact_mut(channels).zip(z.chunks_exact(channels)) {
                    for ((((g, z), scale), slope), level) in g.iter_mut().zip(z).zip(scale).zip(slope).zip(level) {
                        *g = *g * scale - z * slope - level;
                    }
                }
            },
        );
    });
}

fn add_sums(to: &mut [f32], values: impl Iterator<Item = f64>) {
    to.iter_mut().zip(values).for_each(|(to, value)| *to += value as f32);
}

/// See [`crate::tensor::Backend::conv_norm_train`].
pub(super) fn train<T: Tape<f32, Cpu>>(
    x: Features<Native, T>,
    weight: &Vector<Native>,
    conv: Conv2d,
    norm: &Norm<'_, Native>,
    shortcut: Option<Features<Native, T>>,
    relu: bool,
) -> OpResult<Native, Normalised<Native, T>> {
    let shape = *x.shape();
    let output_shape = conv.output_shape(shape);
    let channels = conv.output;
    let count = (output_shape.0 * output_shape.1 * output_shape.2) as f64;
    let (x, mut tape) = x.split_tape();
    let shortcut = shortcut.map(|shortcut| {
        let (shortcut, other) = shortcut.split_tape();
        tape = std::mem::take(&mut tape).merge(other);
        shortcut
    });
    let input = Arc::new(to_host(&x));
    let weights = Arc::new(to_host(weight));
    let (gamma, beta) = (to_host(norm.weight), to_host(norm.bias));

    let z = forward(&input, shape, &weights, None, &conv);
    let Moments { mean, deviation } = moments(&z, channels);
    let inverse: Vec<f64> = deviation.iter().map(|d| 1.0 / (d / count + f64::from(norm.epsilon)).sqrt()).collect();
    let scale: Vec<f32> = (0..channels).map(|c| (inverse[c] * f64::from(gamma[c])) as f32).collect();
    let shift: Vec<f32> =
        (0..channels).map(|c| (f64::from(beta[c]) - mean[c] * inverse[c] * f64::from(gamma[c])) as f32).collect();
    let (y, positive) = finish(&z, &scale, &shift, shortcut.as_ref().map(to_host).as_deref(), relu);
    let y = tensor(y, output_shape)?;
    let mean: Vec<f32> = mean.iter().map(|&m| m as f32).collect();
    let unbiased: Vec<f32> = deviation.iter().map(|d| (d / (count - 1.0).max(1.0)) as f32).collect();
    let statistics =
        BatchStatistics { mean: tensor(mean.clone(), (channels,))?, variance: tensor(unbiased, (channels,))? };

    let x = conv.input_gradient.then(|| x.ghost());
    let shortcut = shortcut.map(|shortcut| shortcut.ghost());
    let (weight, gamma, beta, out) = (weight.clone(), norm.weight.clone(), norm.bias.clone(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let mut dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
        let (plain, along) = gradient_sums(&mut dy, &z, &mean, positive.as_deref());
        drop(positive);
        if let Some(shortcut) = shortcut {
            add_into(gradients.get_or_alloc_mut(&shortcut)?, &dy);
        }
        add_sums(gradients.get_or_alloc_mut(&beta)?, plain.iter().copied());
        add_sums(gradients.get_or_alloc_mut(&gamma)?, along.iter().zip(&inverse).map(|(sum, inverse)| sum * inverse));

        let slopes = (0..channels).map(|c| f64::from(scale[c]) * inverse[c] * inverse[c] * along[c] / count);
        let slope: Vec<f32> = slopes.map(|slope| slope as f32).collect();
        let levels =
            (0..channels).map(|c| f64::from(scale[c]) * plain[c] / count - f64::from(slope[c]) * f64::from(mean[c]));
        let level: Vec<f32> = levels.map(|level| level as f32).collect();
        normalised_gradient(&mut dy, &z, &scale, &slope, &level);
        drop(z);
        backward_weights(&input, shape, &dy, &conv, gradients.get_or_alloc_mut(&weight)?);
        drop(input);
        if let Some(x) = x {
            backward_input(&dy, output_shape, &weights, shape, &conv, gradients.get_or_alloc_mut(&x)?);
        }
        Ok(())
    });
    Ok((y.put_tape(tape), statistics))
}

/// See [`crate::tensor::Backend::conv_norm_frozen`]: the scale goes into the weights.
pub(super) fn frozen(
    x: &Features<Native>,
    weight: &Vector<Native>,
    conv: Conv2d,
    norm: &Norm<'_, Native>,
    statistics: (&Vector<Native>, &Vector<Native>),
    shortcut: Option<&Features<Native>>,
    relu: bool,
) -> OpResult<Native, Features<Native>> {
    let shape = *x.shape();
    let (scale, shift) = folded(norm.weight, norm.bias, statistics, norm.epsilon);
    let mut weights = to_host(weight);
    for row in weights.chunks_exact_mut(conv.output) {
        row.iter_mut().zip(&scale).for_each(|(w, s)| *w *= s);
    }
    let mut y = forward(&to_host(x), shape, &weights, None, &conv);
    let shortcut = shortcut.map(to_host);
    let part = PART * conv.output;
    let add = |y: &mut [f32], shortcut: Option<&[f32]>| {
        vectorised(
            #[inline(always)]
            || {
                if let Some(shortcut) = shortcut {
                    y.iter_mut().zip(shortcut).for_each(|(y, s)| *y += s);
                }
                for y in y.chunks_exact_mut(conv.output) {
                    for (y, shift) in y.iter_mut().zip(&shift) {
                        *y += shift;
                        *y = if relu && *y < 0.0 { 0.0 } else { *y };
                    }
                }
            },
        );
    };
    match &shortcut {
        None => y.par_chunks_mut(part).for_each(|y| add(y, None)),
        Some(shortcut) => y.par_chunks_mut(part).zip(shortcut.par_chunks(part)).for_each(|(y, s)| add(y, Some(s))),
    }
    tensor(y, conv.output_shape(shape))
}
