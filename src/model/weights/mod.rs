//! Weight files with torchvision's tensor names: `.safetensors`, `.pth`, and the small teacher that is part of didact.
//!
//! Weight files are untrusted: `budget` limits the memory that a file may use, and didact never executes anything in it.

mod archive;
mod budget;
mod checkpoint;
mod contents;
mod element;
mod error;
mod fetch;
mod file;
mod input;
mod inspect;
mod pickle;
mod published;
mod safetensors;
mod select;
mod tensors;
#[cfg(test)]
mod tests;
mod torch;

pub use error::WeightError;
pub(super) use error::supported_networks;
pub use fetch::{FetchError, Fetched, fetch};
pub use file::{WeightFile, WeightTensor};
pub use inspect::{WeightReport, inspect};
pub use published::PublishedWeights;
