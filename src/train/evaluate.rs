//! The stage `evaluate`: the map rule and the metrics. Changing a rule repeats this stage alone.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use super::{Progress, StageContext, StageError};
use crate::data::Sample;
use crate::evaluate::metrics::{F1Max, PRO_LIMIT, Sweep, Undefined, aupro, auroc, average_precision, f1_max};
use crate::evaluate::{
    Checkpoint, Curves, EvaluateSettings, Evaluation, FinalMap, ImageScore, LevelMaps, MapRule, Measured, ScoreHeader,
    Snapshot, fused_file, mask_file, quantile,
};

/// What the stage works on.
pub struct EvaluateInput<'a> {
    /// Folder of the score stage.
    pub score: &'a Path,
    /// The test images, for their masks.
    pub test: &'a [Sample],
    /// Side at which maps and masks are compared.
    pub image_size: usize,
    /// Map rule.
    pub settings: &'a EvaluateSettings,
    /// Whose weights.
    pub checkpoint: Checkpoint,
}

/// Everything measured of one snapshot.
struct Outcome {
    evaluation: Evaluation,
    curves: Curves,
    maps: Vec<FinalMap>,
}

/// Writes `results.json`, `curves.json` and, for the pictures of the report, fused maps and masks.
pub fn evaluate(input: &EvaluateInput<'_>, context: &mut StageContext<'_>) -> Result<(), StageError> {
    let header = ScoreHeader::read(input.score).map_err(StageError::artifact)?;
    if header.test.len() != input.test.len() {
        return Err(StageError::Data(format!(
            "the test part has {} images now, {} when it was scored: start the sweep again to plan anew",
            input.test.len(),
            header.test.len()
        )));
    }
    let masks = load_masks(input)?;
    let mut best: Option<Outcome> = None;
    let mut oracle = BTreeMap::new();
    for (done, snapshot) in header.snapshots.iter().enumerate() {
        let outcome = measure(input, &header, snapshot, &masks)?;
        for (name, measured) in &outcome.evaluation.results {
            keep_best(&mut oracle, name, measured, snapshot.epoch);
        }
        let pixel = |o: &Outcome| o.evaluation.results.get("pixel_auroc").and_then(|m| m.value).unwrap_or(0.0);
        if best.as_ref().is_none_or(|best| pixel(&outcome) > pixel(best)) {
            best = Some(outcome);
        }
        context.observer.progress(Progress {
            done: done + 1,
            total: header.snapshots.len(),
            unit: "snapshot",
            loss: None,
        });
    }
    let mut outcome = best.ok_or_else(|| StageError::Bug("a score without snapshots".into()))?;
    if input.checkpoint == Checkpoint::Oracle {
        outcome.evaluation.results = oracle;
    }
    let results = &mut outcome.evaluation.results;
    results.insert("parameters".to_owned(), Measured::value(header.parameters as f64));
    results.insert("flops".to_owned(), Measured::value(2.0 * header.multiply_accumulates as f64));

    write_json(&context.out.join("results.json"), &outcome.evaluation)?;
    write_json(&context.out.join("curves.json"), &outcome.curves)?;
    write_pictures(context.out, &header, &outcome.maps, &masks, input.image_size)
}

/// For the oracle every metric takes its own best epoch: that is what picking on the test set yields.
fn keep_best(oracle: &mut BTreeMap<String, Measured>, name: &str, measured: &Measured, epoch: usize) {
    let better = match (oracle.get(name).and_then(|m| m.value), measured.value) {
        (Some(old), Some(new)) => new > old,
        (old, _) => old.is_none(),
    };
    if better {
        let reason = measured.reason.clone().or_else(|| Some(format!("best on test: epoch {epoch}")));
        oracle.insert(name.to_owned(), Measured { value: measured.value, reason });
    }
}

/// Ground truth at evaluation size: `Some(None)` for a normal image, `None` where a defective one has no mask.
type Truth = Option<Option<Vec<bool>>>;

fn load_masks(input: &EvaluateInput<'_>) -> Result<Vec<Truth>, StageError> {
    input
        .test
        .par_iter()
        .map(|sample| {
            if sample.defect.is_none() {
                return Ok(Some(None));
            }
            let mask = sample.load_mask(input.image_size).map_err(|error| StageError::Data(error.to_string()))?;
            Ok(mask.map(|mask| Some(mask.pixels)))
        })
        .collect()
}

fn measure(
    input: &EvaluateInput<'_>,
    header: &ScoreHeader,
    snapshot: &Snapshot,
    masks: &[Truth],
) -> Result<Outcome, StageError> {
    let rule = MapRule::from(input.settings);
    let levels = header.maps(input.score, snapshot, "test", header.test.len()).map_err(StageError::artifact)?;
    let maps = final_maps(&levels, rule, input.image_size);
    let scores: Vec<f32> = maps.iter().map(FinalMap::score).collect();
    // Labels and names are of now: the score artifact knows the pixels only, and folders may have been renamed since.
    let labels: Vec<bool> = input.test.iter().map(|sample| sample.defect.is_some()).collect();
    let name = |error: crate::evaluate::metrics::NotFinite| {
        StageError::Data(format!("the anomaly map of {} is not finite", input.test[error.image].image))
    };
    let images = Sweep::of_labels(&scores, &labels).map_err(name)?;

    let mut results = BTreeMap::new();
    let mut add = |name: &str, value: Result<f64, Undefined>| results.insert(name.to_owned(), Measured::of(value));
    add("image_auroc", auroc(&images));
    add("image_ap", average_precision(&images));
    add("image_f1max", f1_max(&images).map(|F1Max { value, .. }| value));
    let pixels = match masks.iter().map(Option::as_ref).collect::<Option<Vec<_>>>() {
        None => {
            let reason = Undefined("a defective test image has no mask");
            for metric in ["pixel_auroc", "pixel_ap", "pixel_f1max", "aupro"] {
                add(metric, Err(reason));
            }
            None
        }
        Some(masks) => {
            let masks: Vec<Option<&Vec<bool>>> = masks.into_iter().map(Option::as_ref).collect();
            let pixels = Sweep::of_maps(&maps, &masks, input.image_size).map_err(name)?;
            add("pixel_auroc", auroc(&pixels));
            add("pixel_ap", average_precision(&pixels));
            add("pixel_f1max", f1_max(&pixels).map(|F1Max { value, .. }| value));
            add("aupro", aupro(&pixels, PRO_LIMIT));
            Some(pixels)
        }
    };

    let held_out = header.maps(input.score, snapshot, "held-out", header.held_out).map_err(StageError::artifact)?;
    let normal: Vec<f32> = final_maps(&held_out, rule, input.image_size).iter().map(FinalMap::score).collect();
    let image_scores = input
        .test
        .iter()
        .zip(&scores)
        .map(|(sample, &score)| ImageScore { image: sample.image.clone(), defect: sample.defect.clone(), score })
        .collect();
    let evaluation =
        Evaluation { epoch: snapshot.epoch, results, image_scores, held_out_threshold: quantile(&normal, 1.0) };
    Ok(Outcome { evaluation, curves: Curves::of(&images, pixels.as_ref(), PRO_LIMIT), maps })
}

pub(super) fn final_maps(levels: &[LevelMaps], rule: MapRule, side: usize) -> Vec<FinalMap> {
    let images = levels.first().map_or(0, LevelMaps::len);
    (0..images).into_par_iter().map(|image| rule.apply(levels, image, side)).collect()
}

fn write_pictures(
    out: &Path,
    header: &ScoreHeader,
    maps: &[FinalMap],
    masks: &[Truth],
    side: usize,
) -> Result<(), StageError> {
    let folder = out.join("pictures");
    let wrong = |error: String| StageError::Artifact(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(&folder).map_err(|e| wrong(e.to_string()))?;
    for &index in &header.thumbnails {
        std::fs::write(fused_file(out, index), bytemuck::cast_slice(&maps[index].values))
            .map_err(|e| wrong(e.to_string()))?;
        if let Some(Some(mask)) = &masks[index] {
            let grey: Vec<u8> = mask.iter().map(|&p| if p { 255 } else { 0 }).collect();
            image::save_buffer(mask_file(out, index), &grey, side as u32, side as u32, image::ExtendedColorType::L8)
                .map_err(|e| wrong(e.to_string()))?;
        }
    }
    Ok(())
}

pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StageError> {
    let text = serde_json::to_vec_pretty(value).map_err(StageError::artifact)?;
    std::fs::write(path, text).map_err(|error| StageError::Artifact(format!("{}: {error}", path.display())))
}
