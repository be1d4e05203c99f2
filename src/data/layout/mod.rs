//! Layouts of data sets on disk: recognises them by their files and reads categories with labels and masks.
//!
//! Every layout without a table is one description of folders ([`super::FolderSettings`]), read by one reader.

mod account;
mod arrangement;
mod data_sets;
mod description;
mod find;
mod folders;
mod guard;
mod listing;
mod masks;
#[cfg(test)]
mod miniature;
mod parts;
mod patterns;
mod rows;
mod table;
#[cfg(test)]
mod tests;

pub use account::{Unused, UnusedReason};
pub(super) use account::{account, unused};
pub use data_sets::Layout;
pub(super) use find::{FoundCategories, find};
pub(super) use listing::{composed, file_stem};
pub(crate) use listing::{images as images_in, is_image};
pub(super) use parts::Parts;
pub(crate) use patterns::{has_signs, shortest};
