//! A page for each run: its numbers, settings, curves, every test image with its map, its stages, and the command that repeats it.

mod cards;
mod choice;
mod contour;
mod history;
mod map_picture;
mod metrics;
mod page;
mod paths;
mod pictures;
mod plots;
mod script;
mod settings;
mod sheet;
mod stages;
mod style;
mod test_images;
mod training;
mod write;

pub(super) use cards::KEY;
pub use choice::RunPageChoice;
pub(super) use contour::TRANSFORM;
pub use history::RunHistory;
pub(super) use map_picture::map_picture;
pub(super) use paths::RunPagePaths;
pub(super) use pictures::{resampled_contour, truth};
pub(super) use sheet::jpeg;
pub(super) use write::{run_page_paths, run_pages};
