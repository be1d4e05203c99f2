//! The table `[data]`: layout, root, categories, what is held out.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use super::problem::{Place, Problems};
use super::reader::Reader;
use crate::data::{
    CategorySelection, DataSettings, Exif, FolderSettings, HeldOutChoice, Layout, Reading, SyntheticSettings, Unmasked,
    has_signs, shortest,
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
    let table = table(&mut reader, layout, problems);
    if !matches!(layout, Some(Layout::Synthetic | Layout::Table)) && root.is_none() {
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
    if layout == Some(Layout::Table) && matches!(held_out, HeldOutChoice::Images(_)) {
        let help = "write \"validation\" into the column `split` of these images";
        problems.add(&reader.place_of("held_out"), "`data.held_out` lists images beside a table", help);
    }
    let test_normals_share = test_normals_share(&mut reader, layout, problems);
    let mask_threshold = reader.integer("mask_threshold", 0, 0..=254, problems) as u8;
    let rules = [("void", Unmasked::Void), ("refuse", Unmasked::Refuse), ("leave-out", Unmasked::LeaveOut)];
    let unmasked = reader.choice("unmasked", Unmasked::default(), &rules, problems);
    let folder = folder(&mut reader, layout, test_normals_share.is_some(), problems);
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
        test_normals_share,
        mask_threshold,
        unmasked,
        folder,
        table,
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

/// The file of the layout `table`.
fn table(reader: &mut Reader<'_>, layout: Option<Layout>, problems: &mut Problems) -> Option<PathBuf> {
    let table = reader.path("table", problems);
    match (layout, &table) {
        (Some(Layout::Table), None) if !reader.has("table") => {
            let help = "name a CSV with the columns category, split (train, validation, test), label (normal, anomaly) or kind, \
                        image and, where there are some, mask: table = \"images.csv\"";
            problems.add(reader.place(), "`data.table` is missing", help);
        }
        (Some(Layout::Table), _) | (_, None) => {}
        (_, Some(_)) => {
            let help = "expected data.layout = \"table\": the other layouts are read off the folders";
            problems.add(&reader.place_of("table"), "`data.table` does not go with this layout", help);
        }
    }
    table.filter(|_| layout == Some(Layout::Table))
}

/// The share of normals that is drawn for the test.
fn test_normals_share(reader: &mut Reader<'_>, layout: Option<Layout>, problems: &mut Problems) -> Option<f64> {
    let share = reader.number("test_normals_share", 0.0, 0.01..=0.9, problems);
    if layout == Some(Layout::Synthetic) && reader.has("test_normals_share") {
        let help = "set data.synthetic.test_good to how many are drawn";
        problems.add(
            &reader.place_of("test_normals_share"),
            "`data.test_normals_share` does not go with this layout",
            help,
        );
        return None;
    }
    (share > 0.0).then_some(share)
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
    let mut listed = HashSet::new();
    names.iter().enumerate().filter(move |(_, name)| !listed.insert(*name))
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
fn folder(
    reader: &mut Reader<'_>,
    layout: Option<Layout>,
    draws_test: bool,
    problems: &mut Problems,
) -> Option<FolderSettings> {
    let given = reader.has("folder");
    let mut inner = reader.table("folder", problems);
    let normals = path(&mut inner, "normals", problems);
    let validation = path(&mut inner, "validation", problems);
    let test_normals = path(&mut inner, "test_normals", problems);
    let anomalies = paths(&mut inner, "anomalies", problems);
    let masks = paths(&mut inner, "masks", problems);
    let place = inner.place().clone();
    let places = ["normals", "validation", "test_normals", "anomalies", "masks"].map(|key| inner.place_of(key));
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
    if test_normals.is_none() && anomalies.is_empty() && !draws_test {
        problems.add(&place, "`data.folder` names no test images", help);
    }
    if let (Some(name), true) = (&test_normals, draws_test) {
        let message = format!("`data.folder.test_normals` is \"{name}\" beside data.test_normals_share");
        problems.add(&places[2], message, "name the normal test images, or have a share of the normals drawn");
    }
    let settings = FolderSettings { normals: normals.unwrap_or_default(), validation, test_normals, anomalies, masks };
    named_twice(&settings, &places, problems);
    Some(settings)
}

/// One place for two things.
fn named_twice(settings: &FolderSettings, places: &[Place; 5], problems: &mut Problems) {
    let single = [("normals", Some(&settings.normals)), ("validation", settings.validation.as_ref())];
    let single = single.into_iter().chain([("test_normals", settings.test_normals.as_ref())]);
    let mut known: Vec<(usize, &str, &String)> =
        single.enumerate().filter_map(|(at, (key, name))| Some((at, key, name?))).collect();
    for (at, key, names) in [(3, "anomalies", &settings.anomalies), (4, "masks", &settings.masks)] {
        known.extend(names.iter().map(|name| (at, key, name)));
    }
    for (index, (at, key, name)) in known.iter().enumerate().filter(|(_, (_, _, name))| !name.is_empty()) {
        let Some((_, other, _)) = known[..index].iter().find(|(_, _, before)| before == name) else { continue };
        if *key == "masks" && *other != "masks" {
            let help = "expected a folder that holds nothing but masks, or a pattern such as \"*_mask.png\": they would be taken for \
                        images";
            problems.add(
                &places[*at],
                format!("`data.folder.masks` is \"{name}\", which is named for images, too"),
                help,
            );
        } else {
            let message = format!("`data.folder.{key}` is \"{name}\", which data.folder.{other} names, too");
            problems.add(&places[*at], message, "expected another folder: no image may be both");
        }
    }
}

/// What a folder's name must be.
const BELOW: &str = "expected a path below the category, without \"..\" and not from the root of the disk";

/// One path or a list of them, in their shortest spelling.
fn paths(reader: &mut Reader<'_>, key: &'static str, problems: &mut Problems) -> Vec<String> {
    if !reader.is_list(key) {
        return path(reader, key, problems).into_iter().collect();
    }
    let paths = reader.texts(key, problems).unwrap_or_default();
    for (index, path) in paths.iter().enumerate() {
        check_path(path, key, &reader.place_of_item(key, index), "has", problems);
    }
    paths.iter().map(|path| shortest(path)).collect()
}

fn path(reader: &mut Reader<'_>, key: &'static str, problems: &mut Problems) -> Option<String> {
    let path = reader.text(key, problems)?;
    check_path(&path, key, &reader.place_of(key), "is", problems);
    Some(shortest(&path))
}

fn check_path(path: &str, key: &str, place: &Place, is: &str, problems: &mut Problems) {
    let below = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if path.is_empty() || !Path::new(path).components().all(below) {
        problems.add(place, format!("`data.folder.{key}` {is} \"{path}\""), BELOW);
    } else if let Some(error) = glob::Pattern::new(path).err().filter(|_| has_signs(path)) {
        let help = format!("{}: expected a pattern such as \"train/*.jpg\"", error.msg);
        problems.add(place, format!("`data.folder.{key}` {is} \"{path}\""), help);
    }
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
