//! Drawing: two textures and one object, three kinds of defect each, pixel-exact masks.
//!
//! Every image is a pure function of (seed, side, category, group, index), so the set needs no disk and no download.

mod canvas;
mod defects;
mod drawing;
mod kinds;
mod normals;

pub(super) use drawing::Group;
pub use drawing::{Drawing, Drawn};
pub(super) use kinds::Kind;
