//! The table `[data]`: layout, root, categories, what is held out.

use std::path::{Component, Path};

use super::problem::Place;
use super::reader::{Problems, Reader};
use crate::data::{
    CategorySelection, DataSettings, Exif, FolderSettings, HeldOutChoice, Layout, Reading, SyntheticSettings,
};
use crate::paths::expanded;

pub(super) fn data(mut reader: Reader<'_>, problems: &mut Problems) -> DataSettings {
    let layouts: Vec<(&str, Option<Layout>)> =
        Layout::ALL.iter().map(|&layout| (layout.name(), Some(layout))).chain([("auto", None)]).collect();
    if !reader.has("layout") {
        let help = "expected layout = \"mvtec\", \"synthetic\", …, or \"auto\": recognised by what lies in data.root";
        problems.add(reader.place(), "`data.layout` is missing", help);
    }
    let layout = reader.choice("layout", Some(Layout::Mvtec), &layouts, problems);
    let named = reader.path("root", problems);
    // The command line wins over the environment, the environment over the file.
    let said = reader.has("root") && matches!(reader.place_of("root"), Place::Flag(_));
    let given = std::env::var_os("DIDACT_DATA").filter(|path| !path.is_empty() && !said);
    let root = given.map(|path| expanded(Path::new(&path))).or(named);
    if layout != Some(Layout::Synthetic) && root.is_none() {
        let help = "set data.root to the folder that holds the categories, or DIDACT_DATA";
        problems.add(reader.place(), "`data.root` is missing", help);
    }
    let categories = categories(&mut reader, problems);
    let image_size = reader.integer("image_size", 256, 32..=1024, problems) as usize;
    if !image_size.is_multiple_of(16) {
        let place = reader.place_of("image_size");
        problems.add(
            &place,
            format!("`data.image_size` is {image_size}"),
            "expected a multiple of 16: level 3 has a sixteenth of the side",
        );
    }
    let split_seed = reader.integer("split_seed", 0, 0..=u64::MAX, problems);
    let reading = reading(&mut reader, problems);
    let held_out = held_out(&mut reader, problems);
    let folder = folder(&mut reader, layout, problems);
    let synthetic = synthetic(reader.table("synthetic", problems), problems);
    reader.finish(problems);
    DataSettings {
        layout,
        root: root.filter(|_| layout != Some(Layout::Synthetic)),
        categories,
        image_size,
        split_seed,
        // What is drawn is read from no file.
        reading: if layout == Some(Layout::Synthetic) { Reading::default() } else { reading },
        held_out,
        folder,
        synthetic: (layout == Some(Layout::Synthetic)).then_some(synthetic),
    }
}

/// How files are read.
fn reading(reader: &mut Reader<'_>, problems: &mut Problems) -> Reading {
    let white = u64::from(u16::MAX);
    let exif = reader.choice("exif", Exif::Ignore, &[("ignore", Exif::Ignore), ("apply", Exif::Apply)], problems);
    let white_level = reader.integer("white_level", white, 1..=white, problems);
    Reading { exif, white_level: (white_level != white).then_some(white_level as u16) }
}

fn categories(reader: &mut Reader<'_>, problems: &mut Problems) -> CategorySelection {
    if reader.is_text("categories") {
        reader.choice("categories", (), &[("all", ())], problems);
        return CategorySelection::All;
    }
    match reader.texts("categories", problems) {
        Some(names) if names.is_empty() => {
            let place = reader.place_of("categories");
            problems.add(&place, "`data.categories` is empty", "name at least one category, or \"all\"");
            CategorySelection::All
        }
        Some(names) => {
            for (index, name) in repeated(&names) {
                let place = reader.place_of_item("categories", index);
                problems.add(&place, format!("category \"{name}\" is listed twice"), "list each category once");
            }
            CategorySelection::Named(names)
        }
        None => CategorySelection::All,
    }
}

/// Names that stand earlier in the list, too.
fn repeated(names: &[String]) -> impl Iterator<Item = (usize, &String)> {
    names.iter().enumerate().filter(|(index, name)| names[..*index].contains(name))
}

/// What `data.held_out` can be.
const HELD_OUT: &str = "expected a share of the normals such as 0.3, or a list of paths below data.root such as \
                        [\"bottle/train/good/003.png\"]";

/// A share, or a list of images.
fn held_out(reader: &mut Reader<'_>, problems: &mut Problems) -> HeldOutChoice {
    if reader.is_text("held_out") {
        let text = reader.text("held_out", problems).unwrap_or_default();
        let help = format!("{HELD_OUT}; a data set's own validation images are held out where nothing is said");
        problems.add(&reader.place_of("held_out"), format!("`data.held_out` is the text \"{text}\""), help);
        return HeldOutChoice::OwnOrFifth;
    }
    if !reader.is_list("held_out") {
        let share = reader.number("held_out", 0.0, 0.01..=0.9, problems);
        return if share > 0.0 { HeldOutChoice::Share(share) } else { HeldOutChoice::OwnOrFifth };
    }
    let mut images = reader.texts("held_out", problems).unwrap_or_default();
    if images.is_empty() {
        problems.add(&reader.place_of("held_out"), "`data.held_out` is empty", HELD_OUT);
        return HeldOutChoice::OwnOrFifth;
    }
    for (index, image) in repeated(&images) {
        let message = format!("the image \"{image}\" is listed twice");
        problems.add(&reader.place_of_item("held_out", index), message, "list each image once");
    }
    images.sort_unstable();
    HeldOutChoice::Images(images)
}

/// The folders of the layout `folder`.
fn folder(reader: &mut Reader<'_>, layout: Option<Layout>, problems: &mut Problems) -> Option<FolderSettings> {
    let given = reader.has("folder");
    let mut inner = reader.table("folder", problems);
    let normals = path(&mut inner, "normals", problems);
    let validation = path(&mut inner, "validation", problems);
    let test_normals = path(&mut inner, "test_normals", problems);
    let anomalies = match inner.is_list("anomalies") {
        true => {
            let paths = inner.texts("anomalies", problems).unwrap_or_default();
            let place = |index| inner.place_of_item("anomalies", index);
            let wrong: Vec<_> = paths.iter().enumerate().filter(|(_, path)| !is_below(path)).collect();
            for (index, path) in wrong {
                problems.add(&place(index), format!("`data.folder.anomalies` has \"{path}\""), BELOW);
            }
            paths
        }
        false => path(&mut inner, "anomalies", problems).into_iter().collect(),
    };
    let masks = path(&mut inner, "masks", problems);
    let place = inner.place().clone();
    let masks_place = inner.place_of("masks");
    inner.finish(problems);
    if layout != Some(Layout::Folder) {
        if given && layout.is_some() {
            let help = "expected data.layout = \"folder\": the other layouts have names of their own";
            problems.add(&place, "`data.folder` does not go with this layout", help);
        }
        return None;
    }
    let help = "name the folders as they lie below each category: \
                folder = { normals = \"ok\", test_normals = \"test/ok\", anomalies = \"nok\", masks = \"masks\" }";
    if normals.is_none() {
        problems.add(&place, "`data.folder.normals` is missing", help);
    }
    if test_normals.is_none() && anomalies.is_empty() {
        problems.add(&place, "`data.folder` names no test images", help);
    }
    let settings = FolderSettings { normals: normals.unwrap_or_default(), validation, test_normals, anomalies, masks };
    // Its own name is one of those that are the same.
    if let Some(masks) = &settings.masks
        && settings.all().filter(|place| Path::new(place) == Path::new(masks)).count() > 1
    {
        let help = "expected a folder that holds nothing but masks: they would be taken for images";
        problems.add(&masks_place, format!("`data.folder.masks` is \"{masks}\", which is named for images, too"), help);
    }
    Some(settings)
}

/// What a folder's name must be.
const BELOW: &str = "expected a path below the category, without \"..\" and not from the root of the disk";

fn path(reader: &mut Reader<'_>, key: &'static str, problems: &mut Problems) -> Option<String> {
    let path = reader.text(key, problems)?;
    if !is_below(&path) {
        problems.add(&reader.place_of(key), format!("`data.folder.{key}` is \"{path}\""), BELOW);
    }
    Some(path)
}

fn is_below(path: &str) -> bool {
    !path.is_empty()
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

fn synthetic(mut reader: Reader<'_>, problems: &mut Problems) -> SyntheticSettings {
    let defaults = SyntheticSettings::default();
    let mut count = |key, default: usize, least| reader.integer(key, default as u64, least..=10_000, problems) as usize;
    let (train, test_good) = (count("train", defaults.train, 2), count("test_good", defaults.test_good, 0));
    let test_per_defect = count("test_per_defect", defaults.test_per_defect, 0);
    let settings = SyntheticSettings {
        seed: reader.integer("seed", defaults.seed, 0..=u64::MAX, problems),
        side: reader.integer("side", defaults.side as u64, 32..=1024, problems) as usize,
        train,
        test_good,
        test_per_defect,
    };
    reader.finish(problems);
    settings
}
