//! Test images as the seed article shows them: the distance maps of the levels from coarse to fine, the fused map, and the fused map over
//! the input. One row per variant with auto-encoders; ST-FPM is in the last row.

mod article;
mod cases;
mod compose;
mod draw;
mod rows;
mod source;
mod tiles;

pub(super) use article::{ArticleChoice, article_picture};
pub(super) use compose::Picture;
pub(super) use draw::pictures;
pub(super) use rows::{best_first, open_rows, seeds};
pub(super) use source::Source;
pub(super) use tiles::{OUTLINE, outline, outlined_pixels, overlaid, resized};
