//! Draws two textures and one object, with three kinds of defect each and pixel-exact masks.
//!
//! Every image is a pure function of (seed, side, category, group, index), so the set needs neither disk nor download.

mod canvas;
mod defects;
mod drawing;
mod kinds;
mod normals;

pub(super) use drawing::Group;
pub use drawing::{Drawing, Drawn};
pub(super) use kinds::SyntheticCategory;
