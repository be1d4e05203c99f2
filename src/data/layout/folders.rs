//! Reads every layout that consists of folders only: normals, test normals, kinds of defects, masks.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::Parts;
use super::description::FolderNames;
use super::listing::{below, file_name, folders, images, is_folder, place};
use super::masks::Masks;
use super::patterns;
use crate::data::sample::ImageSource;
use crate::data::{DataError, FolderSettings, Sample};

/// Names of folders with normal images in some data set, lower case.
const NORMAL: [&str; 4] = ["good", "ok", "normal", "normals"];

/// Returns whether some data set gives this name to a folder of normal images.
pub(super) fn sounds_normal(name: &str) -> bool {
    NORMAL.contains(&name.to_lowercase().as_str())
}

impl From<&FolderNames> for FolderSettings {
    fn from(names: &FolderNames) -> Self {
        Self {
            normals: names.normals.to_owned(),
            validation: names.validation.map(str::to_owned),
            test_normals: Some(names.test_normals.to_owned()),
            anomalies: vec![names.anomalies.to_owned()],
            masks: vec![names.masks.to_owned()],
        }
    }
}

/// Reads one category.
pub(super) fn read(category: &Path, named: &FolderSettings) -> Result<Parts, DataError> {
    let no_image = Masked::open(category, named)?;
    let normals = |name: Option<&String>| -> Result<Vec<PathBuf>, DataError> {
        let files = name.map_or_else(|| Ok(Vec::new()), |name| patterns::images(category, name))?;
        Ok(files.into_iter().filter(|path| !no_image.has(path)).collect())
    };
    let train = normals(Some(&named.normals))?;
    let validation = normals(named.validation.as_ref())?;
    let test_normals = normals(named.test_normals.as_ref())?;
    let normal: HashSet<&PathBuf> = train.iter().chain(&validation).chain(&test_normals).collect();
    let sample = |path: &PathBuf| Sample {
        image: below(category, path),
        defect: None,
        masks: Vec::new(),
        mask_above: 0,
        source: ImageSource::File(path.clone()),
    };
    let mut test: Vec<Sample> = test_normals.iter().map(sample).collect();
    for name in &named.anomalies {
        for kind in kinds(category, name, named, &normal)? {
            let masks = Masks::open(category, &named.masks, &kind.name, &kind.below)?;
            for path in kind.images.iter().filter(|path| !no_image.has(path)) {
                test.push(Sample { defect: Some(kind.name.clone()), masks: masks.of(path)?, ..sample(path) });
            }
        }
    }
    // Sort by folder, then by name, as a listing does.
    test.sort_by(|a, b| Path::new(&a.image).cmp(Path::new(&b.image)));
    Ok(Parts {
        name: file_name(category),
        folder: Some(category.to_owned()),
        mask_folders: no_image.folders,
        train_place: named.normals.clone(),
        train: train.iter().map(sample).collect(),
        validation_place: named.validation.clone(),
        validation: validation.iter().map(sample).collect(),
        test,
        ..Parts::default()
    })
}

/// Masks, which are never read as images, even if another setting names them.
struct Masked {
    folders: Vec<PathBuf>,
    files: HashSet<PathBuf>,
}

impl Masked {
    fn open(category: &Path, named: &FolderSettings) -> Result<Self, DataError> {
        let mut masked = Self { folders: Vec::new(), files: HashSet::new() };
        for name in &named.masks {
            match patterns::is_pattern(category, name)? {
                true => masked.files.extend(patterns::images(category, name)?),
                false => masked.folders.push(place(category, name)),
            }
        }
        Ok(masked)
    }

    fn has(&self, path: &Path) -> bool {
        self.files.contains(path) || self.folders.iter().any(|folder| path.starts_with(folder))
    }
}

/// A kind of defect.
struct Kind {
    name: String,
    /// Path of its images below the folder of anomalies.
    below: String,
    images: Vec<PathBuf>,
}

/// Returns the kinds in a folder of anomalies. Each sub-folder is one kind, except those that hold something else. A folder without
/// sub-folders is one kind itself. A pattern of folders yields the files that are not normal images.
fn kinds(
    category: &Path,
    name: &str,
    named: &FolderSettings,
    normal: &HashSet<&PathBuf>,
) -> Result<Vec<Kind>, DataError> {
    if patterns::is_pattern(category, name)? {
        let mut kinds: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        // A pattern of folders may match a folder of normals, as sub-folders may. A pattern of files in one folder may not.
        let left_out = |path: &PathBuf| patterns::is_of_folders(name) && normal.contains(path);
        for path in patterns::images(category, name)?.into_iter().filter(|path| !left_out(path)) {
            kinds.entry(patterns::kind(category, name, &path)).or_default().push(path);
        }
        if let Some(folder) = kinds.keys().find(|kind| sounds_normal(kind)) {
            return Err(normal_kind(category.join(folder), named));
        }
        return Ok(kinds.into_iter().map(|(name, images)| Kind { name, below: String::new(), images }).collect());
    }
    let folder = place(category, name);
    if !is_folder(&folder)? {
        return Ok(Vec::new());
    }
    let others: Vec<PathBuf> = named.all().filter(|other| *other != name).map(|other| place(category, other)).collect();
    let inner = folders(&folder)?;
    let with_images = |path: &PathBuf| Ok::<_, DataError>(!images(path)?.is_empty());
    if inner.is_empty() {
        let name = patterns::last(category, name);
        return Ok(vec![Kind { images: images(&folder)?, name, below: String::new() }]);
    }
    let mut kinds = Vec::new();
    for path in inner.into_iter().filter(|path| others.iter().all(|other| !other.starts_with(path))) {
        let name = file_name(&path);
        if sounds_normal(&name) && with_images(&path)? {
            return Err(normal_kind(path, named));
        }
        kinds.push(Kind { images: images(&path)?, below: name.clone(), name });
    }
    Ok(kinds)
}

fn normal_kind(folder: PathBuf, named: &FolderSettings) -> DataError {
    let expected = named.test_normals.clone().unwrap_or_else(|| "the folder of data.folder.test_normals".to_owned());
    DataError::NormalKind { folder, expected }
}
