//! Output files for people: complete or absent, and never written over foreign files.

mod atomic;
mod error;
mod folder;
mod manifest;
#[cfg(test)]
mod tests;

pub use atomic::{AtomicFile, SealedFile};
pub use error::OutputError;
pub use folder::{ForeignFiles, MovedAside, OutputFolder, OutputPlace};
