//! Writes the maps of one object's private images.

use std::io::Write;
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageEncoder};
use rayon::prelude::*;

use super::float16;
use super::places::{Split, map_place, private_images, stem, thresholded_place};
use crate::data::{Image, Picture};
use crate::evaluate::{FinalMap, resize_bilinear};
use crate::outputs::{AtomicFile, MovedAside, OutputError, OutputFolder, OutputPlace, SealedFile};
use crate::predict::batch::BatchSizes;
use crate::predict::{FinishedRun, PredictError};
use crate::tensor::Backend;
use crate::training::BATCH;

/// The signature of [`submit()`] on some device. The callback receives the number of finished images and of all images.
pub type Submit =
    fn(&FinishedRun, &Path, OutputPlace<'_>, &mut dyn FnMut(usize, usize)) -> Result<Option<MovedAside>, PredictError>;

/// Writes map and cut map of every private image of the run's object, at the image's size. Holds at most [`BATCH`] pictures of the network's
/// size in memory, and one full map per thread.
///
/// Returns files that were moved aside for them.
///
/// # Errors
/// The run has no threshold for pixels, or an image cannot be read. Also if the folder has foreign files of these names, or a file cannot be
/// written.
pub fn submit<B: Backend>(
    finished: &FinishedRun,
    root: &Path,
    place: OutputPlace<'_>,
    done: &mut dyn FnMut(usize, usize),
) -> Result<Option<MovedAside>, PredictError> {
    let object = finished.run.category.as_str();
    let threshold = finished.pixel_threshold()?;
    let mut images: Vec<(Split, PathBuf)> = Vec::new();
    for split in Split::ALL {
        images.extend(private_images(root, object, split)?.into_iter().map(|path| (split, path)));
    }
    let files = images.iter().flat_map(|(split, path)| places(object, *split, path));
    let out = OutputFolder::open(place.folder, "submission");
    let aside = out.make_room(&files.collect::<Vec<_>>(), place.foreign)?;
    let mut predictor = finished.predictor::<B>()?;
    let sizes = BatchSizes::of(finished.features_test());
    let (side, reading) = (finished.image_size(), finished.reading());
    let cut = Cut { threshold, scale: scale(threshold) };
    for (number, chunk) in images.chunks(BATCH).enumerate() {
        let open = |(_, path): &(Split, PathBuf)| -> Result<((usize, usize), Image), PredictError> {
            let picture = Picture::open(path, reading)?;
            Ok(((picture.width, picture.height), picture.resized(side)))
        };
        let opened: Vec<((usize, usize), Image)> = chunk.par_iter().map(open).collect::<Result<_, _>>()?;
        let (shapes, prepared): (Vec<(usize, usize)>, Vec<Image>) = opened.into_iter().unzip();
        let maps = sizes.maps(&mut predictor, &prepared)?;
        let written: Vec<[(PathBuf, SealedFile); 2]> = chunk
            .par_iter()
            .zip(maps)
            .zip(shapes)
            .map(|(((split, path), map), shape)| cut.write(place.folder, places(object, *split, path), &map, shape))
            .collect::<Result<_, OutputError>>()?;
        out.publish(written.into_iter().flatten().collect())?;
        done(number * BATCH + chunk.len(), images.len());
    }
    Ok(aside)
}

/// Returns the places of an image's map and of its cut map.
fn places(object: &str, split: Split, image: &Path) -> [PathBuf; 2] {
    let stem = stem(image);
    [map_place(object, split, &stem), thresholded_place(object, split, &stem)]
}

/// How the maps of an object are written.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// Value above which a pixel is called defective.
    threshold: f64,
    /// Factor of all values of the object.
    scale: f32,
}

impl Cut {
    /// Writes the map and the cut map of an image under temporary names.
    fn write(
        self,
        folder: &Path,
        [map_place, cut_place]: [PathBuf; 2],
        map: &FinalMap,
        (width, height): (usize, usize),
    ) -> Result<[(PathBuf, SealedFile); 2], OutputError> {
        let values = resize_bilinear(&map.values, map.side, map.side, height, width);
        let failed = |place: &Path| {
            let path = folder.join(place);
            move |error: std::io::Error| OutputError::write(&path, error)
        };
        let tiff = float16::encode(width, height, values.iter().map(|value| value * self.scale));
        let tiff = tiff.map_err(std::io::Error::other).map_err(failed(&map_place))?;
        let grey: Vec<u8> =
            values.iter().map(|value| if f64::from(*value) > self.threshold { 255 } else { 0 }).collect();
        let mut png = Vec::new();
        image::codecs::png::PngEncoder::new(&mut png)
            .write_image(&grey, width as u32, height as u32, ExtendedColorType::L8)
            .map_err(std::io::Error::other)
            .map_err(failed(&cut_place))?;
        let sealed = |place: PathBuf, bytes: &[u8]| -> Result<(PathBuf, SealedFile), OutputError> {
            let path = folder.join(&place);
            let sealed = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| {
                let mut file = AtomicFile::create(&path)?;
                file.write_all(bytes)?;
                file.seal()
            });
            Ok((place.clone(), sealed.map_err(failed(&place))?))
        };
        Ok([sealed(map_place, &tiff)?, sealed(cut_place, &png)?])
    }
}

/// Returns the power of two that brings the threshold between 1 and 2.
///
/// Products of distances are often smaller than the smallest 16-bit float. One factor for all maps of an object keeps their order, and a
/// power of two rounds nothing. The range then reaches from a millionth of the threshold to 30,000 times the threshold.
fn scale(threshold: f64) -> f32 {
    match threshold > 0.0 {
        true => (-threshold.log2().floor()).exp2() as f32,
        // A map of differences from a mean has values around 0.
        false => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_comes_between_1_and_2() {
        for threshold in [3e-12, 0.7, 1.0, 1.999, 2.0, 5e4] {
            let scaled = threshold * f64::from(scale(threshold));
            assert!((1.0..2.0).contains(&scaled), "{threshold}: {scaled}");
        }
        assert_eq!((scale(0.0), scale(-3.0)), (1.0, 1.0));
    }

    #[test]
    fn a_map_is_enlarged_scaled_and_cut_strictly_above_the_threshold() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let map = FinalMap { side: 2, values: vec![0.25, 0.5, 0.25, 0.75], score: 0.75 };
        let cut = Cut { threshold: 0.5, scale: scale(0.5) };
        let places = [PathBuf::from("a/m.tiff"), PathBuf::from("b/m.png")];
        let written = cut.write(folder.path(), places, &map, (2, 2)).expect("written");
        for (_, sealed) in written {
            sealed.publish().expect("published");
        }
        let tiff = std::fs::File::open(folder.path().join("a/m.tiff")).expect("is there");
        let values = float16::decode(tiff).expect("decodes").values.expect("16-bit floats");
        assert_eq!(values.into_iter().map(f32::from).collect::<Vec<_>>(), [0.5, 1.0, 0.5, 1.5]);
        let png = image::open(folder.path().join("b/m.png")).expect("decodes");
        assert_eq!(png.as_luma8().expect("one channel of 8 bits").as_raw(), &[0, 0, 0, 255]);
    }
}
