//! Training of the demo's small teacher: it learns to classify oriented, coloured noise.
//!
//! A class is an orientation (4) × a grain size (2) × a hue (4). Light, contrast, phase and a second colour vary freely. A network that
//! separates these classes has features for edges, frequency and colour, as a teacher needs.

use std::path::Path;

use rand::Rng;
use rayon::prelude::*;

use super::context::StageError;
use crate::data::{Image, normalise, stream};
use crate::model::{Architecture, Backbone, Resnet};
use crate::nn::{Conv, Init, Mode, Optimizer, OptimizerSettings, State};
use crate::tensor::{Backend, Conv2d, Native, Recorded};

const ORIENTATIONS: usize = 4;
const GRAINS: usize = 2;
const HUES: usize = 4;
const CLASSES: usize = ORIENTATIONS * GRAINS * HUES;
const SIDE: usize = 64;
const BATCH: usize = 32;
/// Base width of the demo teacher: a quarter of ResNet-18's, 175 thousand values to layer3.
const WIDTH: usize = 16;

/// Trains for `steps` batches and writes the weights. Calls `told` with (step, loss, accuracy on the batch).
pub fn train_demo_teacher(
    out: &Path,
    seed: u64,
    steps: usize,
    told: &mut dyn FnMut(usize, f64, f64),
) -> Result<(), StageError> {
    let init = Init { seed, purpose: "demo-teacher" };
    let mut network = Resnet::<Native>::new(&init, &Backbone::new(Architecture::Resnet18, WIDTH));
    let geometry = Conv2d { input: 4 * WIDTH, output: CLASSES, kernel: 1, stride: 1, padding: 0, input_gradient: true };
    let mut head = Conv::<Native>::with_bias(&init, "fc", geometry);
    let kind = OptimizerSettings::adam(1e-3, 1e-4);
    let (mut network_optimizer, mut head_optimizer) = (Optimizer::new(kind), Optimizer::new(kind));
    for step in 1..=steps {
        let (pixels, labels) = batch(seed, step);
        let images = Native::upload(pixels, (BATCH, SIDE, SIDE, 3)).map_err(StageError::device)?;
        let mut levels =
            network.forward(images.put_tape(Recorded::default()), Mode::Train).map_err(StageError::device)?;
        let level3 = levels.pop().ok_or_else(|| StageError::Bug("a network without levels".into()))?;
        // A 1×1 convolution followed by a mean over positions is a linear layer on pooled features.
        let logits = head.forward(level3).map_err(StageError::device)?;
        let (loss, hits) = Native::pooled_cross_entropy(logits, &labels).map_err(StageError::device)?;
        let value = Native::number(&loss).map_err(StageError::device)?;
        if !value.is_finite() {
            return Err(StageError::Diverged { what: "loss", value, epoch: 1, step });
        }
        let mut gradients = Native::backward(loss).map_err(StageError::device)?;
        network_optimizer.step(&mut network, &mut gradients, 1.0).map_err(StageError::device)?;
        head_optimizer.step(&mut head, &mut gradients, 1.0).map_err(StageError::device)?;
        if step % 50 == 0 || step == steps {
            told(step, value, hits as f64 / BATCH as f64);
        }
    }
    let mut state = State::default();
    state.add_module("", &network).map_err(StageError::device)?;
    state.save(out).map_err(StageError::artifact)
}

/// Returns the normalised images and the labels of one step.
fn batch(seed: u64, step: usize) -> (Vec<f32>, Vec<usize>) {
    let drawn: Vec<(Vec<f32>, usize)> = (0..BATCH)
        .into_par_iter()
        .map(|index| {
            let (image, label) = draw(&mut Dice(stream(seed, "demo-teacher/images", step as u64, index as u64)));
            (normalise(&image), label)
        })
        .collect();
    let labels = drawn.iter().map(|(_, label)| *label).collect();
    (drawn.into_iter().flat_map(|(pixels, _)| pixels).collect(), labels)
}

struct Dice<R>(R);

impl<R: Rng> Dice<R> {
    fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1_u32 << 24) as f32
    }

    fn below(&mut self, count: usize) -> usize {
        ((self.unit() * count as f32) as usize).min(count - 1)
    }
}

/// Draws a sum of waves near one direction and frequency, between two colours. One colour has the hue of the class.
fn draw(dice: &mut Dice<impl Rng>) -> (Image, usize) {
    let (orientation, grain, hue) = (dice.below(ORIENTATIONS), dice.below(GRAINS), dice.below(HUES));
    let waves: Vec<[f32; 4]> = (0..5)
        .map(|_| {
            let angle = (orientation as f32 + 0.7 * (dice.unit() - 0.5)) * std::f32::consts::PI / ORIENTATIONS as f32;
            let period = if grain == 0 { 3.5 + 3.0 * dice.unit() } else { 9.0 + 8.0 * dice.unit() };
            let turns = std::f32::consts::TAU / period;
            [turns * angle.cos(), turns * angle.sin(), std::f32::consts::TAU * dice.unit(), 0.4 + dice.unit()]
        })
        .collect();
    let main = hue_colour((hue as f32 + 0.6 * (dice.unit() - 0.5)) / HUES as f32, 0.35 + 0.5 * dice.unit());
    let grey = 0.15 + 0.7 * dice.unit();
    let (light, noise) = (0.6 + 0.4 * dice.unit(), 0.12 * dice.unit());
    let mut rgb = Vec::with_capacity(SIDE * SIDE * 3);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let sum: f32 =
                waves.iter().map(|[u, v, phase, size]| size * (u * x as f32 + v * y as f32 + phase).sin()).sum();
            let share = 1.0 / (1.0 + (-1.5 * sum).exp());
            for colour in main {
                let value = light * (colour * share + grey * (1.0 - share)) + noise * (dice.unit() - 0.5);
                rgb.push((value.clamp(0.0, 1.0) * 255.0) as u8);
            }
        }
    }
    (Image { side: SIDE, rgb }, (orientation * GRAINS + grain) * HUES + hue)
}

/// Returns the colour of a hue in 0..1 with the given saturation.
fn hue_colour(hue: f32, saturation: f32) -> [f32; 3] {
    [0.0, 1.0 / 3.0, 2.0 / 3.0].map(|offset| {
        let wave = 0.5 + 0.5 * (std::f32::consts::TAU * (hue - offset)).cos();
        1.0 - saturation * (1.0 - wave)
    })
}
