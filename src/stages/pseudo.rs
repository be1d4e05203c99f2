//! The stage that measures a student on the painted defects: what a search can be guided by without a label.

use std::collections::BTreeMap;
use std::path::Path;

use super::evaluate::write_json;
use super::paint::MASKS;
use crate::data::{FeatureSet, Image, SplitRule, read_masks};
use crate::evaluate::metrics::{NotFinite, Sweep, Undefined, auroc};
use crate::evaluate::{EvaluateSettings, Evaluation, FinalMap, MapRule, Measured, quantile};
use crate::model::AutoEncoder;
use crate::tensor::Backend;
use crate::training::{Batches, JointSummary, StageContext, StageError, backbone, distance_maps, selected_assembly};

/// Painted images that are drawn for people to look at.
const PICTURES: usize = 4;

/// What the stage works on.
pub struct PseudoInput<'a> {
    /// Folder of the joint stage.
    pub joint: &'a Path,
    /// Folder of features(train), for the unpainted images.
    pub features_train: &'a Path,
    /// Folder of the painting.
    pub painted: &'a Path,
    /// The held-out part.
    pub split: &'a SplitRule,
    /// Auto-encoders, or none.
    pub model: &'a AutoEncoder,
    /// Map rule.
    pub settings: &'a EvaluateSettings,
}

/// Writes `results.json` with `pseudo_pixel_auroc` and `pseudo_image_auroc` of the selected weights, over all painted and all
/// unpainted held-out images, and `pictures/`.
///
/// The selected epoch was picked on the same unpainted images; the painted ones have had no part in anything before.
pub fn pseudo<B: Backend>(input: &PseudoInput<'_>, context: &mut StageContext<'_>) -> Result<(), StageError> {
    let train = FeatureSet::open(input.features_train).map_err(StageError::artifact)?;
    let painted = FeatureSet::open(input.painted).map_err(StageError::artifact)?;
    let split = input.split.split(train.len()).map_err(StageError::data)?;
    let side = painted.header().side;
    let masks = read_masks(&input.painted.join(MASKS), painted.len(), side * side).map_err(StageError::artifact)?;
    let summary = JointSummary::read(input.joint)?;
    let mut assembly =
        selected_assembly::<B>(input.joint, &backbone(train.header(), summary.architecture)?, input.model)?;
    if context.observer.stop_requested() {
        return Err(StageError::Interrupted);
    }

    let held_out = distance_maps(&mut assembly, &Batches::streamed(&train), &split.held_out)?;
    let all: Vec<usize> = (0..painted.len()).collect();
    let painted_levels = distance_maps(&mut assembly, &Batches::streamed(&painted), &all)?;
    // An image, unpainted or painted, is scored by the rule that the other held-out images make. Its paintings stand together.
    let paintings = painted.len() / split.held_out.len().max(1);
    let scored = MapRule::left_out(input.settings, &held_out, side, |image, rule| {
        let of_image = image * paintings..(image + 1) * paintings;
        let painted: Vec<FinalMap> = of_image.map(|index| rule.one(&painted_levels, index, side)).collect();
        (painted, rule.one(&held_out, image, side))
    });
    let Some(scored) = scored else {
        return write_json(&context.out.join("results.json"), &undefined(summary.selected_epoch));
    };
    let (with_defects, normal): (Vec<Vec<FinalMap>>, Vec<FinalMap>) = scored.into_iter().unzip();
    let maps: Vec<FinalMap> = with_defects.into_iter().flatten().chain(normal).collect();
    let truth: Vec<Option<&Vec<bool>>> = masks.iter().map(Some).chain(split.held_out.iter().map(|_| None)).collect();
    let scores: Vec<f32> = maps.iter().map(|map| map.score).collect();
    let labels: Vec<bool> = truth.iter().map(Option::is_some).collect();
    let diverged = |_: NotFinite| StageError::Diverged {
        what: "an anomaly map",
        value: f64::NAN,
        epoch: summary.selected_epoch,
        step: 0,
    };
    let pixels = Sweep::of_maps(&maps, &truth, side).map_err(diverged)?;
    let images = Sweep::of_labels(&scores, &labels).map_err(diverged)?;
    let results = BTreeMap::from([
        ("pseudo_pixel_auroc".to_owned(), Measured::of(auroc(&pixels))),
        ("pseudo_image_auroc".to_owned(), Measured::of(auroc(&images))),
    ]);
    let evaluation = Evaluation {
        epoch: summary.selected_epoch,
        results,
        image_scores: Vec::new(),
        held_out_threshold: quantile(&scores[painted.len()..], input.settings.threshold_quantile),
    };
    write_json(&context.out.join("results.json"), &evaluation)?;
    write_pictures(context.out, &painted, &masks, &maps)
}

/// What there is where too few images are held out to score one by a rule that the others make.
fn undefined(epoch: usize) -> Evaluation {
    let reason = Undefined("too few images are held out for this map rule");
    let results = ["pseudo_pixel_auroc", "pseudo_image_auroc"].map(|name| (name.to_owned(), Measured::of(Err(reason))));
    Evaluation { epoch, results: BTreeMap::from(results), image_scores: Vec::new(), held_out_threshold: None }
}

/// The first painted images, each a strip: the image, its mask, its map; brightest = the highest value of the map.
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
