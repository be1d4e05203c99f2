//! What a kind of auto-encoder provides: its settings describe it, and its network reconstructs the features of one level.

use std::fmt::Debug;

use super::{CommonSettings, Diagram};
use crate::nn::{Init, Input, Mode, Module};
use crate::tensor::{Backend, Features, OpResult, Tape};

/// The settings of a kind of auto-encoder.
pub trait AutoEncoderSettings {
    /// Returns the settings that all kinds share.
    fn common(&self) -> &CommonSettings;

    /// Returns mutable access to the settings that all kinds share.
    fn common_mut(&mut self) -> &mut CommonSettings;

    /// Returns a short name for reports, such as `U-Net, skip=concat`.
    fn label(&self) -> String;

    /// Returns the settings that decide how long one image takes. Stages of equal text take the same time for the same work.
    fn cost_class(&self) -> String;

    /// Returns how many times the network halves the side of its features.
    fn halvings(&self) -> usize {
        0
    }

    /// Returns a drawing of the network for features of `channels` channels.
    fn diagram(&self, channels: usize) -> Diagram;
}

/// Settings that build the network of one level, on any backend.
pub trait BuildNetwork: AutoEncoderSettings {
    /// The network.
    type Network<B: Backend>: FeatureNetwork<B>;

    /// Creates a network for features of `channels` channels. Parameter names start with `name`.
    fn build<B: Backend>(&self, init: &Init, name: &str, channels: usize) -> Self::Network<B>;
}

/// The auto-encoder of one level. It keeps the shape (N, H, W, C).
pub trait FeatureNetwork<B: Backend>: Module<B> + Debug + Clone {
    /// Reconstructs features. H and W must be divisible by 2^[`AutoEncoderSettings::halvings`].
    ///
    /// # Errors
    /// Fails if the device has too little memory.
    fn forward<T: Tape>(&mut self, features: Features<B, T>, input: Input, mode: Mode) -> OpResult<Features<B, T>>;

    /// Returns the forward multiply-accumulates for one feature map of the given side.
    fn multiply_accumulates(&self, side: usize) -> u64;
}
