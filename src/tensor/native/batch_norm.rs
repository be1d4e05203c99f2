//! Batch norm over N, H and W (Ioffe and Szegedy 2015), in two passes over fixed parts.
//!
//! y = γ·x̂ + β with x̂ = (x − μ)/√(σ² + ε). Backward: dx = γ/√(σ²+ε) · (dy − mean(dy) − x̂·mean(dy·x̂)), dγ = Σ dy·x̂, dβ = Σ dy.

use std::sync::Arc;

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape};
use rayon::prelude::*;

use super::{Native, tensor};
use crate::tensor::backend::to_host;
use crate::tensor::{BatchStatistics, Features, OpResult, Vector};

/// Pixels a part of a reduction.
const PART: usize = 1024;

/// Sums `term(channel, x, other)` over the pixels, per channel: f32 within a part, f64 across parts, always in order.
fn channel_sums(x: &[f32], other: &[f32], channels: usize, term: impl Fn(usize, f32, f32) -> f32 + Sync) -> Vec<f64> {
    let parts: Vec<Vec<f32>> = x
        .par_chunks(PART * channels)
        .zip(other.par_chunks(PART * channels))
        .map(|(x, other)| {
            let mut sums = vec![0.0_f32; channels];
            for (x, other) in x.chunks_exact(channels).zip(other.chunks_exact(channels)) {
                for (c, sum) in sums.iter_mut().enumerate() {
                    *sum += term(c, x[c], other[c]);
                }
            }
            sums
        })
        .collect();
    let mut sums = vec![0.0_f64; channels];
    for part in &parts {
        sums.iter_mut().zip(part).for_each(|(s, &p)| *s += f64::from(p));
    }
    sums
}

/// Writes `value(channel, x)` for every element of `x`.
fn map_channels(x: &[f32], channels: usize, value: impl Fn(usize, f32) -> f32 + Sync) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    y.par_chunks_mut(PART * channels).zip(x.par_chunks(PART * channels)).for_each(|(y, x)| {
        for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            for c in 0..channels {
                y[c] = value(c, x[c]);
            }
        }
    });
    y
}

/// See [`crate::tensor::Backend::batch_norm_train`].
pub(super) fn train<T: Tape<f32, Cpu>>(
    x: Features<Native, T>,
    weight: &Vector<Native>,
    bias: &Vector<Native>,
    epsilon: f32,
) -> OpResult<Native, (Features<Native, T>, BatchStatistics<Native>)> {
    let shape = *x.shape();
    let channels = shape.3;
    let count = (shape.0 * shape.1 * shape.2) as f64;
    let (x, mut tape) = x.split_tape();
    let input = Arc::new(to_host(&x));
    let (gamma, beta) = (to_host(weight), to_host(bias));

    let sums = channel_sums(&input, &input, channels, |_, x, _| x);
    let mean: Vec<f32> = sums.iter().map(|s| (s / count) as f32).collect();
    let squares = channel_sums(&input, &input, channels, |c, x, _| (x - mean[c]) * (x - mean[c]));
    let inverse: Vec<f32> = squares.iter().map(|s| (1.0 / (s / count + f64::from(epsilon)).sqrt()) as f32).collect();
    let unbiased: Vec<f32> = squares.iter().map(|s| (s / (count - 1.0).max(1.0)) as f32).collect();

    let values = map_channels(&input, channels, |c, x| (x - mean[c]) * inverse[c] * gamma[c] + beta[c]);
    let y = tensor(values, shape)?;
    let statistics =
        BatchStatistics { mean: tensor(mean.clone(), (channels,))?, variance: tensor(unbiased, (channels,))? };

    let (x, weight, bias, out) = (x.ghost(), weight.clone(), bias.clone(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
        let beta_sums = channel_sums(&dy, &dy, channels, |_, dy, _| dy);
        let gamma_sums = channel_sums(&dy, &input, channels, |c, dy, x| dy * (x - mean[c]) * inverse[c]);
        let add = |buffer: &mut [f32], sums: &[f64]| {
            buffer.iter_mut().zip(sums).for_each(|(b, s)| *b += *s as f32);
        };
        add(gradients.get_or_alloc_mut(&weight)?, &gamma_sums);
        add(gradients.get_or_alloc_mut(&bias)?, &beta_sums);

        let mean_dy: Vec<f32> = beta_sums.iter().map(|s| (s / count) as f32).collect();
        let mean_dy_x: Vec<f32> = gamma_sums.iter().map(|s| (s / count) as f32).collect();
        let dx = gradients.get_or_alloc_mut(&x)?;
        dx.par_chunks_mut(PART * channels)
            .zip(dy.par_chunks(PART * channels))
            .zip(input.par_chunks(PART * channels))
            .for_each(|((dx, dy), x)| {
                let rows = dx.chunks_exact_mut(channels).zip(dy.chunks_exact(channels)).zip(x.chunks_exact(channels));
                for ((dx, dy), x) in rows {
                    for c in 0..channels {
                        let normalised = (x[c] - mean[c]) * inverse[c];
                        dx[c] += gamma[c] * inverse[c] * (dy[c] - mean_dy[c] - normalised * mean_dy_x[c]);
                    }
                }
            });
        Ok(())
    });
    Ok((y.put_tape(tape), statistics))
}

/// See [`crate::tensor::Backend::batch_norm_frozen`].
pub(super) fn frozen(
    x: &Features<Native>,
    weight: &Vector<Native>,
    bias: &Vector<Native>,
    statistics: (&Vector<Native>, &Vector<Native>),
    epsilon: f32,
) -> OpResult<Native, Features<Native>> {
    let shape = *x.shape();
    let (scale, shift) = folded(weight, bias, statistics, epsilon);
    tensor(map_channels(&to_host(x), shape.3, |c, x| x * scale[c] + shift[c]), shape)
}

/// The scale and the shift that batch norm with given mean and variance comes to, per channel.
pub(super) fn folded(
    weight: &Vector<Native>,
    bias: &Vector<Native>,
    (mean, variance): (&Vector<Native>, &Vector<Native>),
    epsilon: f32,
) -> (Vec<f32>, Vec<f32>) {
    let (gamma, beta, mean, variance) = (to_host(weight), to_host(bias), to_host(mean), to_host(variance));
    let scale: Vec<f32> = gamma.iter().zip(&variance).map(|(g, v)| g / (v + epsilon).sqrt()).collect();
    let shift = (0..beta.len()).map(|c| beta[c] - mean[c] * scale[c]).collect();
    (scale, shift)
}
