//! Images in, pictures and scores out, a batch at a time.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::batch::BatchSizes;
use super::files::{map_png, overlay_png, range};
use super::names::names;
use super::{BadImage, Finished, Found, Located, MapFile, PredictError, Predicted, Prediction, Verdict};
use crate::data::{Image, Picture};
use crate::evaluate::FinalMap;
use crate::outputs::{Aside, OutputError, OutputFolder, Place, WholeFile};
use crate::report::brightest;
use crate::tensor::Backend;
use crate::train::BATCH;

/// What predicts: [`predict()`] on some device. Told are the images that are done.
pub type Predict = fn(&Finished, Found, Place<'_>, &mut dyn FnMut(usize)) -> Result<Made, PredictError>;

/// What was predicted, and what had to make room for it.
pub type Made = (Prediction, Option<Aside>);

/// What every call writes.
const SCORES: &str = "scores.json";

/// Writes map and overlay of every image that can be read, and then `scores.json`. Of the images no more than [`BATCH`] are in memory at
/// once.
///
/// # Errors
/// A folder that cannot be written, or where other files have these names, before anything is computed; [`PredictError::NoImage`], and then nothing is written; what the weights
/// or the device say.
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
    let names = names(&images);
    let files: Vec<PathBuf> =
        names.iter().flat_map(|name| [MAP, OVERLAY].map(|ending| file(name, ending))).chain([SCORES.into()]).collect();
    let out = OutputFolder::open(place.folder, "prediction");
    let aside = out.make_room(&files, place.foreign)?;
    check_writable(place.folder)?;
    let mut predictor = finished.predictor::<B>()?;
    let sizes = BatchSizes::of(finished.features_test());
    let threshold = finished.calibrated.threshold;
    let mut predicted: Vec<Predicted> = Vec::new();
    for (number, chunk) in images.chunks(BATCH).enumerate() {
        let side = finished.image_size();
        let (mut pictures, mut prepared) = (Vec::new(), Vec::new());
        let opened: Vec<Result<(Picture, Image), BadImage>> = chunk.par_iter().map(|image| open(image, side)).collect();
        for ((image, name), opened) in chunk.iter().zip(&names[number * BATCH..]).zip(opened) {
            match opened {
                Ok((picture, small)) => {
                    pictures.push((image, name, picture));
                    prepared.push(small);
                }
                Err(error) => bad.push(error),
            }
        }
        let maps = sizes.maps(&mut predictor, &prepared)?;
        let written: Vec<Predicted> = pictures
            .par_iter()
            .zip(maps)
            .map(|((image, name, picture), map)| write(image, name, picture, &map, threshold, &out))
            .collect::<Result<_, _>>()?;
        predicted.extend(written);
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
    };
    let text = serde_json::to_vec_pretty(&prediction);
    out.put(SCORES.as_ref(), &text.map_err(|error| OutputError::write(&place.folder.join(SCORES), error.into()))?)?;
    Ok((prediction, aside))
}

/// The whole picture, and what the networks see of it.
fn open(image: &Located, side: usize) -> Result<(Picture, Image), BadImage> {
    let picture = Picture::open(&image.path)
        .map_err(|error| BadImage { image: image.path.display().to_string(), reason: error.to_string() })?;
    let small = picture.resized(side);
    Ok((picture, small))
}

fn write(
    image: &Located,
    name: &Path,
    picture: &Picture,
    map: &FinalMap,
    threshold: Option<f64>,
    out: &OutputFolder,
) -> Result<Predicted, PredictError> {
    let range = range(map);
    let brightest = brightest(threshold, range.1);
    let save = |ending: &str, png: Result<Vec<u8>, image::ImageError>| -> Result<String, PredictError> {
        let file = file(name, ending);
        out.put(&file, &png.map_err(|error| OutputError::write(&file, std::io::Error::other(error)))?)?;
        Ok(file.to_string_lossy().replace('\\', "/"))
    };
    let score = f64::from(map.score);
    Ok(Predicted {
        image: image.path.to_string_lossy().into_owned(),
        width: picture.width,
        height: picture.height,
        score,
        verdict: threshold.map(|threshold| Verdict::of(score, threshold)),
        map: MapFile { file: save(MAP, map_png(map, range))?, minimum: range.0, maximum: range.1 },
        overlay: save(OVERLAY, overlay_png(picture, map, brightest))?,
        brightest,
    })
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
