//! Recognises how the folders of categories are arranged.

use std::path::{Path, PathBuf};

use super::description::Arrangement;
use super::listing::{file_name, folders, is_folder};
use crate::data::{DataError, Layout};
use crate::published::layout_of_categories;
use crate::settings::Named;

impl Arrangement {
    /// Recognises the arrangement by the folders that exist; returns `None` if the folder is not a category.
    ///
    /// # Errors
    /// Fails if a folder above one of them cannot be read.
    pub(super) fn of(category: &Path) -> Result<Option<&'static Self>, DataError> {
        let mut best: Option<&Self> = None;
        for arrangement in Layout::ALL.iter().flat_map(|layout| layout.description().arrangements).copied() {
            let groups = |arrangement: &Self| arrangement.recognised_by.len();
            if best.is_none_or(|best| groups(best) <= groups(arrangement)) && arrangement.is_that_of(category)? {
                best = Some(arrangement);
            }
        }
        Ok(best)
    }

    fn is_that_of(&self, category: &Path) -> Result<bool, DataError> {
        for group in self.recognised_by {
            let mut exists = false;
            for folder in *group {
                exists = exists || is_folder(&category.join(folder))?;
            }
            if !exists {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns whether a data set of this layout can have this arrangement.
    pub(super) fn fits(&self, layout: Layout) -> bool {
        layout.description().arrangements.contains(&self)
    }

    /// Returns the layout of a data set whose categories have this arrangement. Where several layouts share it, as MVTec AD and MPDD do,
    /// the names of published categories tell them apart; the first layout is the default.
    fn layout<'n>(&self, categories: impl Iterator<Item = &'n str>) -> Option<Layout> {
        let publisher = layout_of_categories(categories);
        let mut fitting = Layout::ALL.into_iter().filter(|layout| self.fits(*layout));
        let published = fitting.clone().find(|layout| publisher == Some(layout.name()));
        published.or_else(|| fitting.next())
    }
}

/// A category's folder with its arrangement.
pub(super) type Recognised = (PathBuf, &'static Arrangement);

/// Returns the categories below a root with their arrangements, and the other folders, both sorted by name.
pub(super) fn survey(root: &Path) -> Result<(Vec<Recognised>, Vec<PathBuf>), DataError> {
    let (mut categories, mut others): (Vec<Recognised>, Vec<PathBuf>) = (Vec::new(), Vec::new());
    for path in folders(root)? {
        match Arrangement::of(&path)? {
            Some(arrangement) => categories.push((path, arrangement)),
            None => others.push(path),
        }
    }
    let belongs = |name: &str| categories.iter().any(|(_, arrangement)| arrangement.next_to_categories.contains(&name));
    others.retain(|path| !belongs(&file_name(path)));
    Ok((categories, others))
}

/// Returns the layouts of recognised categories, each with the names of its categories, in the order of their first category.
pub(super) fn layouts(categories: &[Recognised]) -> Vec<(Layout, Vec<String>)> {
    let mut groups: Vec<(&Arrangement, Vec<String>)> = Vec::new();
    for (path, arrangement) in categories {
        match groups.iter_mut().find(|(known, _)| known == arrangement) {
            Some((_, names)) => names.push(file_name(path)),
            None => groups.push((arrangement, vec![file_name(path)])),
        }
    }
    let with_layout = |(arrangement, names): (&Arrangement, Vec<String>)| {
        Some((arrangement.layout(names.iter().map(String::as_str))?, names))
    };
    groups.into_iter().filter_map(with_layout).collect()
}
