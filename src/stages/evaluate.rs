//! The stage `evaluate`: the map rule and the metrics. Changing a rule repeats this stage alone.

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
    F1Max, NotFinite, PRO_LIMIT, Sweep, ThresholdCounts, Undefined, aupimo, aupro, auroc, average_precision,
    expected_false_alarms, f1_max, rescaled_pro,
};
use crate::evaluate::{
    Calibrated, Curves, EvaluateSettings, Evaluation, FinalMap, ImageScore, Measured, PixelHistograms, ScoreHeader,
    Selection, Snapshot, mask_file,
};
use crate::tensor::Backend;
use crate::training::{Progress, StageContext, StageError, write_json};

/// Metrics of the final maps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluateJob {
    /// The per-level maps.
    pub score: KeyOf<ScoreJob>,
    /// The test images, for their masks.
    pub test_images: ImageSet,
    /// BLAKE3 over labels and masks of the test images, in order.
    pub masks: String,
    /// Map rule.
    pub evaluate: EvaluateSettings,
    /// Whose weights: names the rows.
    pub selection: Selection,
    /// Whether the held-out images were trained on: then they tell nothing of new ones.
    pub held_out_trained: bool,
}

impl Stage for EvaluateJob {
    const NAME: &'static str = "evaluate";
    const REVISION: u32 = 1;
    const RESULTS: Option<&'static str> = Some(Evaluation::EPOCH);

    fn needs(&self) -> Vec<Need> {
        vec![self.score.need()]
    }

    fn effort(&self, extent: &Extent) -> Effort {
        Effort::new(Self::NAME, "", extent.test, extent)
    }

    /// Leaves an [`Evaluation`], [`Curves`] and, of the selected epoch, [`PixelHistograms`] and, for the pictures of the report, the
    /// masks.
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

/// What is measured.
struct EvaluateInput<'a> {
    /// Folder of the score stage.
    score: &'a Path,
    /// The test images, for their masks.
    test: &'a [Sample],
    /// Side at which maps and masks are compared.
    image_size: usize,
    /// How masks are turned.
    reading: Reading,
    /// Map rule.
    settings: &'a EvaluateSettings,
    /// Whose weights.
    selection: Selection,
    /// Whether the held-out images were trained on.
    held_out_trained: bool,
}

/// Everything measured of one snapshot.
struct Outcome {
    evaluation: Evaluation,
    curves: Curves,
    /// Where pixels can be measured.
    histograms: Option<PixelHistograms>,
}

/// Measures every snapshot and writes what is kept.
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
    if input.selection == Selection::Oracle {
        outcome.evaluation.results = oracle;
    }
    let results = &mut outcome.evaluation.results;
    results.insert("parameters".to_owned(), Measured::value(header.parameters as f64));
    results.insert("flops".to_owned(), Measured::value(2.0 * header.multiply_accumulates as f64));

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

/// For the oracle every metric takes its own best epoch: that is what picking on the test set yields.
fn keep_best(oracle: &mut BTreeMap<String, Measured>, name: &str, measured: &Measured, epoch: usize) {
    let better = match (oracle.get(name).and_then(|m| m.value), measured.value) {
        (Some(old), Some(new)) if is_lower_better(name) => new < old,
        (Some(old), Some(new)) => new > old,
        (old, _) => old.is_none(),
    };
    if better {
        let best = || format!("best on test: epoch {epoch}");
        let reason = match (measured.value, &measured.reason) {
            (Some(_), Some(remark)) => format!("{}; {remark}", best()),
            (_, reason) => reason.clone().unwrap_or_else(best),
        };
        oracle.insert(name.to_owned(), Measured { value: measured.value, reason: Some(reason) });
    }
}

/// Whether a number measures what goes wrong.
fn is_lower_better(name: &str) -> bool {
    matches!(name, "image_false_alarms" | "image_false_alarms_expected")
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
    let mut results = Results::default();
    let images = measure_images(input, &maps, &mut results)?;
    results.add_threshold(input, &maps, &normal, threshold);
    let mut histograms = None;
    let pixels = match masks.iter().map(Option::as_ref).collect::<Option<Vec<_>>>() {
        None => {
            let reason = Undefined("a defective test image has no mask");
            PIXEL_METRICS.iter().for_each(|metric| results.add(metric, Err(reason)));
            None
        }
        Some(masks) => {
            let masks: Vec<Option<&Vec<bool>>> = masks.into_iter().map(Option::as_ref).collect();
            let pixels = measure_pixels(input, &maps, &masks, &mut results)?;
            // Only what is compared needs them.
            histograms = (input.selection == Selection::Selected)
                .then(|| PixelHistograms::of(&maps, &masks, input.image_size, &pixels));
            Some(pixels)
        }
    };
    let image_scores = input
        .test
        .iter()
        .zip(&maps)
        .map(|(sample, map)| ImageScore {
            image: sample.image.clone(),
            defect: sample.defect.clone(),
            score: map.score,
        })
        .collect();
    let evaluation =
        Evaluation { epoch: snapshot.epoch, results: results.0, image_scores, held_out_threshold: threshold };
    Ok(Outcome { evaluation, curves: Curves::of(&images, pixels.as_ref(), PRO_LIMIT), histograms })
}

/// Numbers by name.
#[derive(Default)]
struct Results(BTreeMap<String, Measured>);

/// What needs masks.
const PIXEL_METRICS: [&str; 6] = ["pixel_auroc", "pixel_ap", "pixel_f1max", "aupro", "aupro_stfpm_rescaled", "aupimo"];

impl Results {
    fn add(&mut self, name: &str, value: Result<f64, Undefined>) {
        self.0.insert(name.to_owned(), Measured::of(value));
    }

    /// What a threshold from held-out normals does: precision, recall, and false alarms on test and as expected.
    fn add_threshold(&mut self, input: &EvaluateInput<'_>, maps: &[FinalMap], normal: &[f32], threshold: Option<f64>) {
        const NAMES: [&str; 4] =
            ["image_precision", "image_recall", "image_false_alarms", "image_false_alarms_expected"];
        let Some(threshold) = threshold else {
            return NAMES.iter().for_each(|name| self.add(name, Err(Undefined("too few images are held out"))));
        };
        let scores: Vec<f32> = maps.iter().map(|map| map.score).collect();
        let labels: Vec<bool> = input.test.iter().map(|sample| sample.defect.is_some()).collect();
        let counts = ThresholdCounts::of(&scores, &labels, threshold);
        let expected = match input.held_out_trained {
            true => Err(Undefined("the held-out images were trained on: new ones are not like them")),
            false => expected_false_alarms(normal, threshold),
        };
        let values = [counts.precision(), counts.recall(), counts.false_alarms(), expected];
        NAMES.iter().zip(values).for_each(|(name, value)| self.add(name, value));
    }
}

/// The test set's kinds of defects, in alphabetical order.
fn kinds(test: &[Sample]) -> BTreeSet<&str> {
    test.iter().filter_map(|sample| sample.defect.as_deref()).collect()
}

/// The indices of the normal images and of those with one kind of defect.
fn normal_and(test: &[Sample], kind: &str) -> Vec<usize> {
    (0..test.len()).filter(|&index| test[index].defect.as_deref().is_none_or(|defect| defect == kind)).collect()
}

fn no_number(test: &[Sample]) -> impl Fn(NotFinite) -> StageError + '_ {
    |error| StageError::data(format!("the anomaly map of {} is not finite", test[error.image].image))
}

fn measure_images(input: &EvaluateInput<'_>, maps: &[FinalMap], results: &mut Results) -> Result<Sweep, StageError> {
    // Labels and names are of now: the score artifact knows the pixels only, and folders may have been renamed since.
    let sweep = |indices: &[usize]| {
        let scores: Vec<f32> = indices.iter().map(|&index| maps[index].score).collect();
        let labels: Vec<bool> = indices.iter().map(|&index| input.test[index].defect.is_some()).collect();
        Sweep::of_labels(&scores, &labels)
    };
    let all: Vec<usize> = (0..maps.len()).collect();
    let images = sweep(&all).map_err(no_number(input.test))?;
    results.add("image_auroc", auroc(&images));
    results.add("image_ap", average_precision(&images));
    results.add("image_f1max", f1_max(&images).map(|F1Max { value, .. }| value));
    let kinds = kinds(input.test);
    for kind in kinds.iter().filter(|_| kinds.len() > 1) {
        let some = sweep(&normal_and(input.test, kind)).map_err(no_number(input.test))?;
        results.add(&format!("image_auroc:{kind}"), auroc(&some));
    }
    Ok(images)
}

fn measure_pixels(
    input: &EvaluateInput<'_>,
    maps: &[FinalMap],
    masks: &[Option<&Vec<bool>>],
    results: &mut Results,
) -> Result<Sweep, StageError> {
    let pixels = Sweep::of_maps(maps, masks, input.image_size).map_err(no_number(input.test))?;
    results.add("pixel_auroc", auroc(&pixels));
    results.add("pixel_ap", average_precision(&pixels));
    results.add("pixel_f1max", f1_max(&pixels).map(|F1Max { value, .. }| value));
    results.add("aupro", aupro(&pixels, PRO_LIMIT));
    results.add("aupro_stfpm_rescaled", rescaled_pro(&pixels));
    let of_images = match aupimo(maps, masks) {
        Ok(found) => Measured { value: Some(found.mean()), reason: found.remark() },
        Err(undefined) => Measured::of(Err(undefined)),
    };
    results.0.insert("aupimo".to_owned(), of_images);
    let kinds = kinds(input.test);
    for kind in kinds.iter().filter(|_| kinds.len() > 1) {
        let indices = normal_and(input.test, kind);
        let some_maps: Vec<&FinalMap> = indices.iter().map(|&index| &maps[index]).collect();
        let some_masks: Vec<_> = indices.iter().map(|&index| masks[index]).collect();
        let some = Sweep::of_maps(&some_maps, &some_masks, input.image_size).map_err(no_number(input.test))?;
        results.add(&format!("pixel_auroc:{kind}"), auroc(&some));
    }
    Ok(pixels)
}

/// The ground truth of every defective image, for the pictures of the report.
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
    fn the_oracle_takes_the_highest_number_and_the_fewest_false_alarms() {
        let mut oracle = BTreeMap::new();
        for (epoch, auroc, alarms) in [(1, 0.8, 0.3), (2, 0.9, 0.5), (3, 0.7, 0.1)] {
            for (name, value) in [("image_auroc", auroc), ("image_false_alarms", alarms)] {
                keep_best(&mut oracle, name, &Measured::value(value), epoch);
            }
        }
        let best = |value, epoch| Measured { value: Some(value), reason: Some(format!("best on test: epoch {epoch}")) };
        assert_eq!((&oracle["image_auroc"], &oracle["image_false_alarms"]), (&best(0.9, 2), &best(0.1, 3)));
    }
}
