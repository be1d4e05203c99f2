//! The stage `evaluate`: map rule and metrics. A changed map rule repeats only this stage.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::effort::{Effort, Extent};
use super::inputs::{Check, ImageSet};
use super::score::ScoreJob;
use super::stage::{ArtifactFolders, KeyOf, Need, Stage};
use crate::data::{Reading, Sample};
use crate::evaluate::metrics::{
    Metric, NotFinite, PIXEL_AUROC, PRO_LIMIT, Pixels, Population, Scope, Scored, Sweep, Thresholded, Undefined,
};
use crate::evaluate::{
    Calibrated, Curves, EvaluateSettings, Evaluation, Fact, FinalMap, ImageScore, Measured, PixelHistograms,
    ResultName, ScoreHeader, Selection, Snapshot, mask_file,
};
use crate::tensor::Backend;
use crate::training::{Progress, StageContext, StageError, write_json};

/// Computes metrics of the final anomaly maps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluateJob {
    /// Score stage with the per-level maps.
    pub score: KeyOf<ScoreJob>,
    /// The test images, for their masks.
    pub test_images: ImageSet,
    /// BLAKE3 over labels and masks of the test images, in order.
    pub masks: String,
    /// Map rule.
    pub evaluate: EvaluateSettings,
    /// The weights that were scored; the selection under which the results are stored.
    pub selection: Selection,
    /// Whether the held-out images were also trained on. Their scores then say nothing about new images.
    pub held_out_trained: bool,
}

impl Stage for EvaluateJob {
    const NAME: &'static str = "evaluate";
    const REVISION: u32 = 1;

    fn results() -> Option<&'static str> {
        Some(Fact::Epoch.name())
    }

    fn needs(&self) -> Vec<Need> {
        vec![self.score.need()]
    }

    fn effort(&self, extent: &Extent) -> Effort {
        Effort::new(Self::NAME, "", extent.test, extent)
    }

    /// Writes an [`Evaluation`] and [`Curves`]. For the selected epoch, also writes [`PixelHistograms`] and, for the figures of the
    /// report, the masks.
    fn run<B: Backend>(
        &self,
        artifacts: &dyn ArtifactFolders,
        context: &mut StageContext<'_>,
    ) -> Result<(), StageError> {
        let input = EvaluateInput {
            score: &self.score.folder(artifacts),
            test: &self.test_images.open(Check::Masks(&self.masks))?,
            image_size: self.test_images.image_size,
            reading: self.test_images.reading,
            settings: &self.evaluate,
            selection: self.selection,
            held_out_trained: self.held_out_trained,
        };
        evaluate(&input, context)
    }

    fn selection(&self) -> Option<Selection> {
        Some(self.selection)
    }
}

/// Inputs of the evaluation.
struct EvaluateInput<'a> {
    /// Artifact folder of the score stage.
    score: &'a Path,
    /// The test images, for their masks.
    test: &'a [Sample],
    /// Side at which maps and masks are compared, in pixels.
    image_size: usize,
    /// How mask files are read.
    reading: Reading,
    /// Map rule.
    settings: &'a EvaluateSettings,
    /// The weights that were scored.
    selection: Selection,
    /// Whether the held-out images were also trained on.
    held_out_trained: bool,
}

/// All measurements of one snapshot.
struct Outcome {
    evaluation: Evaluation,
    curves: Curves,
    /// Histograms of pixel scores, if pixel metrics are defined.
    histograms: Option<PixelHistograms>,
}

/// Measures every snapshot and writes the results.
fn evaluate(input: &EvaluateInput<'_>, context: &mut StageContext<'_>) -> Result<(), StageError> {
    let header = ScoreHeader::read(input.score).map_err(StageError::artifact)?;
    if header.test.len() != input.test.len() {
        return Err(StageError::data(format!(
            "the test part has {} images now, {} when it was scored: start the sweep again to plan anew",
            input.test.len(),
            header.test.len()
        )));
    }
    let masks = load_masks(input)?;
    let mut best: Option<Outcome> = None;
    let mut oracle = Results::new();
    for (done, snapshot) in header.snapshots.iter().enumerate() {
        let outcome = measure(input, &header, snapshot, &masks)?;
        for (name, measured) in &outcome.evaluation.results {
            keep_best(&mut oracle, name, measured, snapshot.epoch);
        }
        let pixel = |o: &Outcome| o.evaluation.results.get(&PIXEL_AUROC.into()).and_then(|m| m.value).unwrap_or(0.0);
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
    if input.selection == Selection::Oracle {
        outcome.evaluation.results = oracle;
    }
    let results = &mut outcome.evaluation.results;
    results.insert(Fact::Parameters.into(), Measured::value(header.parameters as f64));
    results.insert(Fact::Flops.into(), Measured::value(2.0 * header.multiply_accumulates as f64));

    write_json(&context.out.join(Evaluation::FILE), &outcome.evaluation)?;
    write_json(&context.out.join(Curves::FILE), &outcome.curves)?;
    if let Some(histograms) = &outcome.histograms {
        histograms.write(context.out).map_err(StageError::artifact)?;
    }
    match input.selection {
        Selection::Selected => write_masks(context.out, &masks, input.image_size),
        Selection::Last | Selection::Oracle => Ok(()),
    }
}

/// Keeps the best value of each metric over all epochs, for the oracle. Selecting on the test set would yield these values.
fn keep_best(oracle: &mut Results, name: &ResultName, measured: &Measured, epoch: usize) {
    let better = match (oracle.get(name).and_then(|m| m.value), measured.value) {
        (Some(old), Some(new)) => name.direction().is_some_and(|direction| direction.gain(new - old) > 0.0),
        (old, _) => old.is_none(),
    };
    if better {
        let best = || format!("best on test: epoch {epoch}");
        let reason = match (measured.value, &measured.reason) {
            (Some(_), Some(remark)) => format!("{}; {remark}", best()),
            (_, reason) => reason.clone().unwrap_or_else(best),
        };
        oracle.insert(name.clone(), Measured { value: measured.value, reason: Some(reason) });
    }
}

/// Ground truth at evaluation size. `Some(None)` is a normal image; `None` is a defective image without a mask.
type Truth = Option<Option<Vec<bool>>>;

fn load_masks(input: &EvaluateInput<'_>) -> Result<Vec<Truth>, StageError> {
    input
        .test
        .par_iter()
        .map(|sample| {
            if sample.defect.is_none() {
                return Ok(Some(None));
            }
            let mask = sample.load_mask(input.image_size, input.reading).map_err(StageError::data)?;
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
    let Calibrated { rule, normal, threshold } =
        Calibrated::read(input.score, header, snapshot, input.settings, input.image_size)
            .map_err(StageError::artifact)?;
    let levels = header.maps(input.score, snapshot, "test", header.test.len()).map_err(StageError::artifact)?;
    let maps = rule.all(&levels, input.image_size);
    let masks: Option<Vec<Option<&[bool]>>> =
        masks.iter().map(|truth| truth.as_ref().map(Option::as_deref)).collect::<Option<_>>();
    // Labels and names come from the data set as it is now. The score artifact is tied to the pixels only, and folders may be renamed.
    let (scores, labels): (Vec<f32>, Vec<bool>) =
        maps.iter().zip(input.test).map(|(map, sample)| (map.score, sample.defect.is_some())).unzip();
    let thresholded = threshold.map(|threshold| Thresholded {
        scores: &scores,
        labels: &labels,
        threshold,
        held_out: &normal,
        held_out_trained: input.held_out_trained,
    });
    let images = Images { input, maps: &maps, masks: masks.as_deref(), thresholded };
    let all = images.scored(&(0..maps.len()).collect::<Vec<_>>())?;
    let mut results: Results = Metric::on(Population::Test).map(|m| (m.into(), m.measure(&all))).collect();
    images.add_kinds(&mut results)?;
    // Only results at the selected epoch are compared, and only comparisons need histograms.
    let of_pixels = |pixels: &Pixels<'_>| PixelHistograms::of(&maps, &pixels.masks, input.image_size, &pixels.sweep);
    let histograms = all.pixels.as_ref().ok().filter(|_| input.selection == Selection::Selected).map(of_pixels);
    let image_scores = input
        .test
        .iter()
        .zip(&scores)
        .map(|(sample, &score)| ImageScore { image: sample.image.clone(), defect: sample.defect.clone(), score })
        .collect();
    let evaluation = Evaluation { epoch: snapshot.epoch, results, image_scores, held_out_threshold: threshold };
    let pixels = all.pixels.as_ref().ok().map(|pixels| &pixels.sweep);
    Ok(Outcome { evaluation, curves: Curves::of(&all.images, pixels, PRO_LIMIT), histograms })
}

/// The test images with their anomaly maps.
struct Images<'a> {
    input: &'a EvaluateInput<'a>,
    maps: &'a [FinalMap],
    /// `None` if a defective image has no mask.
    masks: Option<&'a [Option<&'a [bool]>]>,
    /// `None` if too few images are held out.
    thresholded: Option<Thresholded<'a>>,
}

impl<'a> Images<'a> {
    /// Returns the inputs of the metrics for some of the images.
    fn scored(&self, indices: &[usize]) -> Result<Scored<'a>, StageError> {
        let test = self.input.test;
        let not_finite = |error: NotFinite| {
            StageError::data(format!("the anomaly map of {} is not finite", test[indices[error.image]].image))
        };
        let scores: Vec<f32> = indices.iter().map(|&index| self.maps[index].score).collect();
        let labels: Vec<bool> = indices.iter().map(|&index| test[index].defect.is_some()).collect();
        let images = Sweep::of_labels(&scores, &labels).map_err(not_finite)?;
        let pixels = match self.masks {
            None => Err(Undefined("a defective test image has no mask")),
            Some(masks) => {
                let maps = indices.iter().map(|&index| self.maps[index].as_ref()).collect();
                let masks = indices.iter().map(|&index| masks[index]).collect();
                Ok(Pixels::of(maps, masks, self.input.image_size).map_err(not_finite)?)
            }
        };
        let threshold = self.thresholded.ok_or(Undefined("too few images are held out"));
        Ok(Scored { images, threshold, pixels })
    }

    /// Measures each kind of defect against all normal images, if the test set has several kinds.
    fn add_kinds(&self, results: &mut Results) -> Result<(), StageError> {
        let kinds = kinds(self.input.test);
        for kind in kinds.iter().filter(|_| kinds.len() > 1) {
            let scored = self.scored(&normal_and(self.input.test, kind))?;
            let is_known = |metric: &Metric| metric.scope() == Scope::Image || scored.pixels.is_ok();
            let metrics = Metric::on(Population::Test).filter(|metric| metric.of_each_kind).filter(is_known);
            results.extend(metrics.map(|m| (ResultName::OfKind(m, (*kind).to_owned()), m.measure(&scored))));
        }
        Ok(())
    }
}

/// Measured numbers by name.
type Results = BTreeMap<ResultName, Measured>;

/// Returns the kinds of defects in the test set, in alphabetical order.
fn kinds(test: &[Sample]) -> BTreeSet<&str> {
    test.iter().filter_map(|sample| sample.defect.as_deref()).collect()
}

/// Returns the indices of the normal images and of the images with one kind of defect.
fn normal_and(test: &[Sample], kind: &str) -> Vec<usize> {
    (0..test.len()).filter(|&index| test[index].defect.as_deref().is_none_or(|defect| defect == kind)).collect()
}

/// Writes the ground truth of every defective image, for the figures of the report.
fn write_masks(out: &Path, masks: &[Truth], side: usize) -> Result<(), StageError> {
    for (index, mask) in masks.iter().enumerate() {
        let Some(Some(mask)) = mask else { continue };
        let path = mask_file(out, index);
        std::fs::create_dir_all(path.parent().unwrap_or(out)).map_err(StageError::writing(&path))?;
        let grey: Vec<u8> = mask.iter().map(|&p| if p { 255 } else { 0 }).collect();
        image::save_buffer(&path, &grey, side as u32, side as u32, image::ExtendedColorType::L8)
            .map_err(StageError::writing(&path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oracle_takes_the_best_number_of_each_metric() {
        let mut oracle = BTreeMap::new();
        for (epoch, auroc, alarms) in [(1, 0.8, 0.3), (2, 0.9, 0.5), (3, 0.7, 0.1)] {
            for (metric, value) in [("image_auroc:cut", auroc), ("image_false_alarms", alarms)] {
                keep_best(&mut oracle, &metric.into(), &Measured::value(value), epoch);
            }
        }
        let best = |value, epoch| Measured { value: Some(value), reason: Some(format!("best on test: epoch {epoch}")) };
        let found = |name: &str| &oracle[&ResultName::from(name)];
        assert_eq!((found("image_auroc:cut"), found("image_false_alarms")), (&best(0.9, 2), &best(0.1, 3)));
    }
}
