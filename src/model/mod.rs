//! The networks: ResNet teacher and student, U-Net auto-encoders, weight files.

mod settings;

pub use settings::{Architecture, AutoEncoder, Skip, TeacherSettings, UnetSettings, WeightSource};
