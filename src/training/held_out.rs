//! Numbers of an epoch from held-out normal images. The test set has no influence on them.

use std::time::Instant;

use super::batch::Batches;
use super::context::StageError;
use super::driver::Numbers;
use super::forward::BATCH;
use crate::evaluate::{LevelMaps, mean_product_score};
use crate::model::Assembly;
use crate::tensor::Backend;

/// Returns the distance maps of the given images per level, in evaluation mode; see [`Assembly::distances`].
pub fn distance_maps<B: Backend>(
    assembly: &mut Assembly<B>,
    batches: &Batches<'_, B>,
    indices: &[usize],
) -> Result<Vec<LevelMaps>, StageError> {
    let mut maps: Vec<LevelMaps> = batches
        .set()
        .header()
        .levels
        .iter()
        .map(|level| LevelMaps { height: level.height, width: level.width, values: Vec::new() })
        .collect();
    for indices in indices.chunks(BATCH) {
        let teacher = (0..maps.len()).map(|level| batches.teacher(level, indices)).collect::<Result<Vec<_>, _>>()?;
        let distances = assembly.distances(|| batches.images(indices), &teacher)?;
        maps.iter_mut().zip(distances).for_each(|(maps, distances)| maps.values.extend(distances));
    }
    Ok(maps)
}

/// Measures prediction and distances in milliseconds per image, with images and teacher features in memory. Returns the fastest of a few
/// passes over one batch: the first pass warms up, and other processes may disturb the rest.
pub(crate) fn forward_milliseconds<B: Backend>(
    assembly: &mut Assembly<B>,
    batches: &Batches<'_, B>,
) -> Result<f64, StageError> {
    const PASSES: usize = 3;
    let set = batches.set();
    let indices: Vec<usize> = (0..set.len().min(BATCH)).collect();
    let images = batches.images(&indices)?;
    let teacher =
        (0..set.header().levels.len()).map(|level| batches.teacher(level, &indices)).collect::<Result<Vec<_>, _>>()?;
    let mut fastest = f64::INFINITY;
    for _ in 0..PASSES {
        let images = images.clone();
        let started = Instant::now();
        // Distances are on the host, so all asynchronous work of the device has finished.
        assembly.distances(|| Ok::<_, StageError>(images), &teacher)?;
        fastest = fastest.min(started.elapsed().as_secs_f64());
    }
    Ok(1e3 * fastest / indices.len() as f64)
}

/// Computes `held_out_loss`, Σ_l mean‖T^ − Ŝ^‖², unweighted, and `held_out_score`, the mean of the product map at the side of the finest
/// level. At 256 px this side is 64, as in the official code.
pub(super) fn held_out_numbers<B: Backend>(
    assembly: &mut Assembly<B>,
    batches: &Batches<'_, B>,
    held_out: &[usize],
) -> Result<Numbers, StageError> {
    let maps = distance_maps(assembly, batches, held_out)?;
    let loss = maps
        .iter()
        .map(|level| level.values.iter().map(|&v| f64::from(v)).sum::<f64>() / level.values.len() as f64)
        .sum();
    let score = mean_product_score(&maps, maps[0].height);
    Ok([("held_out_loss", loss), ("held_out_score", score)].into())
}
