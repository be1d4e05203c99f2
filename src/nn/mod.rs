//! Layers with run-time shapes, named sets of parameters, and optimisers.

mod init;
mod layers;
mod module;
mod optimizer;
mod optimizer_settings;
mod padding;
mod parameter;
mod state;

pub use init::Init;
pub use layers::{BatchNorm, Conv, ConvNorm, ConvTranspose, Input, Mode, UpNorm};
pub use module::Module;
pub(crate) use module::{delegate_module, visit_fields};
pub use optimizer::{Optimizer, clip_global_norm};
pub use optimizer_settings::{Algorithm, MIN_RATE, OptimizerSettings};
pub use padding::Padding;
pub use parameter::{Buffer, Layout, Parameter};
pub use state::{NamedTensor, State, StateError};
