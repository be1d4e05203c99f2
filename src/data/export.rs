//! The drawn set as folders.

use std::path::Path;

use rayon::prelude::*;

use super::sample::ImageSource;
use super::{DataError, Sample, SyntheticSettings, synthetic};

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
}
