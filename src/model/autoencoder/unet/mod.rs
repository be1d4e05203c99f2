//! The U-Net auto-encoder: its settings, its stages, and the network.

mod contraction;
mod expansion;
mod network;
mod settings;

pub use network::Unet;
pub use settings::{InnerNorm, Skip, UnetSettings, Upsample};
