//! From a job to the stage that does it.

use std::path::PathBuf;

use super::evaluate::{EvaluateInput, evaluate};
use super::features::{FeaturesInput, features};
use super::job::{ImageSet, Part, StageJob, StageKind, TeacherRef};
use super::key::Key;
use super::paint::{PaintInput, paint};
use super::pseudo::{PseudoInput, pseudo};
use super::score::{ScoreInput, score};
use crate::data::{DataSettings, Dataset, HeldOut, Sample, SplitRule};
use crate::model::weights::WeightFile;
use crate::model::{Backbone, Resnet, load_teacher};
use crate::tensor::Backend;
use crate::training::{JointInput, PretrainInput, StageContext, StageError, joint, pretrain};

/// Finds artifacts: what a stage reads of other stages.
pub trait ArtifactFolders {
    /// The folder of a stage's artifact.
    fn folder(&self, kind: StageKind, key: &Key) -> PathBuf;
}

/// Runs one stage; its files are in `context.out` afterwards.
pub fn execute<B: Backend>(
    job: &StageJob,
    artifacts: &dyn ArtifactFolders,
    context: &mut StageContext<'_>,
) -> Result<(), StageError> {
    B::reset_memory();
    run::<B>(job, artifacts, context)?;
    if let Some(memory) = B::memory() {
        context.observer.cost("device_peak_bytes", memory.peak as f64);
    }
    Ok(())
}

fn run<B: Backend>(
    job: &StageJob,
    artifacts: &dyn ArtifactFolders,
    context: &mut StageContext<'_>,
) -> Result<(), StageError> {
    let path = |kind, key| artifacts.folder(kind, key);
    let split = |seed: u64, held_out: &HeldOut| SplitRule { seed, held_out: held_out.clone() };
    match job {
        StageJob::Features(job) => {
            let samples = samples(&job.images, Check::Images)?;
            let (teacher, _) = planned_teacher::<B>(&job.teacher)?;
            let DataSettings { image_size, reading, .. } = *job.images.data;
            features(FeaturesInput { samples: &samples, image_size, reading, teacher }, context)
        }
        StageJob::Pretrain(job) => pretrain::<B>(
            &PretrainInput {
                features: &path(StageKind::Features, &job.features),
                split: &split(job.split_seed, &job.held_out),
                model: &job.model,
                settings: &job.pretrain,
                seed: job.seed,
            },
            context,
        ),
        StageJob::Joint(job) => joint::<B>(
            &JointInput {
                features: &path(StageKind::Features, &job.features),
                pretrain: job.pretrain.as_ref().map(|key| path(StageKind::Pretrain, key)).as_deref(),
                split: &split(job.images.data.split_seed, &job.held_out),
                architecture: job.teacher.settings.architecture.unwrap_or_default(),
                model: &job.model,
                settings: &job.joint,
                oracle_epochs: job.oracle_epochs,
                seed: job.seed,
            },
            context,
        ),
        StageJob::Score(job) => score::<B>(
            &ScoreInput {
                joint: &path(StageKind::Joint, &job.joint),
                features_train: &path(StageKind::Features, &job.features_train),
                features_test: &path(StageKind::Features, &job.features_test),
                test: &samples(&job.test_images, Check::Count)?,
                split: &split(job.train_images.data.split_seed, &job.held_out),
                selection: job.selection,
                model: &job.model,
            },
            context,
        ),
        StageJob::Paint(job) => paint(
            PaintInput {
                features: &path(StageKind::Features, &job.features),
                split: &split(job.split_seed, &job.held_out),
                teacher: planned_teacher::<B>(&job.teacher)?.0,
            },
            context,
        ),
        StageJob::Pseudo(job) => pseudo::<B>(
            &PseudoInput {
                joint: &path(StageKind::Joint, &job.joint),
                features_train: &path(StageKind::Features, &job.features_train),
                painted: &path(StageKind::Features, &job.painted),
                split: &split(job.split_seed, &job.held_out),
                model: &job.model,
                settings: &job.evaluate,
            },
            context,
        ),
        StageJob::Evaluate(job) => {
            let test = samples(&job.test_images, Check::Masks(&job.masks))?;
            evaluate(
                &EvaluateInput {
                    score: &path(StageKind::Score, &job.score),
                    test: &test,
                    image_size: job.test_images.data.image_size,
                    reading: job.test_images.data.reading,
                    settings: &job.evaluate,
                    selection: job.selection,
                    held_out_trained: job.held_out_trained,
                },
                context,
            )
        }
    }
}

/// The frozen teacher and its shape, if its weights are those that the sweep was planned with.
///
/// # Errors
/// Weights that are absent, damaged or others.
pub fn planned_teacher<B: Backend>(planned: &TeacherRef) -> Result<(Resnet<B>, Backbone), StageError> {
    let file = WeightFile::open(&planned.settings.weights).map_err(StageError::data)?;
    if file.digest != planned.digest {
        return Err(StageError::data(format!(
            "{} has changed since the sweep was planned: start the sweep again to plan with the new weights",
            file.source
        )));
    }
    load_teacher(&file, planned.settings.levels).map_err(StageError::data)
}

/// What must still be as it was when the sweep was planned.
enum Check<'a> {
    /// The images themselves.
    Images,
    /// Labels and masks, of this digest.
    Masks(&'a str),
    /// Nothing is read but the names.
    Count,
}

fn samples(set: &ImageSet, check: Check<'_>) -> Result<Vec<Sample>, StageError> {
    let dataset = Dataset::open(&set.data).map_err(StageError::data)?;
    let category = dataset.category(&set.category).map_err(StageError::data)?;
    let (found, planned) = match (check, set.part) {
        (Check::Images, Part::Train) => (category.train_digest(), set.digest.as_str()),
        (Check::Images, Part::Test) => (category.test_digest(), set.digest.as_str()),
        (Check::Masks(planned), _) => (category.mask_digest(), planned),
        (Check::Count, _) => (Ok(set.digest.clone()), set.digest.as_str()),
    };
    if found.map_err(StageError::data)? != planned {
        return Err(StageError::data(format!(
            "the files of {} have changed since the sweep was planned: start the sweep again to plan with the new ones",
            set.category
        )));
    }
    Ok(match set.part {
        Part::Train => category.train.clone(),
        Part::Test => category.test.clone(),
    })
}
