//! The networks: teacher and student (ResNets), auto-encoders, the decoder of reverse distillation, and weight files.

mod assembly;
mod autoencoder;
mod backbone;
mod block;
mod decoder;
mod kind;
mod level_set;
#[cfg(test)]
pub(crate) mod recorded;
mod resnet;
mod student;
mod teacher;
mod teacher_settings;
#[cfg(test)]
mod tests;
pub mod weights;

pub use assembly::{Assembly, Complexity};
pub use autoencoder::{
    AutoEncoder, AutoEncoderSettings, AutoEncoders, BuildNetwork, CommonSettings, Corruption, Diagram, DiagramBox,
    FeatureNetwork, InnerNorm, LinearSettings, Placement, Skip, Unet, UnetSettings, Upsample,
};
pub use backbone::{Architecture, Backbone};
pub use block::BlockKind;
pub use decoder::Decoder;
pub use kind::{Model, StudentKind};
pub use level_set::LevelSet;
pub use resnet::{Levels, Resnet};
pub use student::{Encoder, Head, Student};
pub use teacher::load_teacher;
pub use teacher_settings::{TeacherSettings, WeightSource};
