//! From a root to its categories: the layout that is named, or the one that lies there.

use std::path::{Path, PathBuf};

use super::arrangement::{Arrangement, expected, layouts, survey};
use super::listing::{file_name, folders};
use super::{Parts, folders as by_folders, visa};
use crate::data::select::select;
use crate::data::{CategorySelection, DataError, DataSettings, FolderSettings, Layout, SyntheticSettings, synthetic};
use crate::paths::absolute;

/// The categories that were asked for.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::data) struct Found {
    /// The layout, recognised where none was named.
    pub layout: Layout,
    /// Where they are, for messages.
    pub root: String,
    /// The categories, in the order of the selection.
    pub parts: Vec<Parts>,
    /// Other folders of categories below the root, with the layouts that they look like.
    pub left_out: Vec<(Layout, Vec<String>)>,
}

/// Finds the images of the selected categories; decodes none.
pub(in crate::data) fn find(settings: &DataSettings) -> Result<Found, DataError> {
    if settings.layout == Some(Layout::Synthetic) {
        return drawn(&settings.synthetic.clone().unwrap_or_default(), &settings.categories);
    }
    // Messages name whole paths: a relative one does not say from where.
    let root = &absolute(settings.root.as_deref().unwrap_or(Path::new(".")));
    if !root.is_dir() {
        return Err(DataError::Missing {
            what: "data folder",
            path: root.to_owned(),
            help: "set data.root in the sweep file, or DIDACT_DATA, to the folder that holds the categories".to_owned(),
        });
    }
    match (settings.layout, &settings.folder) {
        (Some(Layout::Folder), Some(places)) => named_folders(root, places, &settings.categories),
        (layout, _) => surveyed(root, layout, &settings.categories),
    }
}

fn drawn(settings: &SyntheticSettings, selection: &CategorySelection) -> Result<Found, DataError> {
    let root = "the synthetic set".to_owned();
    let all = synthetic::categories(settings);
    let parts = select(&all, |parts: &Parts| parts.name.clone(), selection, &root)?.into_iter().cloned().collect();
    Ok(Found { layout: Layout::Synthetic, root, parts, left_out: Vec::new() })
}

/// Categories in the folders that a sweep file names.
fn named_folders(root: &Path, places: &FolderSettings, selection: &CategorySelection) -> Result<Found, DataError> {
    let categories: Vec<PathBuf> =
        folders(root)?.into_iter().filter(|path| path.join(&places.normals).is_dir()).collect();
    if categories.is_empty() {
        return Err(DataError::Missing {
            what: "a category folder",
            path: root.join("<category>").join(&places.normals),
            help: format!(
                "data.folder.normals is \"{}\": name the folder as it lies below each category",
                places.normals
            ),
        });
    }
    let shown = root.display().to_string();
    let selected = select(&categories, |path: &PathBuf| file_name(path), selection, &shown)?;
    let needed = [("validation", &places.validation), ("test_normals", &places.test_normals)];
    let needed = needed.into_iter().filter_map(|(name, place)| Some((name, place.as_ref()?)));
    let needed: Vec<(&str, &String)> =
        needed.chain(places.anomalies.iter().map(|place| ("anomalies", place))).collect();
    for (name, path) in
        selected.iter().flat_map(|path| needed.iter().map(move |(name, place)| (name, path.join(place))))
    {
        if !path.is_dir() {
            let help = format!("data.folder.{name} must be a folder of every category");
            return Err(DataError::Missing { what: "folder", path, help });
        }
    }
    // A category may have no masks, but a folder that none has is misspelt.
    if let Some(masks) = &places.masks
        && !selected.iter().any(|path| path.join(masks).is_dir())
    {
        return Err(DataError::Missing {
            what: "folder",
            path: root.join("<category>").join(masks),
            help: "data.folder.masks is a folder of no category; leave it out where there are no masks".to_owned(),
        });
    }
    let parts = selected.into_iter().map(|path| by_folders::read(path, places)).collect::<Result<_, _>>()?;
    Ok(Found { layout: Layout::Folder, root: shown, parts, left_out: Vec::new() })
}

/// A folder of a category, and what it looks like.
type Seen = (PathBuf, Arrangement);

/// Categories of a layout with fixed names.
fn surveyed(root: &Path, wanted: Option<Layout>, selection: &CategorySelection) -> Result<Found, DataError> {
    let all = survey(root)?;
    if all.is_empty() {
        return Err(nothing(root, wanted));
    }
    let shown = root.display().to_string();
    let (layout, candidates) = match wanted {
        Some(layout) => (layout, of_layout(&all, layout, root, selection)?),
        None => recognised(&all, root, selection)?,
    };
    let selected = select(&candidates, name_of, selection, &shown)?;
    let read = |(path, arrangement): &Seen| match arrangement.places() {
        Some(places) => by_folders::read(path, &places),
        // Ten thousand lines: quicker read once a category than kept.
        None => visa::read(root, path),
    };
    let parts = selected.into_iter().map(read).collect::<Result<_, _>>()?;
    let rest: Vec<Seen> = all.into_iter().filter(|seen| !candidates.contains(seen)).collect();
    Ok(Found { layout, root: shown, parts, left_out: layouts(&rest) })
}

fn name_of((path, _): &Seen) -> String {
    file_name(path)
}

/// The categories that are arranged as a layout can be; one that is asked for and is not is an error.
fn of_layout(all: &[Seen], layout: Layout, root: &Path, selection: &CategorySelection) -> Result<Vec<Seen>, DataError> {
    let other = |path: &Path, seen: &[Seen]| DataError::OtherLayout {
        path: path.to_owned(),
        wanted: layout.name(),
        found: told(&layouts(seen)),
        expected: expected(layout),
    };
    let (fitting, misfits): (Vec<Seen>, Vec<Seen>) =
        all.iter().cloned().partition(|(_, arrangement)| arrangement.fits(layout));
    if fitting.is_empty() {
        return Err(other(root, all));
    }
    if let CategorySelection::Named(names) = selection
        && let Some(misfit) = misfits.into_iter().find(|seen| names.contains(&name_of(seen)))
    {
        return Err(other(&misfit.0.clone(), &[misfit]));
    }
    Ok(fitting)
}

/// The layout of the selected categories, and all that are arranged as they are.
fn recognised(all: &[Seen], root: &Path, selection: &CategorySelection) -> Result<(Layout, Vec<Seen>), DataError> {
    let selected = select(all, name_of, selection, &root.display().to_string())?;
    let kinds: Vec<Arrangement> = selected.iter().map(|(_, arrangement)| *arrangement).collect();
    let alike: Vec<Seen> = all.iter().filter(|(_, arrangement)| kinds.contains(arrangement)).cloned().collect();
    match layouts(&alike).as_slice() {
        [(layout, _)] => Ok((*layout, alike)),
        several => Err(DataError::Mixed { root: root.to_owned(), found: told(several) }),
    }
}

/// "loco (pushpins, screw_bag)".
fn told(found: &[(Layout, Vec<String>)]) -> String {
    let one = |(layout, names): &(Layout, Vec<String>)| format!("{} ({})", layout.name(), names.join(", "));
    found.iter().map(one).collect::<Vec<_>>().join(" and ")
}

/// No category lies below the root: is it a category itself, or are they a level deeper?
fn nothing(root: &Path, wanted: Option<Layout>) -> DataError {
    let help = if Arrangement::of(root).is_some() {
        "it looks like a category itself: data.root is the folder above the categories".to_owned()
    } else if let Some(deeper) = folders(root).unwrap_or_default().into_iter().find(|path| holds_categories(path)) {
        format!("{} holds some: set data.root to it", deeper.display())
    } else {
        match wanted {
            Some(layout) => format!("the {} layout is {}", layout.name(), expected(layout)),
            None => "no layout was recognised; folders with names of their own are told by layout = \"folder\" and data.folder"
                .to_owned(),
        }
    };
    DataError::NoCategory { root: root.to_owned(), help }
}

fn holds_categories(path: &Path) -> bool {
    survey(path).is_ok_and(|found| !found.is_empty())
}
