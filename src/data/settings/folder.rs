//! Folders of the layout `folder`.

use std::path::{Component, Path};

use crate::data::Layout;
use crate::data::{has_signs, shortest};
use crate::settings::{DefaultValue, Field, Reader, Settings, Value, ValueKind, settings};

settings! {
    /// Folders of each category's images, as paths below its folder: folders, or patterns of files.
    pub struct FolderSettings: Eq {
        /// Normal images to train on; required for the layout `folder`.
        pub normals: String = with(|field| path(field).unwrap_or_default()),
        /// Normal images to hold out; if not given, they are drawn from `normals`.
        pub validation: Option<String> = with(path),
        /// Normal test images.
        pub test_normals: Option<String> = with(path),
        /// Defective test images: each sub-folder is a kind of defect; a folder without sub-folders is one kind.
        pub anomalies: Vec<String> = with(paths),
        /// Masks, in the same sub-folders as the anomalies, or in folders with the names of the kinds.
        pub masks: Vec<String> = with(paths),
    }
}

impl FolderSettings {
    /// Returns every folder that the settings name.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let single = [Some(&self.normals), self.validation.as_ref(), self.test_normals.as_ref()];
        single.into_iter().flatten().chain(&self.masks).chain(&self.anomalies).map(String::as_str)
    }

    /// Reads the folders; returns `None` if the layout has fixed folder names. `draws_test` says whether normal test images are drawn.
    pub(super) fn read(field: Field<'_>, layout: Option<Layout>, draws_test: bool) -> Option<Self> {
        let reader = field.inner();
        let settings = <Self as Settings>::read(&reader, ());
        if layout != Some(Layout::Folder) {
            if field.is_given() && layout.is_some() {
                let help = "set data.layout = \"folder\": other layouts have fixed folder names";
                field.refuse("`data.folder` does not apply to this layout", help);
            }
            return None;
        }
        let help = "name the folders below each category: \
                    folder = { normals = \"ok\", test_normals = \"test/ok\", anomalies = \"nok\", masks = \"masks\" }";
        if settings.normals.is_empty() && !reader.is_given("normals") {
            field.refuse("`data.folder.normals` is missing", help);
        }
        if settings.test_normals.is_none() && settings.anomalies.is_empty() && !draws_test {
            field.refuse("`data.folder` names no test images", help);
        }
        if let (Some(name), true) = (&settings.test_normals, draws_test) {
            let message = format!("`data.folder.test_normals` is \"{name}\", but data.test_normals_share is also set");
            let help = "set only one: name the normal test images, or draw a share of the normals";
            reader.refuse("test_normals", message, help);
        }
        settings.refuse_repeated(&reader);
        Some(settings)
    }

    /// Refuses a folder that has two roles.
    fn refuse_repeated(&self, reader: &Reader<'_>) {
        let single = [("normals", Some(&self.normals)), ("validation", self.validation.as_ref())];
        let single = single.into_iter().chain([("test_normals", self.test_normals.as_ref())]);
        let mut named: Vec<(&str, &String)> = single.filter_map(|(key, name)| Some((key, name?))).collect();
        for (key, names) in [("anomalies", &self.anomalies), ("masks", &self.masks)] {
            named.extend(names.iter().map(|name| (key, name)));
        }
        for (index, (key, name)) in named.iter().enumerate().filter(|(_, (_, name))| !name.is_empty()) {
            let Some((other, _)) = named[..index].iter().find(|(_, before)| before == name) else { continue };
            if *key == "masks" && *other != "masks" {
                let message = format!("`data.folder.masks` is \"{name}\", which data.folder.{other} also names");
                let help = "expected a folder that holds only masks, or a pattern such as \"*_mask.png\": otherwise masks would count as \
                            images";
                reader.refuse(key, message, help);
            } else {
                let message = format!("`data.folder.{key}` is \"{name}\", which data.folder.{other} also names");
                reader.refuse(key, message, "expected another folder: an image cannot be both");
            }
        }
    }
}

/// Describes valid paths of a folder.
const EXPECTED_PATH: &str = "expected a relative path below the category, without \"..\"";

/// Reads one path or a list of paths, in their shortest spelling.
fn paths(field: Field<'_>) -> Vec<String> {
    let either = || ValueKind::Either(vec![ValueKind::Text, ValueKind::List(Box::new(ValueKind::Text))]);
    field.describe(either, DefaultValue::Absent);
    if !matches!(field.given(), Some(Value::List(_))) {
        return path(field).into_iter().collect();
    }
    let paths = field.texts().unwrap_or_default();
    for (index, path) in paths.iter().enumerate() {
        if let Some(help) = path_error(path) {
            field.refuse_item(index, format!("`{}` has \"{path}\"", field.name()), help);
        }
    }
    paths.iter().map(|path| shortest(path)).collect()
}

/// Reads one path, in its shortest spelling.
fn path(field: Field<'_>) -> Option<String> {
    let path = field.text()?;
    if let Some(help) = path_error(&path) {
        field.refuse(format!("`{}` is \"{path}\"", field.name()), help);
    }
    Some(shortest(&path))
}

/// Returns the help for a path that is neither a folder nor a pattern below a category.
fn path_error(path: &str) -> Option<String> {
    let below = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if path.is_empty() || !Path::new(path).components().all(below) {
        return Some(EXPECTED_PATH.to_owned());
    }
    let error = glob::Pattern::new(path).err().filter(|_| has_signs(path))?;
    Some(format!("{}: expected a pattern such as \"train/*.jpg\"", error.msg))
}
