//! Defects painted on normal images: what a search is guided by where no label may be seen.
//!
//! Two painters: a patch cut out and pasted elsewhere (Li et al. 2021, CutPaste), and blobs of Perlin noise blended with
//! a texture (Zavrtanik et al. 2021, DRAEM). Both work on prepared images, need no file but these, and are pure functions of
//! (split seed, copy, index).

mod colour;
mod cut_paste;
mod layer;
mod paint;
mod perlin;
mod texture_blend;

pub use layer::Painted;
pub use paint::{Painter, paint};
