//! What is measured of one snapshot's maps: every metric, over all images and over each kind of defect.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::LightingJob;
use crate::data::{Reading, Sample, SaturatedDefect};
use crate::evaluate::metrics::{
    Metric, NotFinite, PRO_LIMIT, Pixels, SaturatedDefects, Scope, Scored, Segmented, Sweep, Thresholded, Undefined,
};
use crate::evaluate::{
    Calibrated, Curves, EvaluateSettings, Evaluation, FinalMap, ImageScore, Measured, PixelHistograms, ResultName,
    ScoreHeader, Selection, Snapshot,
};
use crate::training::StageError;

/// The test set, and what it is measured with.
pub(super) struct TestSet<'a> {
    /// Artifact folder of the score stage.
    pub score: &'a Path,
    /// The test images, for their masks.
    pub test: &'a [Sample],
    /// What is measured under each lighting of the test images, if the data set names several.
    pub lighting: Option<&'a LightingJob>,
    /// Side at which maps and masks are compared, in pixels.
    pub image_size: usize,
    /// How mask files are read.
    pub reading: Reading,
    /// Map rule.
    pub settings: &'a EvaluateSettings,
    /// The weights that were scored.
    pub selection: Selection,
    /// Whether the held-out images were also trained on.
    pub held_out_trained: bool,
    /// The metrics to compute.
    pub metrics: &'a [Metric],
}

/// All measurements of one snapshot.
pub(super) struct SnapshotResults {
    pub evaluation: Evaluation,
    pub curves: Curves,
    /// Histograms of pixel scores, if pixel metrics are defined.
    pub histograms: Option<PixelHistograms>,
}

/// Ground truth at evaluation size. `Some(None)` is a normal image; `None` is a defective image without a mask.
pub(super) type GroundTruth = Option<Option<Vec<bool>>>;

/// Measures the maps of one snapshot.
pub(super) fn measure(
    set: &TestSet<'_>,
    header: &ScoreHeader,
    snapshot: &Snapshot,
    masks: &[GroundTruth],
    defects: Option<&[Vec<SaturatedDefect>]>,
) -> Result<SnapshotResults, StageError> {
    let Calibrated { rule, normal_scores, threshold, pixel_threshold } =
        Calibrated::read(set.score, header, snapshot, set.settings, set.image_size).map_err(StageError::artifact)?;
    let levels = header.maps(set.score, snapshot, "test", header.test.len()).map_err(StageError::artifact)?;
    let maps = rule.final_maps(&levels, set.image_size);
    let masks: Option<Vec<Option<&[bool]>>> =
        masks.iter().map(|truth| truth.as_ref().map(Option::as_deref)).collect::<Option<_>>();
    // Labels and names come from the data set as it is now. The score artifact is tied to the pixels only, and folders may be renamed.
    let (scores, labels): (Vec<f32>, Vec<bool>) =
        maps.iter().zip(set.test).map(|(map, sample)| (map.score, sample.defect.is_some())).unzip();
    let thresholded = threshold.map(|threshold| Thresholded {
        scores: &scores,
        labels: &labels,
        threshold,
        held_out: &normal_scores,
        held_out_trained: set.held_out_trained,
    });
    let images = Images { set, maps: &maps, masks: masks.as_deref(), thresholded, pixel_threshold, defects };
    let all = images.scored(&(0..maps.len()).collect::<Vec<_>>())?;
    let measured = Metric::measure_all(set.metrics.iter().copied(), &all).into_iter();
    let mut results: Results = measured.map(|(metric, measured)| (metric.into(), measured)).collect();
    images.add_kinds(&mut results)?;
    images.add_lighting(&mut results)?;
    // Only results at the selected epoch are compared, and only comparisons need histograms.
    let of_pixels = |pixels: &Pixels<'_>| PixelHistograms::of(&maps, &pixels.masks, set.image_size, &pixels.sweep);
    let histograms = all.pixels.as_ref().ok().filter(|_| set.selection == Selection::Selected).map(of_pixels);
    let image_scores = set
        .test
        .iter()
        .zip(&scores)
        .map(|(sample, &score)| ImageScore { image: sample.image.clone(), defect: sample.defect.clone(), score })
        .collect();
    let evaluation =
        Evaluation { epoch: snapshot.epoch, results, image_scores, held_out_threshold: threshold, pixel_threshold };
    let pixels = all.pixels.as_ref().ok().map(|pixels| &pixels.sweep);
    Ok(SnapshotResults { evaluation, curves: Curves::of(&all.images, pixels, PRO_LIMIT), histograms })
}

/// The test images with their anomaly maps.
struct Images<'a> {
    set: &'a TestSet<'a>,
    maps: &'a [FinalMap],
    /// `None` if a defective image has no mask.
    masks: Option<&'a [Option<&'a [bool]>]>,
    /// `None` if too few images are held out.
    thresholded: Option<Thresholded<'a>>,
    /// `None` if too few images are held out.
    pixel_threshold: Option<f64>,
    /// Defects of each image with their saturation areas; `None` if these are not known.
    defects: Option<&'a [Vec<SaturatedDefect>]>,
}

impl<'a> Images<'a> {
    /// Returns the inputs of the metrics for some of the images.
    fn scored(&self, indices: &[usize]) -> Result<Scored<'a>, StageError> {
        let test = self.set.test;
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
                Ok(Pixels::of(maps, masks, self.set.image_size).map_err(not_finite)?)
            }
        };
        let too_few = Undefined("too few images are held out");
        let threshold = self.thresholded.ok_or(too_few);
        let maps = || -> Vec<&[f32]> { indices.iter().map(|&index| self.maps[index].as_ref()).collect() };
        let segmented = self.pixel_threshold.map(|threshold| Segmented { maps: maps(), labels, threshold });
        let saturated = self.defects.map(|defects| SaturatedDefects {
            maps: maps(),
            defects: indices.iter().map(|&index| defects[index].as_slice()).collect(),
        });
        let saturated = saturated.ok_or(Undefined("the data set has no saturation areas of defects"));
        Ok(Scored { images, threshold, segmented: segmented.ok_or(too_few), pixels, saturated })
    }

    /// Measures the images of each lighting by themselves, if the data set names it.
    fn add_lighting(&self, results: &mut Results) -> Result<(), StageError> {
        let Some(LightingJob { metrics, images }) = self.set.lighting else { return Ok(()) };
        for name in images.iter().collect::<BTreeSet<_>>() {
            let indices: Vec<usize> = (0..images.len()).filter(|&index| images[index] == *name).collect();
            let measured = Metric::measure_all(metrics.iter().copied(), &self.scored(&indices)?).into_iter();
            results.extend(measured.map(|(metric, m)| (ResultName::UnderLighting(metric, name.clone()), m)));
        }
        Ok(())
    }

    /// Measures each kind of defect against all normal images, if the test set has several kinds.
    fn add_kinds(&self, results: &mut Results) -> Result<(), StageError> {
        let kinds = kinds(self.set.test);
        for kind in kinds.iter().filter(|_| kinds.len() > 1) {
            let scored = self.scored(&normal_and(self.set.test, kind))?;
            let is_known = |metric: &Metric| metric.scope() == Scope::Image || scored.pixels.is_ok();
            let metrics = self.set.metrics.iter().copied().filter(|metric| metric.per_defect_kind).filter(is_known);
            results.extend(metrics.map(|m| (ResultName::OfKind(m, (*kind).to_owned()), m.measure(&scored))));
        }
        Ok(())
    }
}

/// Measured numbers by name.
pub(super) type Results = BTreeMap<ResultName, Measured>;

/// Returns the kinds of defects in the test set, in alphabetical order.
fn kinds(test: &[Sample]) -> BTreeSet<&str> {
    test.iter().filter_map(|sample| sample.defect.as_deref()).collect()
}

/// Returns the indices of the normal images and of the images with one kind of defect.
fn normal_and(test: &[Sample], kind: &str) -> Vec<usize> {
    (0..test.len()).filter(|&index| test[index].defect.as_deref().is_none_or(|defect| defect == kind)).collect()
}
