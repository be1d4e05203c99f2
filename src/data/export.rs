//! The drawn set as folders, and a look at any folder.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::sample::ImageSource;
use super::{Category, DataError, Sample, SyntheticSettings, mvtec, synthetic};

/// Writes the drawn set below `root` in MVTec's layout; returns the number of images.
pub fn write_synthetic(settings: &SyntheticSettings, root: &Path) -> Result<usize, DataError> {
    let categories = synthetic::categories(settings);
    let mut count = 0;
    for category in &categories {
        let samples: Vec<&Sample> = category.train.iter().chain(&category.test).collect();
        count += samples.len();
        samples.par_iter().try_for_each(|sample| write_sample(&root.join(&category.name), sample))?;
    }
    Ok(count)
}

fn write_sample(folder: &Path, sample: &Sample) -> Result<(), DataError> {
    let ImageSource::Drawn(drawing) = &sample.source else { return Ok(()) };
    let drawn = drawing.draw();
    write_png(&folder.join(&sample.image), &drawn.picture.rgb, drawn.picture.width, image::ExtendedColorType::Rgb8)?;
    if let Some(defect) = &sample.defect {
        let stem = Path::new(&sample.image).file_stem().unwrap_or_default().to_string_lossy();
        let path = folder.join("ground_truth").join(defect).join(format!("{stem}_mask.png"));
        let grey: Vec<u8> = drawn.mask.pixels.iter().map(|&p| if p { 255 } else { 0 }).collect();
        write_png(&path, &grey, drawn.mask.width, image::ExtendedColorType::L8)?;
    }
    Ok(())
}

fn write_png(path: &Path, pixels: &[u8], side: usize, colour: image::ExtendedColorType) -> Result<(), DataError> {
    let wrong = |source| DataError::Write { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(wrong)?;
    }
    image::save_buffer(path, pixels, side as u32, side as u32, colour)
        .map_err(|error| wrong(std::io::Error::other(error)))
}

/// What `data check` found in one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoryReport {
    /// Its name.
    pub name: String,
    /// Images in train/good.
    pub train: usize,
    /// Images per kind in test, `good` among them.
    pub test: Vec<(String, usize)>,
    /// Sizes of the images, width×height, with how many have it.
    pub sizes: Vec<(String, usize)>,
    /// Defective test images without a mask.
    pub missing_masks: Vec<String>,
    /// What cannot be read or does not fit, one message each.
    pub problems: Vec<String>,
}

/// What `data check` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataReport {
    /// Recognised layout.
    pub layout: &'static str,
    /// Where.
    pub root: PathBuf,
    /// One entry a category.
    pub categories: Vec<CategoryReport>,
}

impl DataReport {
    /// Whether every image and mask can be used.
    pub fn is_sound(&self) -> bool {
        self.categories.iter().all(|category| category.problems.is_empty())
    }
}

/// Opens every image and mask below `root`.
pub fn check(root: &Path) -> Result<DataReport, DataError> {
    let categories = mvtec::find(root)?.iter().map(check_category).collect();
    Ok(DataReport { layout: "mvtec", root: root.to_owned(), categories })
}

fn check_category(category: &Category) -> CategoryReport {
    let samples: Vec<&Sample> = category.train.iter().chain(&category.test).collect();
    let looks: Vec<_> = samples.par_iter().map(|sample| (sample.picture(), sample.load_mask(16))).collect();
    let mut report = CategoryReport {
        name: category.name.clone(),
        train: category.train.len(),
        test: Vec::new(),
        sizes: Vec::new(),
        missing_masks: Vec::new(),
        problems: Vec::new(),
    };
    if category.train.len() < 2 {
        report.problems.push(format!("train/good has {} image(s), needs at least 2", category.train.len()));
    }
    for (sample, (picture, mask)) in samples.iter().zip(looks) {
        match picture {
            Ok(picture) => count(&mut report.sizes, format!("{}×{}", picture.width, picture.height)),
            Err(error) => report.problems.push(error.to_string()),
        }
        match mask {
            Ok(None) if sample.defect.is_some() => report.missing_masks.push(sample.image.clone()),
            Ok(_) => {}
            // An unreadable image is already told.
            Err(DataError::Decode { path, .. }) if matches!(&sample.source, ImageSource::File(p) if *p == path) => {}
            Err(error) => report.problems.push(error.to_string()),
        }
    }
    for sample in &category.test {
        count(&mut report.test, sample.defect.clone().unwrap_or_else(|| "good".to_owned()));
    }
    report
}

fn count(counts: &mut Vec<(String, usize)>, name: String) {
    match counts.iter_mut().find(|(known, _)| *known == name) {
        Some((_, count)) => *count += 1,
        None => counts.push((name, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{CategorySelection, DataSettings, Dataset, Layout};

    #[test]
    fn the_set_on_disk_is_the_drawn_set() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let drawn = SyntheticSettings { seed: 3, side: 48, train: 3, test_good: 2, test_per_defect: 1 };
        assert_eq!(write_synthetic(&drawn, root.path()).expect("written"), 3 * (3 + 2 + 3));
        let settings = |layout| DataSettings {
            layout,
            root: Some(root.path().to_owned()),
            categories: CategorySelection::All,
            image_size: 48,
            split_seed: 0,
            synthetic: Some(drawn.clone()),
        };
        let disk = Dataset::open(&settings(Layout::Mvtec)).expect("opens");
        let memory = Dataset::open(&settings(Layout::Synthetic)).expect("opens");
        for (disk, memory) in disk.categories().iter().zip(memory.categories()) {
            assert_eq!(disk.name, memory.name);
            for (a, b) in disk.train.iter().chain(&disk.test).zip(memory.train.iter().chain(&memory.test)) {
                assert_eq!((&a.image, &a.defect), (&b.image, &b.defect));
                assert_eq!(a.load(48).expect("reads"), b.load(48).expect("draws"));
                assert_eq!(a.load_mask(48).expect("reads"), b.load_mask(48).expect("draws"));
            }
        }
        assert!(check(root.path()).expect("finds").is_sound());
    }

    #[test]
    fn a_check_names_every_problem() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let drawn = SyntheticSettings { seed: 3, side: 32, train: 3, test_good: 1, test_per_defect: 2 };
        write_synthetic(&drawn, root.path()).expect("written");
        std::fs::write(root.path().join("weave/train/good/001.png"), "torn").expect("written");
        std::fs::remove_file(root.path().join("weave/ground_truth/hole/000_mask.png")).expect("removed");
        image::GrayImage::new(7, 5).save(root.path().join("weave/ground_truth/stain/001_mask.png")).expect("written");
        let report = check(root.path()).expect("finds");
        let weave = report.categories.iter().find(|c| c.name == "weave").expect("is there");
        assert_eq!(weave.missing_masks, ["test/hole/000.png"]);
        assert_eq!(weave.problems.len(), 2, "{:?}", weave.problems);
        assert!(!report.is_sound());
    }
}
