//! Weight files with torchvision's tensor names: `.safetensors`, `.pth`, and the small teacher that didact carries. They come from
//! strangers: what a file may ask of memory is in `budget`, and nothing in it is ever executed.

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
pub use fetch::{FetchError, Fetched, fetch};
pub use file::{WeightFile, WeightTensor};
pub use inspect::{WeightReport, inspect};
pub use published::Published;
