//! Images in, pictures and scores out, a batch at a time.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::batch::BatchSizes;
use super::files::{map_png, overlay_png, range};
use super::names::{longest_name, names};
use super::{BadImage, Finished, Found, Located, MapFile, PredictError, Predicted, Prediction, Verdict};
use crate::data::{Image, Picture, Reading, room_for};
use crate::evaluate::FinalMap;
use crate::outputs::{Aside, OutputError, OutputFolder, Place, WholeFile};
use crate::report::brightest;
use crate::tensor::Backend;
use crate::training::BATCH;

/// What predicts: [`predict()`] on some device. Told are the images that are done.
pub type Predict = fn(&Finished, Found, Place<'_>, &mut dyn FnMut(usize)) -> Result<Made, PredictError>;

/// Images of at most so many pixels are kept until their overlay is drawn; larger ones are decoded again.
const KEPT: usize = 8 << 20;

/// What was predicted, and what had to make room for it.
pub type Made = (Prediction, Option<Aside>);

/// What every call writes.
const SCORES: &str = "scores.json";

/// Writes map and overlay of every image that can be read, and then `scores.json`. Of the images no more than [`BATCH`] are in memory at
/// once, and of large ones fewer. A picture that cannot be written is told in `scores.json`, too.
///
/// # Errors
/// A folder that cannot be written, or where other files have these names, before anything is computed; [`PredictError::NoImage`], and
/// then nothing is written; what the weights or the device say; scores that cannot be written.
pub fn predict<B: Backend>(
    finished: &Finished,
    found: Found,
    place: Place<'_>,
    done: &mut dyn FnMut(usize),
) -> Result<Made, PredictError> {
    let Found { images, mut bad } = found;
    if images.is_empty() {
        return Err(PredictError::NoImage { bad });
    }
    let names = names(&images, longest_name(place.folder));
    let files: Vec<PathBuf> =
        names.iter().flat_map(|name| [MAP, OVERLAY].map(|ending| file(name, ending))).chain([SCORES.into()]).collect();
    let out = OutputFolder::open(place.folder, "prediction");
    let aside = out.make_room(&files, place.foreign)?;
    check_writable(place.folder)?;
    let mut predictor = finished.predictor::<B>()?;
    let sizes = BatchSizes::of(finished.features_test());
    let threshold = finished.calibrated.threshold;
    let reading = finished.reading();
    let (mut predicted, mut lost): (Vec<Predicted>, Vec<BadImage>) = (Vec::new(), Vec::new());
    for (number, chunk) in images.chunks(BATCH).enumerate() {
        let side = finished.image_size();
        let (mut pictures, mut prepared) = (Vec::new(), Vec::new());
        let opened: Vec<Result<(Shown, Image), BadImage>> =
            chunk.par_iter().map(|image| open(image, side, reading)).collect();
        for ((image, name), opened) in chunk.iter().zip(&names[number * BATCH..]).zip(opened) {
            match opened {
                Ok((shown, small)) => {
                    pictures.push((image, name, shown));
                    prepared.push(small);
                }
                Err(error) => bad.push(error),
            }
        }
        let maps = sizes.maps(&mut predictor, &prepared)?;
        let written: Vec<(Predicted, Option<BadImage>)> = pictures
            .par_iter()
            .zip(maps)
            .map(|((image, name, shown), map)| write(image, name, shown, &map, threshold, reading, &out))
            .collect();
        for (image, wrong) in written {
            predicted.push(image);
            lost.extend(wrong);
        }
        done(number * BATCH + chunk.len());
    }
    if predicted.is_empty() {
        return Err(PredictError::NoImage { bad });
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
        unreadable: bad,
        unwritten: lost,
    };
    let text = serde_json::to_vec_pretty(&prediction);
    out.put(SCORES.as_ref(), &text.map_err(|error| OutputError::write(&place.folder.join(SCORES), error.into()))?)?;
    Ok((prediction, aside))
}

/// A picture until its overlay is drawn.
struct Shown {
    width: usize,
    height: usize,
    /// Its pixels; none where it is large.
    picture: Option<Picture>,
}

/// The whole picture, and what the networks see of it.
fn open(image: &Located, side: usize, reading: Reading) -> Result<(Shown, Image), BadImage> {
    let picture = Picture::open(&image.path, reading)
        .map_err(|error| BadImage { image: image.path.display().to_string(), reason: error.to_string() })?;
    let small = picture.resized(side);
    let (width, height) = (picture.width, picture.height);
    Ok((Shown { width, height, picture: (width * height <= KEPT).then_some(picture) }, small))
}

/// Writes an image's pictures; what fails is told beside its score.
fn write(
    image: &Located,
    name: &Path,
    shown: &Shown,
    map: &FinalMap,
    threshold: Option<f64>,
    reading: Reading,
    out: &OutputFolder,
) -> (Predicted, Option<BadImage>) {
    let range = range(map);
    let brightest = brightest(threshold, range.1);
    let save = |ending: &str, png: Result<Vec<u8>, image::ImageError>| -> Result<String, OutputError> {
        let file = file(name, ending);
        out.put(&file, &png.map_err(|error| OutputError::write(&file, std::io::Error::other(error)))?)?;
        Ok(file.to_string_lossy().replace('\\', "/"))
    };
    let told =
        |error: &dyn std::fmt::Display| BadImage { image: image.path.display().to_string(), reason: error.to_string() };
    let drawn = || -> Result<String, BadImage> {
        let picture = match &shown.picture {
            Some(picture) => Cow::Borrowed(picture),
            None => Cow::Owned(Picture::open(&image.path, reading).map_err(|error| told(&error))?),
        };
        let _room = room_for((picture.width * picture.height) as u64);
        save(OVERLAY, overlay_png(&picture, map, brightest)).map_err(|error| told(&error))
    };
    let grey = save(MAP, map_png(map, range)).map_err(|error| told(&error));
    let overlay = drawn();
    let wrong = grey.as_ref().err().or(overlay.as_ref().err()).cloned();
    let score = f64::from(map.score);
    let predicted = Predicted {
        image: image.path.to_string_lossy().into_owned(),
        width: shown.width,
        height: shown.height,
        score,
        verdict: threshold.map(|threshold| Verdict::of(score, threshold)),
        map: grey.ok().map(|file| MapFile { file, minimum: range.0, maximum: range.1 }),
        overlay: overlay.ok(),
        brightest,
    };
    (predicted, wrong)
}

/// Ends the names of what is written of an image.
const MAP: &str = "-map.png";
const OVERLAY: &str = "-overlay.png";

fn file(name: &Path, ending: &str) -> PathBuf {
    // `with_extension` would take what follows a dot in the name.
    let mut file = name.as_os_str().to_owned();
    file.push(ending);
    PathBuf::from(file)
}

/// Made, and a file can be written there: better known before hours of work than after.
fn check_writable(out: &Path) -> Result<(), OutputError> {
    std::fs::create_dir_all(out)
        .and_then(|()| WholeFile::create(&out.join(SCORES)).map(drop))
        .map_err(|error| OutputError::write(out, error))
}
