//! Weight files with torchvision's tensor names: `.safetensors`, `.pth`, and the small teacher that didact carries.

mod error;
mod file;
mod inspect;
mod pickle;
mod pth;

pub use error::WeightError;
pub use file::{WeightFile, WeightTensor};
pub use inspect::{WeightReport, inspect};
