//! The networks: ResNet teacher and student, U-Net auto-encoders, weight files.

mod resnet;
mod settings;
mod student;
mod unet;

pub use resnet::{Levels, Resnet18};
pub use settings::{Architecture, AutoEncoder, Skip, TeacherSettings, UnetSettings, WeightSource};
pub use student::{Assembly, AutoEncoders, Complexity};
pub use unet::Unet;
