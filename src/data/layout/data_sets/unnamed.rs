//! Layouts without folder names of their own.

use crate::data::layout::description::Description;

pub(super) const FOLDER: Description = Description::of(&[], "ROOT/<category>/ with the folders that data.folder names");

pub(super) const TABLE: Description = Description::of(&[], "the files that data.table names");

pub(super) const SYNTHETIC: Description = Description::of(&[], "nothing: didact draws it");
