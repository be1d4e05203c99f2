//! Exports a sweep's numbers for other programs.

mod error;
mod frame;
mod long;
mod runs;
mod wide;
mod write;

pub use error::ExportError;
pub use frame::DataFormat;
pub(crate) use frame::{Column, ColumnKind, Value, writer};
pub use write::{Shape, export};
