//! Writes drawn images to folders.

use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageFormat};
use rayon::prelude::*;

use super::drawn_set::{self, StandIn};
use super::layout::Parts;
use super::sample::ImageSource;
use super::{Drawing, Sample, SyntheticSettings, ad2_stand_ins};
use crate::outputs::{AtomicFile, OutputError};

/// Writes the drawn set below `root` in MVTec's layout and returns the number of images. Existing files with the same content stay as they
/// are.
///
/// # Errors
/// Fails if different files with these names exist; nothing is written then. Fails also if a folder cannot be written.
pub fn write_synthetic(settings: &SyntheticSettings, root: &Path) -> Result<usize, OutputError> {
    write(&files_of(&drawn_set::categories(settings)), root)
}

/// Writes drawn stand-ins of the given categories, in MVTec's layout and with images of `side` × `side` pixels, and returns the number of
/// images. Existing files with the same content stay as they are.
///
/// # Errors
/// As [`write_synthetic`].
pub fn write_stand_ins(seed: u64, side: usize, wanted: Vec<StandIn>, root: &Path) -> Result<usize, OutputError> {
    write(&files_of(&drawn_set::stand_ins(seed, side, wanted)), root)
}

/// Writes drawn stand-ins of all objects of MVTec AD 2 in its arrangement, with a share of their images, and returns the number of images.
/// Existing files with the same content stay as they are.
///
/// # Errors
/// As [`write_synthetic`].
pub fn write_ad2_stand_ins(seed: u64, side: usize, share: f64, root: &Path) -> Result<usize, OutputError> {
    write(&ad2_stand_ins::files(seed, side, share), root)
}

/// An image to draw, and where it goes below the root.
pub(super) struct DrawnFile {
    /// Place of the image.
    pub image: PathBuf,
    /// Place of its mask, if it has one.
    pub mask: Option<PathBuf>,
    /// What it shows.
    pub drawing: Drawing,
    /// Factor of all brightness values.
    pub gain: f32,
}

/// Returns the files of categories in MVTec's layout.
fn files_of(categories: &[Parts]) -> Vec<DrawnFile> {
    let file = |category: &str, sample: &Sample| {
        let ImageSource::Drawn(drawing) = &sample.source else { return None };
        let folder = Path::new(category);
        let mask = sample.defect.as_ref().map(|defect| {
            let stem = Path::new(&sample.image).file_stem().unwrap_or_default().to_string_lossy();
            folder.join("ground_truth").join(defect).join(format!("{stem}_mask.png"))
        });
        Some(DrawnFile { image: folder.join(&sample.image), mask, drawing: drawing.clone(), gain: 1.0 })
    };
    let samples = |parts: &'_ Parts| -> Vec<DrawnFile> {
        parts.train.iter().chain(&parts.test).filter_map(|sample| file(&parts.name, sample)).collect()
    };
    categories.iter().flat_map(samples).collect()
}

fn write(files: &[DrawnFile], root: &Path) -> Result<usize, OutputError> {
    let occupied: Vec<String> = files.par_iter().flat_map_iter(|file| occupied(root, file)).collect();
    if !occupied.is_empty() {
        return Err(OutputError::Occupied { folder: root.to_owned(), files: occupied });
    }
    files.par_iter().try_for_each(|file| {
        file.pictures().into_iter().try_for_each(|picture| {
            let path = root.join(&picture.path);
            if exists(&path) { Ok(()) } else { picture.write(&path) }.map_err(|error| OutputError::write(&path, error))
        })
    })?;
    Ok(files.len())
}

/// Returns the paths below `root` that hold something other than the image and its mask.
fn occupied(root: &Path, file: &DrawnFile) -> Vec<String> {
    if !file.paths().any(|path| exists(&root.join(path))) {
        return Vec::new();
    }
    let is_other = |picture: &Picture| {
        let path = root.join(&picture.path);
        let equal = || Some(std::fs::read(&path).ok()? == picture.encoded().ok()?);
        exists(&path) && equal() != Some(true)
    };
    let pictures = file.pictures();
    let others = pictures.iter().filter(|picture| is_other(picture));
    others.map(|picture| picture.path.display().to_string()).collect()
}

fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

/// An image or a mask.
struct Picture {
    path: PathBuf,
    side: usize,
    colour: ExtendedColorType,
    pixels: Vec<u8>,
}

impl DrawnFile {
    /// Returns the places of the image and of its mask.
    fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.image).chain(&self.mask)
    }

    /// Draws the image and its mask.
    fn pictures(&self) -> Vec<Picture> {
        let drawn = self.drawing.draw();
        let lit = |value: u8| (f32::from(value) * self.gain).round().clamp(0.0, 255.0) as u8;
        let rgb = drawn.picture.rgb.into_iter().map(lit).collect();
        let grey = drawn.mask.pixels.iter().map(|&p| if p { 255 } else { 0 }).collect();
        let contents =
            [(drawn.picture.width, ExtendedColorType::Rgb8, rgb), (drawn.mask.width, ExtendedColorType::L8, grey)];
        let picture =
            |(path, (side, colour, pixels)): (&PathBuf, _)| Picture { path: path.clone(), side, colour, pixels };
        self.paths().zip(contents).map(picture).collect()
    }
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
    fn stand_ins_of_ad_2_have_its_arrangement_and_lightings() {
        let root = tempfile::tempdir().expect("a temporary folder");
        // 3 + 1 training images, 2 · 4 public ones, and 2 · 2 private ones.
        let images = write_ad2_stand_ins(0, 32, 0.05, root.path()).expect("written");
        assert_eq!(images, 8 * (3 + 1 + 8 + 4));
        let set = Dataset::open(&DataSettings::at(root.path(), None)).expect("opens");
        assert_eq!(set.layout(), Layout::MvtecAd2);
        let names: Vec<&str> = set.categories().iter().map(|category| category.name.as_str()).collect();
        assert_eq!(names, ad2_stand_ins::AD2_OBJECTS);
        let can = set.category("can").expect("is there");
        assert_eq!((can.train.len(), can.validation, can.test.len()), (4, 1, 8));
        let lighting: std::collections::BTreeSet<&str> = can.test.iter().filter_map(Sample::lighting).collect();
        assert_eq!(lighting.into_iter().collect::<Vec<_>>(), ["overexposed", "regular", "shift_1", "underexposed"]);
        let bright = |name: &str| {
            let sample = can.test.iter().find(|sample| sample.image == name).expect(name);
            let rgb = sample.load(32, Reading::default()).expect("reads").rgb;
            rgb.iter().map(|&value| u64::from(value)).sum::<u64>()
        };
        assert!(bright("test_public/bad/000_overexposed.png") > bright("test_public/bad/000_regular.png"));
        assert!(can.test.iter().all(|sample| sample.defect.is_none() == sample.masks.is_empty()));
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
