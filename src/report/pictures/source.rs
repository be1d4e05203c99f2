//! The source of one row: a variant's maps in one category, for the seed that all rows share.

use std::path::PathBuf;

use crate::analysis::{Rows, Variant};
use crate::data::{FeatureSet, Image, Mask};
use crate::evaluate::{
    Calibrated, Evaluation, FinalMap, ImageScore, LevelMaps, ScoreHeader, TestImage, mask_file, quantile,
};
use crate::stages::{Key, StageJob, StageKind};
use crate::store::{Artifacts, RunRow};

/// Share of a level's pixels that are drawn below the brightest value. A single outlier must not darken a whole column.
const BELOW_BRIGHTEST: f64 = 0.999;

/// A run's maps of the test images.
pub(in crate::report) struct Source {
    /// Label of the variant.
    pub label: String,
    /// Seed of the run.
    pub seed: i64,
    /// The test images with their scores.
    pub images: Vec<ImageScore>,
    /// Distance maps of the test images, finest level first.
    pub levels: Vec<LevelMaps>,
    /// The run's map rule and threshold.
    pub calibrated: Calibrated,
    /// Key of the features of the test images. Runs with the same key have the same images.
    pub features_key: Key,
    side: usize,
    features: FeatureSet,
    evaluate: PathBuf,
}

impl Source {
    /// Opens the artifacts of a run.
    ///
    /// # Errors
    /// An artifact is missing or damaged, or the artifacts cover different images.
    pub(in crate::report) fn open(
        rows: &Rows,
        artifacts: &Artifacts,
        run: &RunRow,
        variant: &Variant,
    ) -> std::io::Result<Self> {
        Self::of_stages(|kind| rows.selected_stage(&run.id, kind), artifacts, run.seed, &variant.label)
    }

    /// Opens the artifacts of a run whose stages `selected` returns by their kind.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub(in crate::report) fn of_stages(
        selected: impl Fn(StageKind) -> Option<(Key, StageJob)>,
        artifacts: &Artifacts,
        seed: i64,
        label: &str,
    ) -> std::io::Result<Self> {
        let (Some((score, StageJob::Score(score_job))), Some((evaluate, StageJob::Evaluate(evaluate_job)))) =
            (selected(StageKind::Score), selected(StageKind::Evaluate))
        else {
            return Err(std::io::Error::other("the run has no score for its selected epoch"));
        };
        // A picture of damaged maps would be wrong without a warning.
        let intact = |kind, key| artifacts.verified_folder(kind, key, &[]).map_err(std::io::Error::other);
        let score = intact(StageKind::Score, &score)?;
        let evaluate = intact(StageKind::Evaluate, &evaluate)?;
        let side = evaluate_job.test_images.image_size;
        let header = ScoreHeader::read(&score)?;
        let images = Evaluation::read(&evaluate)?.image_scores;
        let same = |(score, test): (&ImageScore, &TestImage)| score.image == test.image;
        if images.len() != header.test.len() || !images.iter().zip(&header.test).all(same) {
            return Err(std::io::Error::other("its maps and its scores cover different images"));
        }
        let snapshot = header.snapshots.first().ok_or_else(|| std::io::Error::other("the score has no maps"))?;
        let features_key = score_job.features_test.key().clone();
        let features = intact(StageKind::Features, &features_key)?;
        let features = FeatureSet::open(&features).map_err(std::io::Error::other)?;
        if features.len() != images.len() {
            return Err(std::io::Error::other("its scores and its features cover different images"));
        }
        Ok(Self {
            label: label.to_owned(),
            seed,
            levels: header.maps(&score, snapshot, "test", header.test.len())?,
            calibrated: Calibrated::read(&score, &header, snapshot, &evaluate_job.evaluate, side)?,
            images,
            features_key,
            side,
            features,
            evaluate,
        })
    }

    /// Returns whether both sources have the same images and the same number of levels.
    pub(in crate::report) fn fits(&self, other: &Self) -> bool {
        let names = |source: &Self| source.images.iter().map(|image| image.image.clone()).collect::<Vec<_>>();
        self.levels.len() == other.levels.len() && names(self) == names(other)
    }

    /// Returns an image as the networks saw it.
    pub(in crate::report) fn input(&self, index: usize) -> Image {
        self.features.image(index)
    }

    /// Returns the fused map of an image.
    pub(in crate::report) fn fused(&self, index: usize) -> FinalMap {
        self.calibrated.rule.final_map(&self.levels, index, self.side)
    }

    /// Returns the mask of an image's defect; `None` if the image is normal or has no mask.
    pub(in crate::report) fn mask(&self, index: usize) -> Option<Mask> {
        let mask = mask_file(&self.evaluate, index);
        mask.is_file().then(|| Mask::open(&mask, 0).ok()).flatten()
    }

    /// Returns the value of a level's maps that would be drawn brightest if this were the only row.
    pub(in crate::report) fn ceiling(&self, level: usize) -> f32 {
        quantile(&self.levels[level].values, BELOW_BRIGHTEST).unwrap_or(1.0) as f32
    }

    /// Returns an image's score in held-out thresholds: "1.83 × threshold".
    pub(in crate::report) fn relative_score(&self, index: usize) -> String {
        let score = self.images[index].score;
        match self.calibrated.threshold {
            Some(threshold) if threshold > 0.0 => format!("{:.2} × threshold", f64::from(score) / threshold),
            _ => format!("score {score:.4}"),
        }
    }
}
