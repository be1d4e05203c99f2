//! The stage `pseudo`: measures a student on painted defects. Its metrics can guide a search without labels.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::effort::{Effort, Extent, shape};
use super::features::FeaturesJob;
use super::joint::JointJob;
use super::paint::{MASKS, PaintJob};
use super::stage::{ArtifactFolders, KeyOf, Need, Stage};
use crate::data::{FeatureSet, Image, SplitRule, read_masks};
use crate::evaluate::metrics::{Metric, NotFinite, PSEUDO_PIXEL_AUROC, Pixels, Scored, Sweep, Undefined};
use crate::evaluate::{EvaluateSettings, Evaluation, FinalMap, MapRule, Measured, ResultName, Selection, quantile};
use crate::model::Model;
use crate::tensor::Backend;
use crate::training::{
    Batches, JointSummary, StageContext, StageError, backbone, distance_maps, selected_assembly, write_json,
};

/// Number of painted images that are saved as pictures for people.
const PICTURES: usize = 4;

/// Computes metrics of the selected weights on painted and unpainted held-out images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PseudoJob {
    /// Joint training that provides the weights.
    pub joint: KeyOf<JointJob>,
    /// Features of the training part, for the unpainted images.
    pub features_train: KeyOf<FeaturesJob>,
    /// The painted images.
    pub painted: KeyOf<PaintJob>,
    /// Which images are held out.
    pub split: SplitRule,
    /// Student, and its auto-encoders if there are any.
    pub model: Model,
    /// Map rule.
    pub evaluate: EvaluateSettings,
    /// The metrics to compute.
    pub metrics: Vec<Metric>,
}

impl Stage for PseudoJob {
    const NAME: &'static str = "pseudo";
    const REVISION: u32 = 1;

    fn results() -> Option<ResultName> {
        Some(PSEUDO_PIXEL_AUROC.into())
    }

    fn needs(&self) -> Vec<Need> {
        vec![self.joint.need(), self.features_train.need(), self.painted.need()]
    }

    fn effort(&self, extent: &Extent) -> Effort {
        Effort::new(Self::NAME, &shape(&self.model), 3 * extent.held_out, extent)
    }

    /// Writes `pictures/` and an [`Evaluation`] with `pseudo_pixel_auroc` and `pseudo_image_auroc`, over all painted and all unpainted
    /// held-out images.
    ///
    /// The selected epoch was chosen on the same unpainted images. The painted images were not used before.
    fn run<B: Backend>(
        &self,
        artifacts: &dyn ArtifactFolders,
        context: &mut StageContext<'_>,
    ) -> Result<(), StageError> {
        let (joint, paint) = (self.joint.folder(artifacts), self.painted.folder(artifacts));
        let train = FeatureSet::open(&self.features_train.folder(artifacts)).map_err(StageError::artifact)?;
        let painted = FeatureSet::open(&paint).map_err(StageError::artifact)?;
        let split = self.split.split(train.len()).map_err(StageError::data)?;
        let side = painted.header().side;
        let masks = read_masks(&paint.join(MASKS), painted.len(), side * side).map_err(StageError::artifact)?;
        let summary = JointSummary::read(&joint)?;
        let mut assembly =
            selected_assembly::<B>(&joint, &backbone(train.header(), summary.architecture)?, &self.model)?;
        if context.observer.stop_requested() {
            return Err(StageError::Interrupted);
        }

        let held_out = distance_maps(&mut assembly, &Batches::streamed(&train), &split.held_out)?;
        let all: Vec<usize> = (0..painted.len()).collect();
        let painted_levels = distance_maps(&mut assembly, &Batches::streamed(&painted), &all)?;
        // Each held-out image and its paintings are scored by the rule derived from the other held-out images. The paintings of one
        // image are contiguous.
        let paintings = painted.len() / split.held_out.len().max(1);
        let scored = MapRule::leave_one_out(&self.evaluate, &held_out, side, |image, rule| {
            let of_image = image * paintings..(image + 1) * paintings;
            let painted: Vec<FinalMap> = of_image.map(|index| rule.final_map(&painted_levels, index, side)).collect();
            (painted, rule.final_map(&held_out, image, side))
        });
        let Some(scored) = scored else {
            return write_json(&context.out.join(Evaluation::FILE), &self.undefined(summary.selected_epoch));
        };
        let (with_defects, normal): (Vec<Vec<FinalMap>>, Vec<FinalMap>) = scored.into_iter().unzip();
        let maps: Vec<FinalMap> = with_defects.into_iter().flatten().chain(normal).collect();
        let truth: Vec<Option<&[bool]>> =
            masks.iter().map(|mask| Some(mask.as_slice())).chain(split.held_out.iter().map(|_| None)).collect();
        let scores: Vec<f32> = maps.iter().map(|map| map.score).collect();
        let labels: Vec<bool> = truth.iter().map(Option::is_some).collect();
        let diverged = |_: NotFinite| StageError::Diverged {
            what: "an anomaly map",
            value: f64::NAN,
            epoch: summary.selected_epoch,
            step: 0,
        };
        let scored = Scored {
            pixels: Ok(Pixels::of(maps.iter().map(AsRef::as_ref).collect(), truth, side).map_err(diverged)?),
            images: Sweep::of_labels(&scores, &labels).map_err(diverged)?,
            threshold: Err(Undefined("no threshold is set for painted images")),
            segmented: Err(Undefined("no threshold is set for painted images")),
            saturated: Err(Undefined("painted defects have no saturation areas")),
        };
        let evaluation = Evaluation {
            epoch: summary.selected_epoch,
            results: self.measured(|metric| metric.measure(&scored)),
            image_scores: Vec::new(),
            held_out_threshold: quantile(&scores[painted.len()..], self.evaluate.threshold_quantile),
            pixel_threshold: None,
        };
        write_json(&context.out.join(Evaluation::FILE), &evaluation)?;
        write_pictures(context.out, &painted, &masks, &maps)
    }

    fn selection(&self) -> Option<Selection> {
        Some(Selection::Selected)
    }
}

impl PseudoJob {
    /// Measures all metrics of the job.
    fn measured(&self, measure: impl Fn(Metric) -> Measured) -> BTreeMap<ResultName, Measured> {
        self.metrics.iter().map(|&metric| (metric.into(), measure(metric))).collect()
    }

    /// Returns the result if too few images are held out to score each one by a rule derived from the others.
    fn undefined(&self, epoch: usize) -> Evaluation {
        let reason = Undefined("too few images are held out for this map rule");
        let results = self.measured(|_| Measured::of(Err(reason)));
        Evaluation { epoch, results, image_scores: Vec::new(), held_out_threshold: None, pixel_threshold: None }
    }
}

/// Saves the first painted images, each as a strip of the image, its mask and its map. White is the highest value of the map.
fn write_pictures(out: &Path, painted: &FeatureSet, masks: &[Vec<bool>], maps: &[FinalMap]) -> Result<(), StageError> {
    let folder = out.join("pictures");
    std::fs::create_dir_all(&folder).map_err(StageError::writing(&folder))?;
    for index in 0..painted.len().min(PICTURES) {
        let Image { side, rgb } = painted.image(index);
        let highest = maps[index].values.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let grey = |value: u8| [value; 3];
        let mut strip = Vec::with_capacity(3 * rgb.len());
        for row in 0..side {
            let line = row * side..(row + 1) * side;
            strip.extend_from_slice(&rgb[3 * line.start..3 * line.end]);
            strip.extend(masks[index][line.clone()].iter().flat_map(|&mask| grey(if mask { 255 } else { 0 })));
            strip.extend(maps[index].values[line].iter().flat_map(|value| grey((255.0 * value / highest) as u8)));
        }
        let path = folder.join(format!("{index:04}.png"));
        image::save_buffer(&path, &strip, 3 * side as u32, side as u32, image::ExtendedColorType::Rgb8)
            .map_err(StageError::writing(&path))?;
    }
    Ok(())
}
