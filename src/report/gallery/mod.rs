//! The gallery: the test images of every category with the maps of two variants over each other, to see where one helps. It needs the
//! page's script; without it, and on paper, a strip shows the images that the variants disagree about most.

mod address;
mod choice;
mod content;
mod markup;
mod script;
mod sheet;
mod strip;
mod style;

pub(super) use content::{Gallery, GallerySource, gallery};
pub(super) use markup::markup;
pub(super) use script::SCRIPT;
pub(super) use style::STYLE;
