//! Reads images and writes pictures and scores, batch by batch.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::batch::BatchSizes;
use super::files::{map_png, overlay_png, range};
use super::names::{max_name_bytes, names};
use super::{
    FinishedRun, FoundImage, FoundImages, ImageVerdict, MapFile, PredictError, PredictedImage, Prediction,
    UnusableImage,
};
use crate::data::{Image, Picture, Reading, reserve_pixels};
use crate::evaluate::FinalMap;
use crate::outputs::{AtomicFile, MovedAside, OutputError, OutputFolder, OutputPlace};
use crate::report::MapScale;
use crate::tensor::Backend;
use crate::training::BATCH;

/// The signature of [`predict()`] on some device. The callback receives the number of finished images.
pub type Predict =
    fn(&FinishedRun, FoundImages, OutputPlace<'_>, &mut dyn FnMut(usize)) -> Result<PredictOutput, PredictError>;

/// Pictures of at most this many pixels are kept until their overlay is drawn; larger ones are decoded again.
const MAX_KEPT_PIXELS: usize = 8 << 20;

/// The prediction, and the folder that was moved aside for it.
pub type PredictOutput = (Prediction, Option<MovedAside>);

/// File that every call writes.
const SCORES: &str = "scores.json";

/// Writes map and overlay of every readable image, and then `scores.json`. Holds at most [`BATCH`] images in memory, and fewer
/// large ones. `scores.json` also lists pictures that could not be written.
///
/// # Errors
/// The folder cannot be written or contains foreign files of these names; both are checked before any computation.
/// [`PredictError::NoImage`] if no image is readable; then nothing is written. The weights cannot be used, the device fails, or the
/// scores cannot be written.
pub fn predict<B: Backend>(
    finished: &FinishedRun,
    found: FoundImages,
    place: OutputPlace<'_>,
    done: &mut dyn FnMut(usize),
) -> Result<PredictOutput, PredictError> {
    let FoundImages { images, mut unusable } = found;
    if images.is_empty() {
        return Err(PredictError::NoImage { unusable });
    }
    let names = names(&images, max_name_bytes(place.folder));
    let files: Vec<PathBuf> = names
        .iter()
        .flat_map(|name| [MAP_SUFFIX, OVERLAY_SUFFIX].map(|ending| file(name, ending)))
        .chain([SCORES.into()])
        .collect();
    let out = OutputFolder::open(place.folder, "prediction");
    let aside = out.make_room(&files, place.foreign)?;
    check_writable(place.folder)?;
    let mut predictor = finished.predictor::<B>()?;
    let sizes = BatchSizes::of(finished.features_test());
    let threshold = finished.calibrated.threshold;
    let reading = finished.reading();
    let (mut predicted, mut unwritten): (Vec<PredictedImage>, Vec<UnusableImage>) = (Vec::new(), Vec::new());
    for (number, chunk) in images.chunks(BATCH).enumerate() {
        let side = finished.image_size();
        let (mut pictures, mut prepared) = (Vec::new(), Vec::new());
        let opened: Vec<Result<(OpenedPicture, Image), UnusableImage>> =
            chunk.par_iter().map(|image| open(image, side, reading)).collect();
        for ((image, name), opened) in chunk.iter().zip(&names[number * BATCH..]).zip(opened) {
            match opened {
                Ok((picture, small)) => {
                    pictures.push((image, name, picture));
                    prepared.push(small);
                }
                Err(error) => unusable.push(error),
            }
        }
        let maps = sizes.maps(&mut predictor, &prepared)?;
        let written: Vec<(PredictedImage, Option<UnusableImage>)> = pictures
            .par_iter()
            .zip(maps)
            .map(|((image, name, opened), map)| write(image, name, opened, &map, threshold, reading, &out))
            .collect();
        for (image, failure) in written {
            predicted.push(image);
            unwritten.extend(failure);
        }
        done(number * BATCH + chunk.len());
    }
    if predicted.is_empty() {
        return Err(PredictError::NoImage { unusable });
    }
    let prediction = Prediction {
        run: finished.run.id.clone(),
        category: finished.run.category.clone(),
        variant: finished.run.variant.clone(),
        seed: finished.run.seed,
        epoch: finished.epoch,
        image_size: finished.image_size(),
        rule: finished.evaluate.evaluate.rule(),
        threshold_quantile: finished.evaluate.evaluate.threshold_quantile,
        threshold,
        images: predicted,
        unreadable: unusable,
        unwritten,
    };
    let text = serde_json::to_vec_pretty(&prediction);
    out.write(SCORES.as_ref(), &text.map_err(|error| OutputError::write(&place.folder.join(SCORES), error.into()))?)?;
    Ok((prediction, aside))
}

/// A picture, kept until its overlay is drawn.
struct OpenedPicture {
    width: usize,
    height: usize,
    /// Pixels; `None` if the picture is too large to keep.
    picture: Option<Picture>,
}

/// Reads a picture; returns it with the image of the network's input size.
fn open(image: &FoundImage, side: usize, reading: Reading) -> Result<(OpenedPicture, Image), UnusableImage> {
    let picture = Picture::open(&image.path, reading)
        .map_err(|error| UnusableImage { image: image.path.display().to_string(), reason: error.to_string() })?;
    let small = picture.resized(side);
    let (width, height) = (picture.width, picture.height);
    Ok((OpenedPicture { width, height, picture: (width * height <= MAX_KEPT_PIXELS).then_some(picture) }, small))
}

/// Writes the pictures of an image. Returns a failure together with the score.
fn write(
    image: &FoundImage,
    name: &Path,
    opened: &OpenedPicture,
    map: &FinalMap,
    threshold: Option<f64>,
    reading: Reading,
    out: &OutputFolder,
) -> (PredictedImage, Option<UnusableImage>) {
    let range = range(map);
    let scale = MapScale::of(threshold, range.1);
    let save = |ending: &str, png: Result<Vec<u8>, image::ImageError>| -> Result<String, OutputError> {
        let file = file(name, ending);
        out.write(&file, &png.map_err(|error| OutputError::write(&file, std::io::Error::other(error)))?)?;
        Ok(file.to_string_lossy().replace('\\', "/"))
    };
    let unusable_image = |error: &dyn std::fmt::Display| UnusableImage {
        image: image.path.display().to_string(),
        reason: error.to_string(),
    };
    let draw_overlay = || -> Result<String, UnusableImage> {
        let picture = match &opened.picture {
            Some(picture) => Cow::Borrowed(picture),
            None => Cow::Owned(Picture::open(&image.path, reading).map_err(|error| unusable_image(&error))?),
        };
        let _reserved = reserve_pixels((picture.width * picture.height) as u64);
        save(OVERLAY_SUFFIX, overlay_png(&picture, map, scale)).map_err(|error| unusable_image(&error))
    };
    let grey = save(MAP_SUFFIX, map_png(map, range)).map_err(|error| unusable_image(&error));
    let overlay = draw_overlay();
    let failure = grey.as_ref().err().or(overlay.as_ref().err()).cloned();
    let score = f64::from(map.score);
    let predicted = PredictedImage {
        image: image.path.to_string_lossy().into_owned(),
        width: opened.width,
        height: opened.height,
        score,
        verdict: threshold.map(|threshold| ImageVerdict::of(score, threshold)),
        map: grey.ok().map(|file| MapFile { file, minimum: range.0, maximum: range.1 }),
        overlay: overlay.ok(),
        brightest: scale.brightest,
    };
    (predicted, failure)
}

/// Suffixes of the files that are written per image.
const MAP_SUFFIX: &str = "-map.png";
const OVERLAY_SUFFIX: &str = "-overlay.png";

fn file(name: &Path, ending: &str) -> PathBuf {
    // `with_extension` would replace what follows a dot in the name.
    let mut file = name.as_os_str().to_owned();
    file.push(ending);
    PathBuf::from(file)
}

/// Creates the folder and checks that a file can be written there. A failure after hours of work would be too late.
fn check_writable(out: &Path) -> Result<(), OutputError> {
    std::fs::create_dir_all(out)
        .and_then(|()| AtomicFile::create(&out.join(SCORES)).map(drop))
        .map_err(|error| OutputError::write(out, error))
}
