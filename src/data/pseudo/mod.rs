//! Paints defects on normal images. They guide a search in which no label may be seen.
//!
//! There are two painters. One cuts out a patch and pastes it elsewhere (Li et al. 2021, CutPaste). The other blends blobs of Perlin noise
//! with a texture (Zavrtanik et al. 2021, DRAEM). Both use only prepared images, need no other files, and are pure functions of (split
//! seed, copy, index).

mod colour;
mod cut_paste;
mod layer;
mod paint;
mod perlin;
mod texture_blend;

pub use layer::Painted;
pub use paint::{Painter, paint};
