//! Writes the drawn set to folders.

use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageFormat};
use rayon::prelude::*;

use super::drawn_set::{self, StandIn};
use super::layout::Parts;
use super::sample::ImageSource;
use super::{Sample, SyntheticSettings};
use crate::outputs::{AtomicFile, OutputError};

/// Writes the drawn set below `root` in MVTec's layout and returns the number of images. Existing files with the same content stay as they
/// are.
///
/// # Errors
/// Fails if different files with these names exist; nothing is written then. Fails also if a folder cannot be written.
pub fn write_synthetic(settings: &SyntheticSettings, root: &Path) -> Result<usize, OutputError> {
    write(&drawn_set::categories(settings), root)
}

/// Writes drawn stand-ins of the given categories, in MVTec's layout and with images of `side` × `side` pixels, and returns the number of
/// images. Existing files with the same content stay as they are.
///
/// # Errors
/// As [`write_synthetic`].
pub fn write_stand_ins(seed: u64, side: usize, wanted: Vec<StandIn>, root: &Path) -> Result<usize, OutputError> {
    write(&drawn_set::stand_ins(seed, side, wanted), root)
}

fn write(categories: &[Parts], root: &Path) -> Result<usize, OutputError> {
    let samples: Vec<(&str, &Sample)> = categories
        .iter()
        .flat_map(|category| category.train.iter().chain(&category.test).map(|sample| (category.name.as_str(), sample)))
        .collect();
    let occupied = samples.par_iter().flat_map_iter(|(category, sample)| occupied(root, category, sample));
    let files: Vec<String> = occupied.collect();
    if !files.is_empty() {
        return Err(OutputError::Occupied { folder: root.to_owned(), files });
    }
    samples.par_iter().try_for_each(|(category, sample)| {
        pictures(category, sample).into_iter().try_for_each(|picture| {
            let path = root.join(&picture.path);
            if exists(&path) { Ok(()) } else { picture.write(&path) }.map_err(|error| OutputError::write(&path, error))
        })
    })?;
    Ok(samples.len())
}

/// Returns the paths below `root` that hold something other than the sample's image and mask.
fn occupied(root: &Path, category: &str, sample: &Sample) -> Vec<String> {
    if !paths(category, sample).iter().any(|path| exists(&root.join(path))) {
        return Vec::new();
    }
    let is_other = |picture: &Picture| {
        let path = root.join(&picture.path);
        let equal = || Some(std::fs::read(&path).ok()? == picture.encoded().ok()?);
        exists(&path) && equal() != Some(true)
    };
    let pictures = pictures(category, sample);
    let others = pictures.iter().filter(|picture| is_other(picture));
    others.map(|picture| picture.path.display().to_string()).collect()
}

fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

/// Returns the paths of the image and, for a defective sample, of its mask.
fn paths(category: &str, sample: &Sample) -> Vec<PathBuf> {
    let folder = Path::new(category);
    let mask = sample.defect.as_ref().map(|defect| {
        let stem = Path::new(&sample.image).file_stem().unwrap_or_default().to_string_lossy();
        folder.join("ground_truth").join(defect).join(format!("{stem}_mask.png"))
    });
    std::iter::once(folder.join(&sample.image)).chain(mask).collect()
}

/// An image or a mask.
struct Picture {
    path: PathBuf,
    side: usize,
    colour: ExtendedColorType,
    pixels: Vec<u8>,
}

/// Returns the image and mask for [`paths`], in the same order.
fn pictures(category: &str, sample: &Sample) -> Vec<Picture> {
    let ImageSource::Drawn(drawing) = &sample.source else { return Vec::new() };
    let drawn = drawing.draw();
    let grey = drawn.mask.pixels.iter().map(|&p| if p { 255 } else { 0 }).collect();
    let contents = [
        (drawn.picture.width, ExtendedColorType::Rgb8, drawn.picture.rgb),
        (drawn.mask.width, ExtendedColorType::L8, grey),
    ];
    let picture = |(path, (side, colour, pixels))| Picture { path, side, colour, pixels };
    paths(category, sample).into_iter().zip(contents).map(picture).collect()
}

impl Picture {
    fn encoded(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Cursor::new(Vec::new());
        let side = self.side as u32;
        image::write_buffer_with_format(&mut bytes, &self.pixels, side, side, self.colour, ImageFormat::Png)
            .map_err(io::Error::other)?;
        Ok(bytes.into_inner())
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        let mut file = AtomicFile::create(path)?;
        file.write_all(&self.encoded()?)?;
        file.seal()?.publish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DataSettings, Dataset, Layout, Reading};

    #[test]
    fn the_set_on_disk_is_the_drawn_set() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let drawn = SyntheticSettings { seed: 3, side: 48, train: 3, test_good: 2, test_per_defect: 1 };
        assert_eq!(write_synthetic(&drawn, root.path()).expect("written"), 3 * (3 + 2 + 3));
        let settings =
            |layout| DataSettings { synthetic: Some(drawn.clone()), ..DataSettings::at(root.path(), Some(layout)) };
        let reading = Reading::default();
        let disk = Dataset::open(&settings(Layout::Mvtec)).expect("opens");
        let memory = Dataset::open(&settings(Layout::Synthetic)).expect("opens");
        for (disk, memory) in disk.categories().iter().zip(memory.categories()) {
            assert_eq!(disk.name, memory.name);
            for (a, b) in disk.train.iter().chain(&disk.test).zip(memory.train.iter().chain(&memory.test)) {
                assert_eq!((&a.image, &a.defect), (&b.image, &b.defect));
                assert_eq!(a.load(48, reading).expect("reads"), b.load(48, reading).expect("draws"));
                assert_eq!(a.load_mask(48, reading).expect("reads"), b.load_mask(48, reading).expect("draws"));
            }
        }
    }

    #[test]
    fn stand_ins_have_the_wanted_names_counts_and_images_of_their_own() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let names = ["bottle", "cable", "capsule", "carpet"];
        let wanted: Vec<StandIn> = names
            .into_iter()
            .map(|name| StandIn { name: name.to_owned(), train: 3, test_good: 2, test_defect: 4 })
            .collect();
        assert_eq!(write_stand_ins(0, 32, wanted, root.path()).expect("written"), 4 * 9);
        let set = Dataset::open(&DataSettings::at(root.path(), Some(Layout::Mvtec))).expect("opens");
        for (category, name) in set.categories().iter().zip(names) {
            let per_kind = |kind: &str| category.test.iter().filter(|s| s.defect.as_deref() == Some(kind)).count();
            let kinds: std::collections::BTreeSet<&str> =
                category.test.iter().filter_map(|s| s.defect.as_deref()).collect();
            let mut defects: Vec<usize> = kinds.into_iter().map(per_kind).collect();
            defects.sort_unstable();
            assert_eq!((category.name.as_str(), category.train.len(), defects), (name, 3, vec![1, 1, 2]));
        }
        // Both draw grain, from seeds of their own.
        let first = |name: &str| std::fs::read(root.path().join(name).join("train/good/000.png")).expect("written");
        assert_ne!(first("bottle"), first("carpet"));
    }

    #[test]
    fn equal_files_are_kept_and_different_files_are_refused_before_anything_is_written() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let drawn = |seed| SyntheticSettings { seed, side: 32, train: 2, test_good: 1, test_per_defect: 1 };
        let foreign = root.path().join("weave/train/good/000.png");
        std::fs::create_dir_all(foreign.parent().expect("has a folder")).expect("created");
        std::fs::write(&foreign, "precious").expect("written");
        let error = write_synthetic(&drawn(0), root.path()).expect_err("occupied");
        assert!(error.to_string().contains("weave/train/good/000.png"), "{error}");
        assert_eq!(std::fs::read(&foreign).expect("readable"), b"precious");
        assert!(!root.path().join("grain").exists(), "nothing was written");

        std::fs::remove_file(&foreign).expect("removed");
        let count = write_synthetic(&drawn(0), root.path()).expect("written");
        assert_eq!(write_synthetic(&drawn(0), root.path()).expect("the same again"), count);
        // Other pictures would be mixed with the existing ones.
        assert!(matches!(write_synthetic(&drawn(1), root.path()), Err(OutputError::Occupied { .. })));
    }
}
