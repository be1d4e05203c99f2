//! The submission of MVTec AD 2: anomaly maps of its private images, as its server wants them.

mod check;
mod float16;
mod places;
mod write;

pub use check::{Completeness, check};
pub use places::Split;
pub use write::{Submit, submit};
