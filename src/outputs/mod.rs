//! Files for people: whole or not there, and never in the place of what didact did not write.

mod error;
mod folder;
mod manifest;
#[cfg(test)]
mod tests;
mod whole;

pub use error::OutputError;
pub use folder::{Aside, Foreign, OutputFolder, Place};
pub use whole::{Sealed, WholeFile};
