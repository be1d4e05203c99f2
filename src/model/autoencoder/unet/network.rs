//! The U-Net auto-encoder of one feature level.
//!
//! With C channels and depth d, the channels are c_0 = C and c_i = 2^i·C·width. Contraction stage i: 3×3 convolution with stride 2,
//! c_{i−1} → c_i, batch norm, ReLU. Expansion stage i: up-sampling (a transposed 2×2 convolution) to the side of stage i's input, then a
//! join with that input as [`Skip`] says, to c_{i−1} channels. The outermost stage is linear with bias, because it must return raw
//! features. [`UnetSettings`] can replace each of these parts.

use super::contraction::Contraction;
use super::expansion::Expansion;
use super::{Skip, UnetSettings};
use crate::model::autoencoder::{BuildNetwork, FeatureNetwork};
use crate::nn::{Init, Input, Mode, visit_fields};
use crate::tensor::{Backend, Features, OpResult, Tape};

/// The U-Net of one level.
#[derive(Debug, Clone)]
pub struct Unet<B: Backend> {
    skip: Skip,
    contraction: Vec<Contraction<B>>,
    /// Expansion stages, innermost first.
    expansion: Vec<Expansion<B>>,
}

visit_fields!(Unet: ; contraction, expansion);

impl<B: Backend> Unet<B> {
    /// Creates a U-Net for features of `channels` channels. Parameter names start with `name`.
    pub fn new(init: &Init, name: &str, channels: usize, settings: &UnetSettings) -> Self {
        let widths: Vec<usize> = (0..=settings.depth).map(|i| settings.channels_after(i, channels)).collect();
        let contraction = (1..=settings.depth)
            .map(|i| Contraction::new(init, &format!("{name}.contraction.{i}"), widths[i - 1], widths[i], settings))
            .collect();
        let expansion = (1..=settings.depth)
            .rev()
            .map(|i| Expansion::new(init, &format!("{name}.expansion.{i}"), (widths[i], widths[i - 1]), i, settings))
            .collect();
        Self { skip: settings.skip, contraction, expansion }
    }
}

impl BuildNetwork for UnetSettings {
    type Network<B: Backend> = Unet<B>;

    fn build<B: Backend>(&self, init: &Init, name: &str, channels: usize) -> Unet<B> {
        Unet::new(init, name, channels, self)
    }
}

impl<B: Backend> FeatureNetwork<B> for Unet<B> {
    fn forward<T: Tape>(&mut self, features: Features<B, T>, input: Input, mode: Mode) -> OpResult<Features<B, T>> {
        // Only the outermost stages read the input. All others read trained features.
        if let Some(stage) = self.contraction.first_mut() {
            stage.set_input(input);
        }
        if let Some(stage) = self.expansion.last_mut() {
            stage.set_skip_input(self.skip, input);
        }
        let mut skips = Vec::with_capacity(self.contraction.len());
        let mut x = features;
        for stage in &mut self.contraction {
            skips.push(x.with_empty_tape());
            x = stage.forward(x, mode)?;
        }
        for (stage, skip) in self.expansion.iter_mut().zip(skips.into_iter().rev()) {
            x = stage.forward(x, skip, self.skip, mode)?;
        }
        Ok(x)
    }

    fn multiply_accumulates(&self, side: usize) -> u64 {
        let depth = self.contraction.len();
        let contraction = self
            .contraction
            .iter()
            .enumerate()
            .map(|(i, stage)| stage.geometry().multiply_accumulates(side >> i, side >> i));
        let expansion =
            self.expansion.iter().enumerate().map(|(i, stage)| stage.multiply_accumulates(side >> (depth - i)));
        contraction.chain(expansion).sum()
    }
}
