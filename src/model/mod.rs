//! The networks: ResNet teacher and student, U-Net auto-encoders, weight files.

mod resnet;
mod settings;
mod student;
mod teacher;
mod unet;
pub mod weights;

pub use resnet::{Levels, Resnet18};
pub use settings::{Architecture, AutoEncoder, Corruption, Skip, TeacherSettings, UnetSettings, WeightSource};
pub use student::{Assembly, AutoEncoders, Complexity};
pub use teacher::load_teacher;
pub use unet::Unet;
