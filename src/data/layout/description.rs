//! What a layout is on disk: how its categories are recognised, and where their images are.

use std::path::Path;

use super::{Parts, UnusedReason};
use crate::data::DataError;

/// A layout on disk.
pub(in crate::data) struct Description {
    /// Arrangements that its categories can have; empty if no folder names tell where the images are.
    pub arrangements: &'static [&'static Arrangement],
    /// What the layout expects below its root, for messages.
    pub expected: &'static str,
    /// Folders of images that are never used, with the reason: starts of paths below a category.
    pub unused: &'static [(&'static str, UnusedReason)],
    /// Whether an image can have several masks.
    pub several_masks: bool,
    /// Name of the file of a category that lists saturation areas of defects, if the data set has one.
    pub saturation: Option<&'static str>,
    /// Whether the name of a test image ends with its lighting, after the first `_`: `000_overexposed.png`.
    pub names_lighting: bool,
}

/// How one category is arranged. Several data sets may share an arrangement.
#[derive(Debug)]
pub(in crate::data) struct Arrangement {
    /// Folders by which it is recognised: one of each group must exist. The arrangement with the most groups wins.
    pub recognised_by: &'static [&'static [&'static str]],
    /// Location of the images.
    pub images: ImageFiles,
    /// Folders next to the categories that belong to the data set.
    pub next_to_categories: &'static [&'static str],
}

/// Arrangements are equal if the same folders identify them.
impl PartialEq for Arrangement {
    fn eq(&self, other: &Self) -> bool {
        self.recognised_by == other.recognised_by
    }
}

/// Location of a category's images.
#[derive(Debug)]
pub(in crate::data) enum ImageFiles {
    /// In folders with fixed names.
    Folders(FolderNames),
    /// Where this function finds them, given the root and the category's folder.
    Listed(fn(&Path, &Path) -> Result<Parts, DataError>),
}

/// Folders or patterns below a category, as in `data.folder`.
#[derive(Debug)]
pub(in crate::data) struct FolderNames {
    pub normals: &'static str,
    pub validation: Option<&'static str>,
    pub test_normals: &'static str,
    pub anomalies: &'static str,
    pub masks: &'static str,
}

impl Arrangement {
    /// Returns an arrangement in folders with fixed names.
    pub(super) const fn in_folders(recognised_by: &'static [&'static [&'static str]], names: FolderNames) -> Self {
        Self { recognised_by, images: ImageFiles::Folders(names), next_to_categories: &[] }
    }
}

impl Description {
    /// Returns the description of a layout of categories with fixed folder names.
    pub(super) const fn of(arrangements: &'static [&'static Arrangement], expected: &'static str) -> Self {
        Self { arrangements, expected, unused: &[], several_masks: false, saturation: None, names_lighting: false }
    }

    /// Returns the folder of a category's training images, if a name tells it.
    pub(super) fn normals(&self) -> Option<&'static str> {
        self.arrangements.iter().find_map(|arrangement| match &arrangement.images {
            ImageFiles::Folders(names) => Some(names.normals),
            ImageFiles::Listed(_) => None,
        })
    }
}
