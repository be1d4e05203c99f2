//! What must never be: one file as two things, a mask as an image, one mask for two images.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::listing::{composed, file_stem, place};
use super::masks::without_word;
use super::{Parts, places};
use crate::data::sample::ImageSource;
use crate::data::{DataError, FolderSettings, Sample};

/// Refuses names of one folder, however they are spelled and linked.
pub(super) fn folders(category: &Path, settings: &FolderSettings) -> Result<(), DataError> {
    let mut known: Vec<(PathBuf, &str)> = Vec::new();
    for name in settings.all() {
        if places::is_pattern(category, name)? {
            continue;
        }
        // A folder that is not there is told elsewhere.
        let Ok(real) = place(category, name).canonicalize() else { continue };
        if let Some((_, other)) = known.iter().find(|(folder, _)| *folder == real) {
            let (one, other) = ((*other).to_owned(), name.to_owned());
            return Err(DataError::SameFolder { category: category.to_owned(), one, other });
        }
        known.push((real, name));
    }
    Ok(())
}

/// Refuses files that are two things. Where a table says what each file is, names are not looked at.
pub(super) fn files(parts: &Parts, by_names: bool) -> Result<(), DataError> {
    let mut real = Real::default();
    let mut images: HashMap<PathBuf, (&str, &Sample)> = HashMap::new();
    let groups = [
        ("a training image", &parts.train),
        ("a training image", &parts.pool),
        ("a validation image", &parts.validation),
        ("a test image", &parts.test),
    ];
    let same = |one: (&str, &str), other: (&str, &str)| DataError::SameFile {
        category: parts.name.clone(),
        one: one.0.to_owned(),
        one_is: one.1.to_owned(),
        other: other.0.to_owned(),
        other_is: other.1.to_owned(),
    };
    for (role, sample) in groups.into_iter().flat_map(|(role, samples)| samples.iter().map(move |s| (role, s))) {
        let ImageSource::File(path) = &sample.source else { continue };
        if let Some((known, other)) = images.insert(real.path(path), (role, sample))
            && (known != role || role == "a test image")
        {
            return Err(same((&other.image, known), (&sample.image, role)));
        }
    }
    let mut masks: HashMap<PathBuf, &Sample> = HashMap::new();
    for sample in &parts.test {
        for mask in &sample.masks {
            let path = real.path(mask);
            if let Some((role, image)) = images.get(&path) {
                return Err(same((&image.image, role), (&mask.display().to_string(), "a mask")));
            }
            if let Some(other) = masks.insert(path, sample).filter(|_| by_names) {
                let (one, other) = (other.image.clone(), sample.image.clone());
                return Err(DataError::SharedMask { mask: mask.clone(), category: parts.name.clone(), one, other });
            }
        }
    }
    if by_names { stems(parts) } else { Ok(()) }
}

/// Refuses images of one folder of which one may be the mask of the other.
fn stems(parts: &Parts) -> Result<(), DataError> {
    let mut known: HashMap<(PathBuf, String), &Sample> = HashMap::new();
    let samples: Vec<(&Sample, PathBuf, String)> = [&parts.train, &parts.pool, &parts.validation, &parts.test]
        .into_iter()
        .flatten()
        .map(|sample| {
            let path = Path::new(&sample.image);
            (sample, path.parent().unwrap_or(path).to_owned(), composed(&file_stem(path)))
        })
        .collect();
    let pair = |one: &Sample, other: &Sample| DataError::Pair {
        category: parts.name.clone(),
        one: one.image.clone(),
        other: other.image.clone(),
    };
    for (sample, folder, stem) in &samples {
        if let Some(other) = known.insert((folder.clone(), stem.clone()), sample) {
            return Err(pair(other, sample));
        }
    }
    for (sample, folder, stem) in &samples {
        let image = without_word(stem);
        if image != stem
            && let Some(other) = known.get(&(folder.clone(), image.to_owned()))
        {
            return Err(pair(other, sample));
        }
    }
    Ok(())
}

/// Paths without links, each folder resolved once.
#[derive(Debug, Default)]
struct Real(HashMap<PathBuf, PathBuf>);

impl Real {
    fn path(&mut self, path: &Path) -> PathBuf {
        let resolved = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) if !path.is_symlink() => {
                self.0.entry(folder.to_owned()).or_insert_with(|| resolved(folder)).join(name)
            }
            _ => resolved(path),
        }
    }
}
