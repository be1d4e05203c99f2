//! The student with its auto-encoders: what joint training trains and scoring evaluates.

use dfdx::tensor::Tape;

use super::{AutoEncoder, Levels, Resnet18, Unet, UnetSettings};
use crate::nn::{Buffer, Init, Input, Mode, Module, Parameter, visit_fields};
use crate::tensor::{Backend, Features, OpResult};

/// One U-Net per feature level.
#[derive(Debug, Clone)]
pub struct AutoEncoders<B: Backend> {
    levels: Vec<Unet<B>>,
}

visit_fields!(AutoEncoders: ; levels);

impl<B: Backend> AutoEncoders<B> {
    /// U-Nets for levels of the given channels, named `level1`, `level2`, ….
    pub fn new(init: &Init, channels: &[usize], settings: &UnetSettings) -> Self {
        let levels = channels
            .iter()
            .enumerate()
            .map(|(level, &channels)| Unet::new(init, &format!("level{}", level + 1), channels, settings))
            .collect();
        Self { levels }
    }

    /// Reconstructs one level (from 0).
    pub fn forward<T: Tape<f32, B::Device>>(
        &mut self,
        level: usize,
        features: Features<B, T>,
        input: Input,
        mode: Mode,
    ) -> OpResult<B, Features<B, T>> {
        self.levels[level].forward(features, input, mode)
    }
}

/// A student, and the auto-encoders behind it where the variant has them.
#[derive(Debug, Clone)]
pub struct Assembly<B: Backend> {
    /// The network that learns to predict the teacher.
    pub student: Resnet18<B>,
    /// Empty for ST-FPM.
    pub autoencoders: Option<AutoEncoders<B>>,
}

/// Multiply-accumulates and parameters of one forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Complexity {
    /// Trained values.
    pub parameters: usize,
    /// Forward multiply-accumulates an image.
    pub multiply_accumulates: u64,
}

impl<B: Backend> Assembly<B> {
    /// A student of the given base width, randomly initialised from `seed`, with the auto-encoders that `model` asks for.
    pub fn new(seed: u64, width: usize, model: &AutoEncoder) -> Self {
        let channels = [width, 2 * width, 4 * width];
        let autoencoders = match model {
            AutoEncoder::None => None,
            AutoEncoder::Unet(settings) => {
                Some(AutoEncoders::new(&Init { seed, purpose: "autoencoder" }, &channels, settings))
            }
        };
        Self { student: Resnet18::new(&Init { seed, purpose: "student" }, width), autoencoders }
    }

    /// What is compared with the teacher: A(S), or S itself, in evaluation mode. Images are (N, side, side, 3).
    pub fn predict(&mut self, images: Features<B>) -> OpResult<B, Levels<B>> {
        let levels = self.student.forward(images, Mode::Evaluate)?;
        let Some(autoencoders) = &mut self.autoencoders else { return Ok(levels) };
        let [one, two, three] = levels;
        Ok([
            autoencoders.forward(0, one, Input::Constant, Mode::Evaluate)?,
            autoencoders.forward(1, two, Input::Constant, Mode::Evaluate)?,
            autoencoders.forward(2, three, Input::Constant, Mode::Evaluate)?,
        ])
    }

    /// Its size and the cost of one image of the given side.
    pub fn complexity(&self, side: usize) -> Complexity {
        let mut complexity = Complexity {
            parameters: self.parameter_count(),
            multiply_accumulates: self.student.multiply_accumulates(side),
        };
        for (level, unet) in self.autoencoders.iter().flat_map(|a| &a.levels).enumerate() {
            complexity.multiply_accumulates += unet.multiply_accumulates((side / 4) >> level);
        }
        complexity
    }
}

impl<B: Backend> Module<B> for Assembly<B> {
    fn parameters(&self, visit: &mut dyn FnMut(&Parameter<B>)) {
        self.student.parameters(visit);
        self.autoencoders.iter().for_each(|a| a.parameters(visit));
    }
    fn parameters_mut(&mut self, visit: &mut dyn FnMut(&mut Parameter<B>)) {
        self.student.parameters_mut(visit);
        self.autoencoders.iter_mut().for_each(|a| a.parameters_mut(visit));
    }
    fn buffers(&self, visit: &mut dyn FnMut(&Buffer<B>)) {
        self.student.buffers(visit);
        self.autoencoders.iter().for_each(|a| a.buffers(visit));
    }
    fn buffers_mut(&mut self, visit: &mut dyn FnMut(&mut Buffer<B>)) {
        self.student.buffers_mut(visit);
        self.autoencoders.iter_mut().for_each(|a| a.buffers_mut(visit));
    }
}
