//! Figures, tables, pages and pictures that show people the findings of a sweep.

mod canvas;
mod chapters;
mod comparison_page;
mod curves;
mod document;
mod effect_tables;
mod error;
mod figure;
mod figures;
mod heat;
mod markdown;
mod overlay;
mod page;
mod pdf;
mod pictures;
mod print;
mod recipe;
mod reproduce;
mod script;
mod section;
mod shell;
mod style;
mod summary;
mod table;
mod tables;
#[cfg(test)]
mod tests;
mod words;
mod write;

pub use comparison_page::comparison_page;
pub use document::{DocumentFormat, document};
pub use error::ReportError;
pub use overlay::{brightest, overlay};
pub use write::{Step, WrittenReport, check_folder, write};
