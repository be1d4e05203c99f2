//! A running sweep in a terminal: `didact watch`.

mod best;
mod draw;
mod failures;
mod feed;
mod layout;
mod panel;
mod run;
mod screen;
mod stages;
#[cfg(test)]
mod tests;
mod theme;
mod view;
mod workers;
mod wrap;

pub use feed::Source;
pub use run::{WatchError, watch};
