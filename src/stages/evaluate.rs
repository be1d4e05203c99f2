//! The stage `evaluate`: map rule and metrics. A changed map rule repeats only this stage.

mod snapshot;

use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::snapshot::{GroundTruth, Results, SnapshotResults, TestSet, measure};
use super::effort::{Effort, Extent};
use super::inputs::{Check, ImageSet};
use super::score::ScoreJob;
use super::stage::{ArtifactFolders, KeyOf, Need, Stage};
use crate::data::{Sample, SaturatedDefect, Saturation};
use crate::evaluate::metrics::{Metric, PIXEL_AUROC};
use crate::evaluate::{
    Curves, EvaluateSettings, Evaluation, Fact, Measured, ResultName, ScoreHeader, Selection, mask_file,
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
    /// The metrics to compute, so that a new metric is computed for finished runs, too.
    pub metrics: Vec<Metric>,
    /// BLAKE3 of the file with the saturation areas of the defects, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saturation: Option<String>,
    /// What is measured under each lighting of the test images, if the data set names several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lighting: Option<LightingJob>,
}

/// What is measured under each lighting of the test images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LightingJob {
    /// The metrics.
    pub metrics: Vec<Metric>,
    /// Lighting of each test image, in their order.
    pub images: Vec<String>,
}

impl Stage for EvaluateJob {
    const NAME: &'static str = "evaluate";
    const REVISION: u32 = 1;

    fn results() -> Option<ResultName> {
        Some(Fact::Epoch.into())
    }

    fn needs(&self) -> Vec<Need> {
        vec![self.score.need()]
    }

    fn effort(&self, extent: &Extent) -> Effort {
        Effort::new(Self::NAME, "", extent.test, extent)
    }

    /// Writes an [`Evaluation`] and [`Curves`]. For the selected epoch, also writes
    /// [`PixelHistograms`](crate::evaluate::PixelHistograms) and, for the figures of the report, the masks.
    fn run<B: Backend>(
        &self,
        artifacts: &dyn ArtifactFolders,
        context: &mut StageContext<'_>,
    ) -> Result<(), StageError> {
        let check = Check::Masks { labels: &self.masks, saturation: self.saturation.as_deref() };
        let (test, saturation) = self.test_images.open_with_saturation(check)?;
        let set = TestSet {
            score: &self.score.folder(artifacts),
            test: &test,
            lighting: self.lighting.as_ref(),
            image_size: self.test_images.image_size,
            reading: self.test_images.reading,
            settings: &self.evaluate,
            selection: self.selection,
            held_out_trained: self.held_out_trained,
            metrics: &self.metrics,
        };
        let header = ScoreHeader::read(set.score).map_err(StageError::artifact)?;
        if header.test.len() != set.test.len() {
            return Err(StageError::data(format!(
                "the test part had {} images when it was scored and has {} now: start the sweep again to plan with the new images",
                header.test.len(),
                set.test.len()
            )));
        }
        let masks = load_masks(&set)?;
        let defects = match saturation {
            Some(path) => Some(load_defects(&set, &path)?),
            None => None,
        };
        let mut best: Option<SnapshotResults> = None;
        let mut oracle = Results::new();
        for (done, snapshot) in header.snapshots.iter().enumerate() {
            let outcome = context.threads.run(|| measure(&set, &header, snapshot, &masks, defects.as_deref())).0?;
            for (name, measured) in &outcome.evaluation.results {
                keep_best(&mut oracle, name, measured, snapshot.epoch);
            }
            let pixel_auroc = |snapshot: &SnapshotResults| {
                snapshot.evaluation.results.get(&PIXEL_AUROC.into()).and_then(|m| m.value).unwrap_or(0.0)
            };
            if best.as_ref().is_none_or(|best| pixel_auroc(&outcome) > pixel_auroc(best)) {
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
        if set.selection == Selection::Oracle {
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
        match set.selection {
            Selection::Selected => write_masks(context.out, &masks, set.image_size),
            Selection::Last | Selection::Oracle => Ok(()),
        }
    }

    fn selection(&self) -> Option<Selection> {
        Some(self.selection)
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

fn load_masks(set: &TestSet<'_>) -> Result<Vec<GroundTruth>, StageError> {
    set.test
        .par_iter()
        .map(|sample| {
            if sample.defect.is_none() {
                return Ok(Some(None));
            }
            let mask = sample.load_mask(set.image_size, set.reading).map_err(StageError::data)?;
            Ok(mask.map(|mask| Some(mask.pixels)))
        })
        .collect()
}

/// Returns the defects of each test image with their saturation areas.
fn load_defects(set: &TestSet<'_>, path: &Path) -> Result<Vec<Vec<SaturatedDefect>>, StageError> {
    let areas = Saturation::open(path).map_err(StageError::data)?;
    let of = |sample: &Sample| areas.defects(path, sample, set.image_size, set.reading).map_err(StageError::data);
    set.test.par_iter().map(of).collect()
}

/// Writes the ground truth of every defective image, for the figures of the report.
fn write_masks(out: &Path, masks: &[GroundTruth], side: usize) -> Result<(), StageError> {
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
    fn the_oracle_keeps_the_best_value_of_each_metric() {
        let mut oracle = Results::new();
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
