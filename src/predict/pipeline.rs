//! Images in, pictures and scores out, a batch at a time.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::batch::BatchSizes;
use super::files::{map_png, overlay_png, range};
use super::names::names;
use super::{BadImage, Finished, Found, Located, MapFile, PredictError, Predicted, Prediction, Verdict};
use crate::data::{Image, Picture};
use crate::evaluate::FinalMap;
use crate::report::{ReportError, brightest, put};
use crate::tensor::Backend;
use crate::train::BATCH;

/// What predicts: [`predict()`] on some device. Told are the images that are done.
pub type Predict = fn(&Finished, Found, &Path, &mut dyn FnMut(usize)) -> Result<Prediction, PredictError>;

/// Writes map and overlay of every image that can be read, and then `scores.json`, into the folder `out`. Of the images no more than
/// [`BATCH`] are in memory at once.
///
/// # Errors
/// A folder that cannot be written, before anything is computed; [`PredictError::NoImage`], and then nothing is written; what the weights
/// or the device say.
pub fn predict<B: Backend>(
    finished: &Finished,
    found: Found,
    out: &Path,
    done: &mut dyn FnMut(usize),
) -> Result<Prediction, PredictError> {
    let Found { images, mut bad } = found;
    if images.is_empty() {
        return Err(PredictError::NoImage { bad });
    }
    check_writable(out)?;
    let mut predictor = finished.predictor::<B>()?;
    let sizes = BatchSizes::of(finished.features_test());
    let threshold = finished.calibrated.threshold;
    let names = names(&images);
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
            .map(|((image, name, picture), map)| write(image, name, picture, &map, threshold, out))
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
    let path = out.join("scores.json");
    let text = serde_json::to_vec_pretty(&prediction).map_err(|error| unwritten(&path, error.into()))?;
    put(&path, &text).map_err(|error| unwritten(&path, error))?;
    Ok(prediction)
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
    out: &Path,
) -> Result<Predicted, PredictError> {
    let range = range(map);
    let brightest = brightest(threshold, range.1);
    let file = |ending: &str| {
        // `with_extension` would take what follows a dot in the name.
        let mut file = name.as_os_str().to_owned();
        file.push(ending);
        PathBuf::from(file)
    };
    let save = |file: &Path, png: Result<Vec<u8>, image::ImageError>| -> Result<String, PredictError> {
        let path = out.join(file);
        let bytes = png.map_err(|error| unwritten(&path, std::io::Error::other(error)))?;
        let folder = path.parent().unwrap_or(out);
        std::fs::create_dir_all(folder).map_err(|error| unwritten(folder, error))?;
        put(&path, &bytes).map_err(|error| unwritten(&path, error))?;
        Ok(file.to_string_lossy().replace('\\', "/"))
    };
    let score = f64::from(map.score);
    Ok(Predicted {
        image: image.path.to_string_lossy().into_owned(),
        width: picture.width,
        height: picture.height,
        score,
        verdict: threshold.map(|threshold| Verdict::of(score, threshold)),
        map: MapFile { file: save(&file("-map.png"), map_png(map, range))?, minimum: range.0, maximum: range.1 },
        overlay: save(&file("-overlay.png"), overlay_png(picture, map, brightest))?,
        brightest,
    })
}

/// Made, and a file can be written there: better known before hours of work than after.
fn check_writable(out: &Path) -> Result<(), ReportError> {
    let probe = out.join("scores.tmp");
    std::fs::create_dir_all(out)
        .and_then(|()| std::fs::write(&probe, ""))
        .and_then(|()| std::fs::remove_file(&probe))
        .map_err(|error| unwritten(out, error))
}

fn unwritten(path: &Path, source: std::io::Error) -> ReportError {
    ReportError::Write { path: path.to_owned(), source }
}
