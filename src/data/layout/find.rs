//! Finds the categories below a root, in the layout that the settings name or in the one recognised on disk.

use std::path::{Path, PathBuf};

use super::arrangement::{Recognised, layouts, survey};
use super::description::{Arrangement, ImageFiles};
use super::listing::{file_name, folders, is_folder, metadata};
use super::{Parts, folders as by_folders, guard, patterns, table};
use crate::data::select::select;
use crate::data::{CategorySelection, DataError, DataSettings, FolderSettings, Layout, SyntheticSettings, drawn_set};
use crate::paths::absolute;
use crate::settings::Named;

/// The categories that the settings select.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::data) struct FoundCategories {
    /// The layout, recognised if the settings name none.
    pub layout: Layout,
    /// Location of the categories, for messages.
    pub root: String,
    /// The categories, in the order of the selection.
    pub parts: Vec<Parts>,
    /// Other category folders below the root, with the layouts that they look like.
    pub left_out: Vec<(Layout, Vec<String>)>,
    /// Other unused entries below the root, one sentence each.
    pub not_used: Vec<String>,
    /// Categories of a table that the settings do not select.
    pub unselected: Vec<Parts>,
}

impl FoundCategories {
    fn new(layout: Layout, root: &Path, parts: Vec<Parts>) -> Self {
        Self {
            layout,
            root: root.display().to_string(),
            parts,
            left_out: Vec::new(),
            not_used: Vec::new(),
            unselected: Vec::new(),
        }
    }
}

/// Finds the images of the selected categories without decoding them.
pub(in crate::data) fn find(settings: &DataSettings) -> Result<FoundCategories, DataError> {
    if settings.layout == Some(Layout::Synthetic) {
        return drawn(&settings.synthetic.clone().unwrap_or_default(), &settings.categories);
    }
    let mut found = on_disk(settings)?;
    for parts in &mut found.parts {
        // VisA's own table also gives one mask per image, so only the layout `table` is exempt from the checks by name.
        guard::files(parts, found.layout != Layout::Table)?;
        parts.test.iter_mut().for_each(|sample| sample.mask_above = settings.mask_threshold);
        add_saturation(parts, found.layout)?;
    }
    Ok(found)
}

/// Adds the file with the saturation areas of a category's defects, if the layout has such files and there is one.
fn add_saturation(parts: &mut Parts, layout: Layout) -> Result<(), DataError> {
    let (Some(folder), Some(name)) = (&parts.folder, layout.description().saturation) else { return Ok(()) };
    let path = folder.join(name);
    if metadata(&path)?.is_some() {
        parts.known.push(path.clone());
        parts.saturation = Some(path);
    }
    Ok(())
}

fn on_disk(settings: &DataSettings) -> Result<FoundCategories, DataError> {
    if let (Some(Layout::Table), Some(path)) = (settings.layout, &settings.table) {
        return listed(path, settings);
    }
    // Messages show absolute paths, because a relative one does not say where it starts.
    let root = &absolute(settings.root.as_deref().unwrap_or(Path::new(".")));
    if !is_folder(root)? {
        return Err(DataError::Missing {
            what: "data folder",
            path: root.to_owned(),
            help: "set data.root in the sweep file, or DIDACT_DATA, to the folder that holds the categories".to_owned(),
        });
    }
    match (settings.layout, &settings.folder) {
        (Some(Layout::Folder), Some(named)) => named_folders(root, named, &settings.categories),
        (layout, _) => surveyed(root, layout, &settings.categories),
    }
}

fn drawn(settings: &SyntheticSettings, selection: &CategorySelection) -> Result<FoundCategories, DataError> {
    let root = "the synthetic set".to_owned();
    let all = drawn_set::categories(settings);
    let parts = select(&all, |parts: &Parts| parts.name.clone(), selection, &root)?.into_iter().cloned().collect();
    Ok(FoundCategories::new(Layout::Synthetic, Path::new(&root), parts))
}

/// Finds the categories that a table lists.
fn listed(path: &Path, settings: &DataSettings) -> Result<FoundCategories, DataError> {
    let table = table::read(path, settings.root.as_deref(), settings.test_normals_share.is_some())?;
    let root = table.root.display().to_string();
    let selected = select(&table.categories, |parts: &Parts| parts.name.clone(), &settings.categories, &root)?;
    let parts: Vec<Parts> = selected.into_iter().cloned().collect();
    let mut found = FoundCategories::new(Layout::Table, &table.root, parts);
    found.unselected =
        table.categories.iter().filter(|all| found.parts.iter().all(|p| p.name != all.name)).cloned().collect();
    if !table.unknown.is_empty() {
        found.not_used.push(format!("columns of the table that are not used: {}", table.unknown.join(", ")));
    }
    Ok(found)
}

/// Finds the categories by the folders that a sweep file names.
fn named_folders(
    root: &Path,
    named: &FolderSettings,
    selection: &CategorySelection,
) -> Result<FoundCategories, DataError> {
    let (mut categories, mut others) = (Vec::new(), Vec::new());
    for path in folders(root)? {
        match patterns::is_there(&path, &named.normals)? {
            true => categories.push(path),
            false => others.push(path),
        }
    }
    if categories.is_empty() {
        return Err(DataError::Missing {
            what: "a category folder",
            path: root.join("<category>").join(&named.normals),
            help: format!("data.folder.normals is \"{}\": give the folder's path below each category", named.normals),
        });
    }
    let shown = root.display().to_string();
    let selected = select(&categories, |path: &PathBuf| file_name(path), selection, &shown)?;
    let needed = [("validation", &named.validation), ("test_normals", &named.test_normals)];
    let needed = needed.into_iter().filter_map(|(name, place)| Some((name, place.as_ref()?)));
    let needed: Vec<(&str, &String)> = needed.chain(named.anomalies.iter().map(|place| ("anomalies", place))).collect();
    for path in &selected {
        guard::folders(path, named)?;
        for (name, place) in &needed {
            if !patterns::is_there(path, place)? {
                let help =
                    format!("data.folder.{name} must be a folder of every category, or a pattern of files there");
                return Err(DataError::Missing { what: "folder", path: path.join(place), help });
            }
        }
    }
    // A category may have no masks, but a mask folder that no category has is misspelt.
    for masks in &named.masks {
        let mut held = false;
        for path in &selected {
            held = held || patterns::is_there(path, masks)?;
        }
        if !held {
            return Err(DataError::Missing {
                what: "folder",
                path: root.join("<category>").join(masks),
                help: "no category has this folder: correct data.folder.masks, or leave it out if there are no masks"
                    .to_owned(),
            });
        }
    }
    let parts = selected.into_iter().map(|path| by_folders::read(path, named)).collect::<Result<_, _>>()?;
    let mut found = FoundCategories::new(Layout::Folder, root, parts);
    let why = |path: &PathBuf| format!("{} is not used: it has no {}", file_name(path), named.normals);
    found.not_used = others.iter().map(why).collect();
    Ok(found)
}

/// Finds the categories of a layout with fixed folder names.
fn surveyed(root: &Path, wanted: Option<Layout>, selection: &CategorySelection) -> Result<FoundCategories, DataError> {
    let (all, others) = survey(root)?;
    if all.is_empty() {
        return Err(nothing(root, wanted, &others));
    }
    let shown = root.display().to_string();
    let (layout, candidates) = match wanted {
        Some(layout) => (layout, of_layout(&all, layout, root, selection)?),
        None => recognised(&all, root, selection)?,
    };
    let selected = select(&candidates, name_of, selection, &shown)?;
    let read = |(path, arrangement): &Recognised| match &arrangement.images {
        ImageFiles::Folders(names) => by_folders::read(path, &names.into()),
        ImageFiles::Listed(read) => read(root, path),
    };
    let parts: Vec<Parts> = selected.into_iter().map(read).collect::<Result<_, _>>()?;
    let rest: Vec<Recognised> = all.into_iter().filter(|category| !candidates.contains(category)).collect();
    let not_used = others.iter().map(|path| not_a_category(path, layout)).collect();
    Ok(FoundCategories { left_out: layouts(&rest), not_used, ..FoundCategories::new(layout, root, parts) })
}

fn name_of((path, _): &Recognised) -> String {
    file_name(path)
}

/// Returns the categories whose arrangement fits a layout. A selected category that does not fit is an error.
fn of_layout(
    all: &[Recognised],
    layout: Layout,
    root: &Path,
    selection: &CategorySelection,
) -> Result<Vec<Recognised>, DataError> {
    let other = |path: &Path, recognised: &[Recognised]| DataError::OtherLayout {
        path: path.to_owned(),
        wanted: layout.name(),
        found: listed_layouts(&layouts(recognised)),
        expected: layout.description().expected,
    };
    let (fitting, misfits): (Vec<Recognised>, Vec<Recognised>) =
        all.iter().cloned().partition(|(_, arrangement)| arrangement.fits(layout));
    if fitting.is_empty() {
        return Err(other(root, all));
    }
    if let CategorySelection::Named(names) = selection
        && let Some(misfit) = misfits.into_iter().find(|misfit| names.contains(&name_of(misfit)))
    {
        return Err(other(&misfit.0.clone(), &[misfit]));
    }
    Ok(fitting)
}

/// Returns the layout of the selected categories, and all categories with their arrangement.
fn recognised(
    all: &[Recognised],
    root: &Path,
    selection: &CategorySelection,
) -> Result<(Layout, Vec<Recognised>), DataError> {
    let selected = select(all, name_of, selection, &root.display().to_string())?;
    let arrangements: Vec<&Arrangement> = selected.iter().map(|(_, arrangement)| *arrangement).collect();
    let alike: Vec<Recognised> =
        all.iter().filter(|(_, arrangement)| arrangements.contains(arrangement)).cloned().collect();
    match layouts(&alike).as_slice() {
        [(layout, _)] => Ok((*layout, alike)),
        several => Err(DataError::Mixed { root: root.to_owned(), found: listed_layouts(several) }),
    }
}

/// Formats layouts with their categories: "loco (pushpins, screw_bag)".
fn listed_layouts(found: &[(Layout, Vec<String>)]) -> String {
    let one = |(layout, names): &(Layout, Vec<String>)| format!("{} ({})", layout.name(), names.join(", "));
    found.iter().map(one).collect::<Vec<_>>().join(" and ")
}

/// Explains why a folder next to categories is not a category.
fn not_a_category(path: &Path, layout: Layout) -> String {
    let name = file_name(path);
    let normal = layout.description().normals().unwrap_or("train/good");
    let inside =
        |folder: &Path| folders(folder).unwrap_or_default().iter().map(|path| file_name(path)).collect::<Vec<_>>();
    let train = inside(&path.join("train"));
    if let Some(other) = train.iter().find(|name| by_folders::sounds_normal(name)) {
        return format!("{name} is not used: it has train/{other} where this layout has {normal}: rename that folder");
    }
    let (known, here) = (["train", "test", "ground_truth", "validation", "test_public"], inside(path));
    let parts: Vec<&str> = known.into_iter().filter(|part| here.iter().any(|name| name == part)).collect();
    match parts.as_slice() {
        [] => format!("{name} is not used: it is not a category, because it has no {normal}"),
        parts => format!("{name} is not used: it looks like a category with {}, but has no {normal}", parts.join(", ")),
    }
}

/// Explains why no category was found: the root may be a category itself, or the categories may be one level deeper.
fn nothing(root: &Path, wanted: Option<Layout>, others: &[PathBuf]) -> DataError {
    let help = if matches!(Arrangement::of(root), Ok(Some(_))) {
        "it looks like a category itself: set data.root to the folder above the categories".to_owned()
    } else if let Some(deeper) = folders(root).unwrap_or_default().into_iter().find(|path| holds_categories(path)) {
        format!("{} holds some: set data.root to it", deeper.display())
    } else if let Some(near) = others.iter().find(|path| matches!(is_folder(&path.join("train")), Ok(true))) {
        not_a_category(near, wanted.unwrap_or(Layout::Mvtec))
    } else {
        match wanted {
            Some(layout) => format!("the {} layout is {}", layout.name(), layout.description().expected),
            None => "no layout was recognised; for other folder names set layout = \"folder\" and data.folder, \
                     for any other arrangement set layout = \"table\""
                .to_owned(),
        }
    };
    DataError::NoCategory { root: root.to_owned(), help }
}

fn holds_categories(path: &Path) -> bool {
    survey(path).is_ok_and(|(found, _)| !found.is_empty())
}
