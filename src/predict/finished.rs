//! Opens a finished run to score other images.

use std::path::{Path, PathBuf};

use super::PredictError;
use super::predictor::Predictor;
use crate::data::Reading;
use crate::evaluate::{Calibrated, ScoreHeader};
use crate::stages::{EvaluateJob, Key, ScoreJob, StageJob, StageKind, selected_stage};
use crate::store::{Artifacts, RunStages, RunState};
use crate::tensor::{Backend, Numerics};
use crate::training::StageError;

/// A finished run: its selected weights, its map rule (calibrated on the held-out normal images) and its threshold.
#[derive(Debug)]
pub struct FinishedRun {
    /// The run and its stages.
    pub run: RunStages,
    /// Epoch of the weights.
    pub epoch: usize,
    /// Map rule and threshold.
    pub calibrated: Calibrated,
    /// Job of the evaluation stage.
    pub evaluate: EvaluateJob,
    score: ScoreJob,
    joint: PathBuf,
    features_test: PathBuf,
}

impl FinishedRun {
    /// Opens the run's artifacts that do not depend on the device.
    ///
    /// # Errors
    /// [`PredictError::NotDone`], [`PredictError::Missing`], or an artifact that cannot be read.
    pub fn open(run: RunStages, artifacts: &Artifacts) -> Result<Self, PredictError> {
        let short = Key::from_hex(run.id.clone()).short().to_owned();
        let stages = || run.stages.iter().map(|(key, job)| (key.as_str(), job.as_str()));
        let selected = |kind| selected_stage(kind, stages());
        let (score_key, score, evaluate) = match (selected(StageKind::Score), selected(StageKind::Evaluate)) {
            (Some((key, StageJob::Score(score))), Some((_, StageJob::Evaluate(evaluate))))
                if run.state == RunState::Done =>
            {
                (key, score, evaluate)
            }
            _ => {
                let reason = run.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                return Err(PredictError::NotDone { run: short, state: run.state, reason });
            }
        };
        let folder = |kind, key: &Key, what| match artifacts.is_published(kind, key)? {
            true => artifacts.verified_folder(kind, key, &[]).map_err(|damage| PredictError::Damaged {
                what,
                run: short.clone(),
                damage,
            }),
            false => Err(PredictError::Missing {
                what,
                run: short.clone(),
                path: artifacts.place().join(Artifacts::relative(kind, key)),
            }),
        };
        let joint = folder(StageKind::Joint, score.joint.key(), "weights")?;
        let maps = folder(StageKind::Score, &score_key, "held-out maps")?;
        let unreadable = StageError::reading::<std::io::Error>(&maps);
        let header = ScoreHeader::read(&maps).map_err(&unreadable)?;
        let no_map = || unreadable(std::io::Error::other("the score artifact contains no map"));
        let snapshot = header.snapshots.first().ok_or_else(no_map)?;
        let side = evaluate.test_images.image_size;
        let calibrated = Calibrated::read(&maps, &header, snapshot, &evaluate.evaluate, side).map_err(unreadable)?;
        let features_test = match artifacts.is_published(StageKind::Features, score.features_test.key())? {
            true => folder(StageKind::Features, score.features_test.key(), "test features")?,
            // Only images of the run's own test set need this artifact.
            false => artifacts.path(StageKind::Features, score.features_test.key()),
        };
        Ok(Self { epoch: snapshot.epoch, run, calibrated, evaluate, score, joint, features_test })
    }

    /// Returns the numerics of the run's networks.
    pub fn numerics(&self) -> Numerics {
        let features = self.run.stages.iter().find_map(|(_, job)| match serde_json::from_str(job) {
            Ok(StageJob::Features(job)) => Some(job.numerics),
            _ => None,
        });
        features.unwrap_or(Numerics::F32)
    }

    /// Returns the side of prepared images and maps, pixels.
    pub fn image_size(&self) -> usize {
        self.evaluate.test_images.image_size
    }

    /// Returns the folder that holds the run's data set, as it was planned.
    pub fn data_root(&self) -> Option<&Path> {
        self.evaluate.test_images.location.data.root.as_deref()
    }

    /// Returns the value above which a pixel is called defective.
    ///
    /// # Errors
    /// [`PredictError::NoThreshold`] if too few images were held out to set it.
    pub(super) fn pixel_threshold(&self) -> Result<f64, PredictError> {
        let run = || Key::from_hex(self.run.id.clone()).short().to_owned();
        self.calibrated.pixel_threshold.ok_or_else(|| PredictError::NoThreshold { run: run() })
    }

    /// Returns how the run read its images.
    pub fn reading(&self) -> Reading {
        self.evaluate.test_images.reading
    }

    /// Returns the folder with the features of the run's test images.
    pub(super) fn features_test(&self) -> &Path {
        &self.features_test
    }

    /// Builds teacher and student on a device.
    pub(super) fn predictor<B: Backend>(&self) -> Result<Predictor<B>, StageError> {
        let teacher = self.score.teacher.open::<B>()?;
        Predictor::open(&self.joint, teacher, &self.score.model, self.calibrated.rule.clone(), self.image_size())
    }
}
