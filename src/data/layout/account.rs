//! Every file and folder below a category is used, or named with the reason why it is not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Parts;
use super::listing::{below, entries, file_name, is_image, is_of_the_system, metadata};
use crate::data::sample::ImageSource;
use crate::data::{DataError, Layout};

/// How deep folders are looked into; deeper ones are named.
const DEEPEST: usize = 24;

/// How many of a group are named.
const NAMED: usize = 3;

/// Why a file or folder is not used; in this order they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// An image in the folder of masks.
    Mask,
    /// An image where the layout reads none.
    Image,
    /// Validation images, in a layout that has none.
    Validation,
    /// An image that the table does not name.
    Unlisted,
    /// The test images of MVTec AD 2 without labels.
    Private,
    /// A file that is no image by its ending.
    Other,
    /// A folder that holds nothing.
    Empty,
    /// A link that leads nowhere or in a circle.
    Link,
    /// A link to a folder that nothing is read from.
    LinkedFolder,
    /// Deeper than anything is looked for.
    Deep,
    /// Hidden, or made by a system.
    System,
}

impl Why {
    fn told(self) -> &'static str {
        match self {
            Self::Mask => "masks that fit no image: a mask has its image's stem, alone or with _mask, _gt or _label",
            Self::Image => "images in a folder that this layout does not read: move them, or say where they are by a pattern of data.folder",
            Self::Validation => "validation images, which this layout has not: layout = \"folder\" holds out those of data.folder.validation",
            Self::Unlisted => "images that no row of the table names",
            Self::Private => "private test images, which have no labels",
            Self::Other => "not images by their endings",
            Self::Empty => "empty folders",
            Self::Link => "links that lead nowhere or in a circle",
            Self::LinkedFolder => "links to folders that nothing is read from",
            Self::Deep => "folders too deep to be looked into",
            Self::System => "hidden or made by a system",
        }
    }
}

/// Files and folders that are not used for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unused {
    /// The reason.
    pub why: Why,
    /// How many.
    pub count: usize,
    /// The first of them, as paths below the category.
    pub named: Vec<String>,
}

impl std::fmt::Display for Unused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = if self.count == 1 { "1 entry is" } else { &format!("{} entries are", self.count) };
        write!(f, "{what} not used: {}", self.named.join(", "))?;
        if self.count > self.named.len() {
            write!(f, " and {} more", self.count - self.named.len())?;
        }
        write!(f, " ({})", self.why.told())
    }
}

/// What of a category's folder is not used, by reason.
///
/// # Errors
/// A folder cannot be read.
pub(in crate::data) fn unused(parts: &Parts, layout: Layout) -> Result<Vec<Unused>, DataError> {
    let Some(folder) = &parts.folder else { return Ok(Vec::new()) };
    account(folder, &[parts], layout)
}

/// What below a folder none of these categories uses.
pub(in crate::data) fn account(folder: &Path, all: &[&Parts], layout: Layout) -> Result<Vec<Unused>, DataError> {
    let samples = all.iter().flat_map(|parts| [&parts.train, &parts.pool, &parts.validation, &parts.test]).flatten();
    let mut used: BTreeSet<PathBuf> = BTreeSet::new();
    for sample in samples {
        if let ImageSource::File(path) = &sample.source {
            used.insert(path.components().collect());
        }
        used.extend(sample.masks.iter().map(|mask| mask.components().collect::<PathBuf>()));
    }
    used.extend(all.iter().flat_map(|parts| parts.known.iter().map(|path| path.components().collect::<PathBuf>())));
    let masks = all.iter().flat_map(|parts| parts.mask_folders.iter().cloned()).collect();
    let folder: PathBuf = folder.components().collect();
    let mut account = Account { folder: folder.clone(), used, masks, layout, found: BTreeMap::new() };
    account.look_into(&folder, 0)?;
    Ok(account.found.into_iter().map(|(why, (count, named))| Unused { why, count, named }).collect())
}

struct Account {
    folder: PathBuf,
    used: BTreeSet<PathBuf>,
    masks: Vec<PathBuf>,
    layout: Layout,
    found: BTreeMap<Why, (usize, Vec<String>)>,
}

impl Account {
    fn look_into(&mut self, folder: &Path, depth: usize) -> Result<(), DataError> {
        let entries = entries(folder)?;
        if entries.is_empty() {
            self.add(Why::Empty, folder);
        }
        for path in entries {
            if self.used.contains(&path) {
                continue;
            }
            if is_of_the_system(&path) {
                self.add(Why::System, &path);
                continue;
            }
            match metadata(&path)? {
                None => self.add(Why::Link, &path),
                // A link is followed where images were found behind it, and nowhere else: it may lead anywhere.
                Some(found) if found.is_dir() && path.is_symlink() && !self.holds_used(&path) => {
                    self.add(Why::LinkedFolder, &path);
                }
                Some(found) if found.is_dir() && depth >= DEEPEST => self.add(Why::Deep, &path),
                Some(found) if found.is_dir() => self.look_into(&path, depth + 1)?,
                Some(_) => self.add(self.why(&path), &path),
            }
        }
        Ok(())
    }

    fn holds_used(&self, folder: &Path) -> bool {
        self.used.range(folder.to_owned()..).next().is_some_and(|path| path.starts_with(folder))
    }

    fn why(&self, path: &Path) -> Why {
        let first = below(&self.folder, path);
        if !is_image(path) {
            Why::Other
        } else if self.layout == Layout::Table {
            Why::Unlisted
        } else if self.masks.iter().any(|masks| path.starts_with(masks)) {
            Why::Mask
        } else if self.layout == Layout::MvtecAd2 && first.starts_with("test_private") {
            Why::Private
        } else if first.starts_with("validation/") && self.layout != Layout::Folder {
            Why::Validation
        } else {
            Why::Image
        }
    }

    fn add(&mut self, why: Why, path: &Path) {
        let (count, named) = self.found.entry(why).or_default();
        *count += 1;
        if named.len() < NAMED {
            let name = below(&self.folder, path);
            named.push(if name.is_empty() { file_name(path) } else { name });
        }
    }
}
