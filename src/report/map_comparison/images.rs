//! The test images of two runs, with the scores that both give them. Those on which they disagree most come first.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use super::pair::JobsOfRuns;
use crate::analysis::Side;
use crate::cause::Cause;
use crate::data::Picture;
use crate::evaluate::Evaluation;
use crate::report::error::ReportError;
use crate::report::pictures::Source;
use crate::report::run_pages::{jpeg, map_picture, resampled_contour};
use crate::stages::{StageKind, selected_stage};
use crate::store::Artifacts;

/// Maximum number of images with pictures.
const MAX_IMAGES: usize = 60;
/// Pixels per side of a picture.
const SIDE: usize = 192;

/// A test image with both runs' scores.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ScoredImage {
    pub category: String,
    /// Path below the category.
    pub name: String,
    pub defective: bool,
    /// Scores in held-out thresholds; without thresholds, in the run's highest score.
    pub scores: [f64; 2],
}

impl ScoredImage {
    /// Returns how much the runs disagree: first whether they judge the image differently, then by the ratio of the scores.
    fn disagreement(&self) -> (bool, f64) {
        let [one, other] = self.scores;
        let distance = if one > 0.0 && other > 0.0 { (one / other).ln().abs() } else { (one - other).abs() };
        ((one > 1.0) != (other > 1.0), distance)
    }
}

/// A test image with both runs' maps over it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ComparedImage {
    pub image: ScoredImage,
    /// The maps as JPEG, with [`Self::side`] pixels per side.
    pub jpegs: [Vec<u8>; 2],
    pub side: usize,
    /// The contours of the held-out thresholds on the maps, and of the defect, as paths of an SVG.
    pub thresholds: [String; 2],
    pub truth: String,
}

/// The images of a comparison.
#[derive(Debug, Default)]
pub(super) struct FoundImages {
    /// All images that both runs scored.
    pub scored: Vec<ScoredImage>,
    /// Those with pictures, the largest disagreement first.
    pub shown: Vec<ComparedImage>,
    /// What cannot be shown, and why.
    pub notes: Vec<String>,
}

/// Returns the images that both sides scored with this seed.
///
/// # Errors
/// A picture cannot be drawn.
pub(super) fn images(
    sides: [&Side; 2],
    seed: i64,
    jobs: &JobsOfRuns,
    artifacts: &Artifacts,
) -> Result<FoundImages, ReportError> {
    let mut found = FoundImages::default();
    for category in sides[0].categories() {
        found.scored.extend(scored(sides, category, seed));
    }
    found.scored.sort_by(|a, b| {
        let ((a_differs, a), (b_differs, b)) = (a.disagreement(), b.disagreement());
        b_differs.cmp(&a_differs).then(b.total_cmp(&a))
    });
    let chosen = &found.scored[..found.scored.len().min(MAX_IMAGES)];
    let mut sources: BTreeMap<&str, Option<[Source; 2]>> = BTreeMap::new();
    for image in chosen {
        sources.entry(&image.category).or_insert_with(|| {
            let open = |side: usize| {
                let stages = jobs.of(side, &image.category, seed);
                let selected = |kind: StageKind| {
                    selected_stage(kind, stages.iter().map(|(key, job)| (key.as_str(), job.as_str())))
                };
                Source::of_stages(selected, artifacts, seed, &sides[side].label)
            };
            match (open(0), open(1)) {
                (Ok(one), Ok(other)) => Some([one, other]),
                (Err(error), _) | (_, Err(error)) => {
                    found.notes.push(format!("No pictures of {}: {error}.", image.category));
                    None
                }
            }
        });
    }
    let drawn: Result<Vec<Option<ComparedImage>>, ReportError> = chosen
        .par_iter()
        .map(|image| {
            let sources = sources.get(image.category.as_str()).and_then(Option::as_ref);
            let wrong = |source| ReportError::Draw { figure: format!("{} {}", image.category, image.name), source };
            sources.map_or(Ok(None), |sources| drawn(image, sources)).map_err(wrong)
        })
        .collect();
    found.shown = drawn?.into_iter().flatten().collect();
    Ok(found)
}

/// Returns the images of a category that both runs scored.
fn scored(sides: [&Side; 2], category: &str, seed: i64) -> Vec<ScoredImage> {
    let [Some(one), Some(other)] = sides.map(|side| side.run(category, seed)) else { return Vec::new() };
    let [unit_of_one, unit_of_other] = [one, other].map(|run| {
        let threshold = run.evaluation.as_ref().and_then(|(artifacts, key)| {
            let folder = artifacts.verified_folder(StageKind::Evaluate, key, &[Evaluation::FILE]).ok()?;
            Evaluation::read(&folder).ok()?.held_out_threshold
        });
        let highest = || run.scores.iter().map(|(.., score)| *score).fold(f64::MIN_POSITIVE, f64::max);
        threshold.filter(|threshold| *threshold > 0.0).unwrap_or_else(highest)
    });
    let of_other: HashMap<&str, f64> = other.scores.iter().map(|(name, _, score)| (name.as_str(), *score)).collect();
    let both = one.scores.iter().filter_map(|(name, defective, score)| {
        Some(ScoredImage {
            category: category.to_owned(),
            name: name.clone(),
            defective: *defective,
            scores: [score / unit_of_one, of_other.get(name.as_str())? / unit_of_other],
        })
    });
    both.collect()
}

/// Draws both maps of an image; `None` if a run has no map of it.
fn drawn(image: &ScoredImage, sources: &[Source; 2]) -> Result<Option<ComparedImage>, Cause> {
    let place = |source: &Source| source.images.iter().position(|other| other.image == image.name);
    let (Some(one), Some(other)) = (place(&sources[0]), place(&sources[1])) else { return Ok(None) };
    let input = sources[0].input(one);
    let side = input.side.min(SIDE);
    let input = Picture { width: input.side, height: input.side, rgb: input.rgb }.resized(side);
    let draw = |source: &Source, index: usize| -> Result<(Vec<u8>, String), Cause> {
        let map = source.fused(index);
        let threshold = source.calibrated.threshold;
        let contour = threshold.map(|level| resampled_contour(&map.values, map.side, level as f32, side));
        Ok((jpeg(&map_picture(&input, &map, threshold).rgb, side, side)?, contour.unwrap_or_default()))
    };
    let ((first, first_contour), (second, second_contour)) = (draw(&sources[0], one)?, draw(&sources[1], other)?);
    let mask = sources[0].mask(one).map(|mask| mask.resized(side));
    Ok(Some(ComparedImage {
        image: image.clone(),
        jpegs: [first, second],
        side,
        thresholds: [first_contour, second_contour],
        truth: mask.map(|mask| crate::report::run_pages::truth(&mask.pixels, side)).unwrap_or_default(),
    }))
}

#[cfg(test)]
mod tests {
    use super::ScoredImage;

    #[test]
    fn a_different_judgement_is_a_larger_disagreement_than_a_large_ratio() {
        let image = |scores| ScoredImage { category: String::new(), name: String::new(), defective: true, scores };
        let (judged, apart, near) = (image([0.9, 1.1]), image([2.0, 40.0]), image([2.0, 3.0]));
        assert!(judged.disagreement() > apart.disagreement() && apart.disagreement() > near.disagreement());
        assert_eq!(image([-1.0, 0.5]).disagreement(), (false, 1.5));
    }
}
