//! The networks: teacher and student (ResNets), auto-encoders, and weight files.

mod assembly;
mod autoencoder_settings;
mod autoencoders;
mod backbone;
mod contraction;
mod expansion;
mod level_set;
mod linear;
mod resnet;
mod student;
mod teacher;
mod teacher_settings;
#[cfg(test)]
mod tests;
mod unet;
mod unet_settings;
pub mod weights;

pub use assembly::{Assembly, Complexity};
pub use autoencoder_settings::{AutoEncoder, Corruption, LinearSettings, Placement};
pub use autoencoders::AutoEncoders;
pub use backbone::{Architecture, Backbone};
pub use level_set::LevelSet;
pub use resnet::{Levels, Resnet};
pub use student::{Head, Student};
pub use teacher::load_teacher;
pub use teacher_settings::{TeacherSettings, WeightSource};
pub use unet::Unet;
pub use unet_settings::{InnerNorm, Skip, UnetSettings, Upsample};
