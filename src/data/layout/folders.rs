//! The reader of every layout that is nothing but folders: normals, test normals, kinds of defects, masks.

use std::path::{Path, PathBuf};

use super::Parts;
use super::listing::{below, file_name, file_stem, folders, images};
use super::masks::MaskFolder;
use crate::data::sample::ImageSource;
use crate::data::{DataError, FolderSettings, Sample};

/// One category.
pub(super) fn read(category: &Path, places: &FolderSettings) -> Result<Parts, DataError> {
    let normal = |place: &Option<String>| match place {
        Some(place) => normals(category, place),
        None => Ok(Vec::new()),
    };
    let mut test = normal(&places.test_normals)?;
    for place in &places.anomalies {
        for (kind, folder) in kinds(category, place, places)? {
            let masks = match &places.masks {
                Some(masks) => MaskFolder::open(&category.join(masks).join(&kind.below))?,
                None => MaskFolder::default(),
            };
            for path in images(&folder)? {
                test.push(Sample {
                    image: below(category, &path),
                    defect: Some(kind.name.clone()),
                    masks: masks.of(&file_stem(&path))?,
                    source: ImageSource::File(path),
                });
            }
        }
    }
    // By folder, then by name: the order in which a listing finds them.
    test.sort_by(|a, b| Path::new(&a.image).cmp(Path::new(&b.image)));
    Ok(Parts {
        name: file_name(category),
        train_place: places.normals.clone(),
        train: normals(category, &places.normals)?,
        validation_place: places.validation.clone(),
        validation: normal(&places.validation)?,
        test,
    })
}

/// The normal images of a folder; none where it is missing.
fn normals(category: &Path, place: &str) -> Result<Vec<Sample>, DataError> {
    let folder = category.join(place);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let sample = |path: PathBuf| Sample {
        image: below(category, &path),
        defect: None,
        masks: Vec::new(),
        source: ImageSource::File(path),
    };
    Ok(images(&folder)?.into_iter().map(sample).collect())
}

/// A kind of defect.
struct Kind {
    name: String,
    /// Where its masks lie below the folder of masks.
    below: PathBuf,
}

/// The kinds in a folder of anomalies: its sub-folders, but for those that hold something else; a folder without any is one kind
/// itself.
fn kinds(category: &Path, place: &str, places: &FolderSettings) -> Result<Vec<(Kind, PathBuf)>, DataError> {
    let folder = category.join(place);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let others: Vec<PathBuf> = places.all().filter(|other| *other != place).map(|other| category.join(other)).collect();
    let inner = folders(&folder)?;
    if inner.is_empty() {
        return Ok(vec![(Kind { name: file_name(&folder), below: PathBuf::new() }, folder)]);
    }
    Ok(inner
        .into_iter()
        .filter(|path| others.iter().all(|other| !other.starts_with(path)))
        .map(|path| (Kind { name: file_name(&path), below: PathBuf::from(file_name(&path)) }, path))
        .collect())
}
