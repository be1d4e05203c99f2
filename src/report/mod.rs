//! Figures, tables, pages and pictures that show people the findings of a sweep.

mod banners;
mod border;
mod brush;
mod canvas;
mod chapters;
mod comparison_page;
mod curves;
mod document;
mod drawing;
mod effect_tables;
mod error;
mod figure;
mod figures;
mod gallery;
mod heat;
mod leaderboard;
mod map_comparison;
mod markdown;
mod marks;
mod overlay;
mod page;
mod pdf;
mod pictures;
mod print;
mod recipe;
mod reproduce;
mod run_pages;
mod script;
mod section;
mod shell;
mod style;
mod summary;
mod table;
mod tables;
mod terminal_summary;
#[cfg(test)]
mod tests;
mod values;
mod words;
mod write;

pub use comparison_page::comparison_page;
pub use document::{DocumentFormat, document};
pub use error::ReportError;
pub use map_comparison::{ComparedPair, JobsOfRuns};
pub use overlay::{MapScale, overlay};
pub use run_pages::{RunHistory, RunPageChoice};
#[cfg(feature = "live")]
pub(crate) use shell::{Shell, shell};
pub use terminal_summary::{TerminalSummary, terminal_summary};
pub use write::{Step, WrittenReport, check_folder, write};
