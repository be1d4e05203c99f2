//! The auto-encoders: one file or folder per kind, registered by `autoencoders!`, and what all kinds share.

mod common;
mod contract;
mod diagram;
mod levels;
mod linear;
mod perceptron;
mod pixelwise;
mod register;
mod settings;
mod unet;

pub use common::{CommonSettings, Corruption, Placement};
pub use contract::{AutoEncoderSettings, BuildNetwork, FeatureNetwork};
pub use diagram::{Diagram, DiagramBox};
pub use levels::AutoEncoders;
pub use linear::LinearSettings;
pub use unet::{InnerNorm, Skip, Unet, UnetSettings, Upsample};

use register::autoencoders;

autoencoders! {
    /// One U-Net per level.
    Unet(unet::UnetSettings) = "unet",
    /// Two 1×1 convolutions per level, the cheap control; `width`, `input`, `levels` and `placement` apply.
    Linear(linear::LinearSettings) = "linear",
    /// As `linear`, with a ReLU between the convolutions: non-linear, but without neighbours.
    Perceptron(perceptron::PerceptronSettings) = "perceptron",
}
