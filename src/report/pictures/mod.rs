//! Test images as the seed article shows them: the distance maps of the levels from coarse to fine, and the fused map over the input. One
//! row per variant with auto-encoders; ST-FPM is in the last row.

mod cases;
mod compose;
mod draw;
mod source;
mod tiles;

pub(super) use compose::Picture;
pub(super) use draw::pictures;
pub(super) use source::Source;
