//! The CPU with didact's own kernels.

use std::sync::{Mutex, PoisonError};

use super::norm::{Moments, Normalisation, Parameters, finish_in_place, folded, normalise};
use super::values::{Values, accumulated, free_unused};
use super::{Nhwc, activation, blocks, clip, concat, conv2d, elementwise, losses, max_pool, norm, optimiser, resample};
use crate::tensor::kernels::{FrozenBuffers, NormBuffers, NormGradients, NormalisedBuffers, Sum};
use crate::tensor::{Activation, Conv2d, Kernels, OpResult, Resampling, StepPart, Update, UpdateRule};

/// The CPU with didact's own kernels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Native;

fn parameters<'a>(norm: &NormBuffers<'a, Native>) -> Parameters<'a> {
    Parameters { gamma: norm.weight, beta: norm.bias, epsilon: norm.epsilon }
}

fn normalised_buffers(
    norm::Normalised { y, mean, variance, normalisation }: norm::Normalised,
) -> NormalisedBuffers<Native> {
    NormalisedBuffers { y, mean: mean.into(), variance: variance.into(), normalisation }
}

fn scalar(value: f32) -> Values {
    let mut scalar = Values::new(1);
    scalar[0] = value;
    scalar
}

impl Kernels for Native {
    type Buffer = Values;
    type Normalisation = Normalisation;
    /// The winning tap of each maximum.
    type Winners = Values;

    const KIND: &'static str = "cpu";

    fn reset_memory() {
        free_unused();
    }

    fn upload_buffer(values: Vec<f32>) -> OpResult<Values> {
        Ok(values.into())
    }

    fn download_buffer(buffer: &Values) -> OpResult<Vec<f32>> {
        Ok(buffer.to_vec())
    }

    fn overwrite_buffer(buffer: &mut Values, values: &[f32]) -> OpResult<()> {
        buffer.copy_from_slice(values);
        Ok(())
    }

    fn filled(value: f32, count: usize) -> OpResult<Values> {
        let mut values = Values::new(count);
        values.fill(value);
        Ok(values)
    }

    fn copied(buffer: &Values) -> OpResult<Values> {
        Ok(Values::copy_of(buffer))
    }

    fn gathered(rows: &Values, indices: &[usize], columns: usize) -> OpResult<Values> {
        let mut values = Values::new(indices.len() * columns);
        for (to, index) in values.chunks_exact_mut(columns).zip(indices) {
            to.copy_from_slice(&rows[index * columns..][..columns]);
        }
        Ok(values)
    }

    fn convolved(x: &Values, shape: Nhwc, weight: &Values, bias: Option<&Values>, conv: &Conv2d) -> OpResult<Values> {
        Ok(conv2d::forward_biased(x, shape, weight, bias.map(|bias| &**bias), conv))
    }

    /// The scale is multiplied into the weights.
    fn convolved_frozen(
        x: &Values,
        shape: Nhwc,
        weight: &Values,
        conv: &Conv2d,
        norm: &FrozenBuffers<'_, Self>,
        shortcut: Option<&Values>,
        relu: bool,
    ) -> OpResult<Values> {
        let (scale, shift) = folded(parameters(&norm.norm), (norm.mean, norm.variance));
        let mut weights = Values::copy_of(weight);
        for row in weights.chunks_exact_mut(conv.output) {
            row.iter_mut().zip(&scale).for_each(|(w, s)| *w *= s);
        }
        let finish = |first: usize, y: &mut [f32]| {
            let added = shortcut.map(|shortcut| &shortcut[first..][..y.len()]);
            finish_in_place(y, &shift, added, relu);
        };
        Ok(conv2d::forward(x, shape, &weights, conv, Some(&finish)))
    }

    /// Computes the moments of the convolution's outputs while they are in cache.
    fn convolved_normalised(
        x: &Values,
        shape: Nhwc,
        weight: &Values,
        conv: &Conv2d,
        norm: &NormBuffers<'_, Self>,
        shortcut: Option<&Values>,
        relu: bool,
    ) -> OpResult<(Values, NormalisedBuffers<Self>)> {
        let parts = Mutex::new(Vec::new());
        let measure = |first: usize, piece: &mut [f32]| {
            let moments = Moments::of_part(piece, conv.output);
            parts.lock().unwrap_or_else(PoisonError::into_inner).push((first, moments));
        };
        let z = conv2d::forward(x, shape, weight, conv, Some(&measure));
        let _part = StepPart::BatchNorm.start((2 + usize::from(shortcut.is_some())) * z.len());
        let mut parts = parts.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Threads finish in any order. The order of the sums is that of the pixels.
        parts.sort_unstable_by_key(|(first, _)| *first);
        let parts: Vec<Moments> = parts.into_iter().map(|(_, moments)| moments).collect();
        let shortcut = shortcut.map(|shortcut| &**shortcut);
        let normalised = normalise(&z, &parts, parameters(norm), shortcut, relu);
        Ok((z, normalised_buffers(normalised)))
    }

    fn convolution_input_gradient(
        dy: &Values,
        weight: &Values,
        shape: Nhwc,
        conv: &Conv2d,
        sum: &mut Sum<Self>,
    ) -> OpResult<()> {
        conv2d::backward_input(dy, weight, shape, conv, sum);
        Ok(())
    }

    fn convolution_weight_gradient(
        x: &Values,
        shape: Nhwc,
        dy: &Values,
        conv: &Conv2d,
        sum: &mut Sum<Self>,
    ) -> OpResult<()> {
        conv2d::backward_weights(x, shape, dy, conv, sum);
        Ok(())
    }

    fn add_channel_sums(dy: &Values, channels: usize, sum: &mut Sum<Self>) -> OpResult<()> {
        conv2d::add_channel_sums(dy, channels, sum);
        Ok(())
    }

    fn image_of_blocks(blocks: Values, shape: Nhwc, bias: Option<&Values>) -> OpResult<Values> {
        Ok(blocks::image_of(&blocks, shape, bias.map(|bias| &**bias)))
    }

    fn blocks_of_image(image: &Values, shape: Nhwc) -> OpResult<Values> {
        Ok(blocks::of_image(image, shape))
    }

    fn normalised(
        z: &Values,
        channels: usize,
        norm: &NormBuffers<'_, Self>,
        shortcut: Option<&Values>,
        relu: bool,
    ) -> OpResult<NormalisedBuffers<Self>> {
        let _part = StepPart::BatchNorm.start((3 + usize::from(shortcut.is_some())) * z.len());
        let parts = Moments::of_parts(z, channels);
        let shortcut = shortcut.map(|shortcut| &**shortcut);
        Ok(normalised_buffers(normalise(z, &parts, parameters(norm), shortcut, relu)))
    }

    fn normalised_frozen(x: &Values, channels: usize, norm: &FrozenBuffers<'_, Self>, relu: bool) -> OpResult<Values> {
        let (scale, shift) = folded(parameters(&norm.norm), (norm.mean, norm.variance));
        debug_assert_eq!(channels, scale.len());
        Ok(norm::applied(x, &scale, &shift, relu))
    }

    fn normalisation_gradients(
        normalisation: &Normalisation,
        mut dy: Values,
        z: &Values,
        y: Option<&Values>,
        with_shortcut: bool,
        weight_sum: &mut Sum<Self>,
        bias_sum: &mut Sum<Self>,
    ) -> OpResult<NormGradients<Self>> {
        let y = y.map(|y| &**y);
        let gradients = normalisation.gradients(&mut dy, z, y, with_shortcut, weight_sum, bias_sum);
        Ok(match gradients {
            Some(input) => NormGradients { input, shortcut: Some(dy) },
            None => NormGradients { input: dy, shortcut: None },
        })
    }

    fn move_towards(running: &mut Values, batch: &Values, momentum: f64) -> OpResult<()> {
        let (kept, moved) = ((1.0 - momentum) as f32, momentum as f32);
        running.iter_mut().zip(&**batch).for_each(|(running, batch)| *running = *running * kept + batch * moved);
        Ok(())
    }

    fn activated(x: &Values, activation: Activation) -> OpResult<Values> {
        Ok(activation::activated(x, activation))
    }

    fn activation_gradient(dy: Values, saved: &Values, activation: Activation, sum: &mut Sum<Self>) -> OpResult<()> {
        activation::gradient(&dy, saved, activation, sum);
        Ok(())
    }

    fn added(a: &Values, b: &Values) -> OpResult<Values> {
        let _part = StepPart::Elementwise.start(3 * a.len());
        Ok(elementwise::zip(a, b, |a, b| a + b))
    }

    fn averaged(a: &Values, b: &Values) -> OpResult<Values> {
        let _part = StepPart::Elementwise.start(3 * a.len());
        Ok(elementwise::zip(a, b, |a, b| 0.5 * (a + b)))
    }

    fn add_scaled(factor: f32, x: &Values, sum: &mut Sum<Self>) -> OpResult<()> {
        let _part = StepPart::Elementwise.start(x.len() + accumulated(sum, x.len()));
        elementwise::add_map(sum, x, |x| factor * x);
        Ok(())
    }

    fn add_product(a: &Values, b: &Values, sum: &mut Sum<Self>) -> OpResult<()> {
        let _part = StepPart::Elementwise.start(2 * a.len() + accumulated(sum, a.len()));
        elementwise::add_zip(sum, a, b, |a, b| a * b);
        Ok(())
    }

    fn concatenated(a: &Values, b: &Values, channels: (usize, usize)) -> OpResult<Values> {
        Ok(concat::concatenated(a, b, channels))
    }

    fn add_channels(dy: &Values, all: usize, offset: usize, channels: usize, sum: &mut Sum<Self>) -> OpResult<()> {
        concat::add_channels(dy, all, offset, channels, sum);
        Ok(())
    }

    fn resampled(x: &Values, shape: Nhwc, map: Resampling) -> OpResult<Values> {
        Ok(resample::resampled(x, shape, map))
    }

    fn resampling_gradient(dy: &Values, shape: Nhwc, map: Resampling, sum: &mut Sum<Self>) -> OpResult<()> {
        resample::gradient(dy, shape, map, sum);
        Ok(())
    }

    fn max_pooled(x: &Values, shape: Nhwc, with_winners: bool) -> OpResult<(Values, Values)> {
        Ok(max_pool::max_pooled(x, shape, with_winners))
    }

    fn max_pooling_gradient(dy: &Values, winners: &Values, shape: Nhwc, sum: &mut Sum<Self>) -> OpResult<()> {
        max_pool::gradient(dy, winners, shape, sum);
        Ok(())
    }

    fn distances(teacher: &Values, student: &Values, channels: usize) -> OpResult<Values> {
        Ok(losses::distances(teacher, student, channels))
    }

    fn mean_distance(teacher: &Values, student: &Values, channels: usize) -> OpResult<Values> {
        Ok(scalar(losses::mean_distance(teacher, student, channels)))
    }

    fn mean_distance_gradient(
        dloss: &Values,
        teacher: &Values,
        student: &Values,
        channels: usize,
        sum: &mut Sum<Self>,
    ) -> OpResult<()> {
        losses::mean_distance_gradient(dloss[0], teacher, student, channels, sum);
        Ok(())
    }

    fn squared_error(a: &Values, b: &Values) -> OpResult<Values> {
        Ok(scalar(losses::squared_error(a, b)))
    }

    fn squared_error_gradient(dloss: &Values, a: &Values, b: &Values, sign: f32, sum: &mut Sum<Self>) -> OpResult<()> {
        losses::squared_error_gradient(dloss[0], a, b, sign, sum);
        Ok(())
    }

    fn smooth_l1_error(a: &Values, b: &Values) -> OpResult<Values> {
        Ok(scalar(losses::smooth_l1_error(a, b)))
    }

    fn smooth_l1_gradient(dloss: &Values, a: &Values, b: &Values, sum: &mut Sum<Self>) -> OpResult<()> {
        losses::smooth_l1_gradient(dloss[0], a, b, sum);
        Ok(())
    }

    fn weighted_scalars(terms: &[(&Values, f32)]) -> OpResult<Values> {
        let terms = terms.iter().map(|(value, weight)| value[0] * weight);
        Ok(scalar(terms.reduce(|sum, term| sum + term).unwrap_or(0.0)))
    }

    fn clipped(parts: &mut [Vec<&mut Values>], ceiling: f64) -> OpResult<(Values, Vec<Values>)> {
        let (all, parts) = clip::clipped(parts, ceiling);
        Ok((scalar(all), parts.into_iter().map(scalar).collect()))
    }

    fn update(rule: UpdateRule, updates: Vec<Update<'_, Self>>) -> OpResult<()> {
        let _part = StepPart::Optimiser.start(updates.iter().map(optimiser::values).sum());
        optimiser::update(rule, updates);
        Ok(())
    }
}
