//! The stage `joint`: the student, and the auto-encoders behind it, learn to predict the teacher.

use std::path::Path;

use dfdx::tensor::{NoneTape, PutTape, SplitTape, WithEmptyTape};
use dfdx::tensor_ops::Backward;
use serde::{Deserialize, Serialize};

use super::corruption::{At, corrupt};
use super::driver::{Numbers, Phase, Schedule, StepNumbers, drive, snapshot_name, spaced_epochs};
use super::held_out::held_out_numbers;
use super::{Batches, JointSettings, LossSettings, ReconstructionGradient, SelectionRule, StageContext, StageError};
use crate::data::{FeatureSet, SplitRule};
use crate::model::{Assembly, AutoEncoder, AutoEncoders, Corruption};
use crate::nn::{Input, Mode, Module, Optimizer, State, clip_global_norm};
use crate::tensor::{Backend, Features, Recorded, Scalar};

/// What the stage works on.
pub struct JointInput<'a> {
    /// Folder of features(train): teacher features and prepared images.
    pub features: &'a Path,
    /// Folder of the pretraining, if any.
    pub pretrain: Option<&'a Path>,
    /// The held-out part.
    pub split: &'a SplitRule,
    /// Auto-encoders, or none.
    pub model: &'a AutoEncoder,
    /// Training settings.
    pub settings: &'a JointSettings,
    /// Number of evenly spaced epochs whose weights are kept for the oracle.
    pub oracle_epochs: usize,
    /// The run's seed.
    pub seed: u64,
}

/// What `joint.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JointSummary {
    /// The epoch that the selection rule picked, from 1.
    pub selected_epoch: usize,
    /// Epochs trained.
    pub epochs: usize,
    /// Epochs whose weights are kept for the oracle.
    pub oracle: Vec<usize>,
    /// Base width of the student.
    pub width: usize,
    /// Trained values of student and auto-encoders.
    pub parameters: usize,
    /// Forward multiply-accumulates an image.
    pub multiply_accumulates: u64,
}

impl JointSummary {
    /// Reads the summary of a joint artifact.
    pub fn read(folder: &Path) -> Result<Self, StageError> {
        let path = folder.join("joint.json");
        let wrong = |reason: String| StageError::Artifact(format!("{}: {reason}", path.display()));
        let text = std::fs::read(&path).map_err(|e| wrong(e.to_string()))?;
        serde_json::from_slice(&text).map_err(|e| wrong(e.to_string()))
    }

    /// File name of one epoch's weights in the artifact.
    pub fn snapshot_file(epoch: usize) -> String {
        format!("{}.safetensors", snapshot_name(epoch))
    }
}

struct Joint<'a, B: Backend> {
    batches: Batches<'a, B>,
    held_out: &'a [usize],
    settings: &'a JointSettings,
    corruption: Corruption,
    seed: u64,
    assembly: Assembly<B>,
    student_optimizer: Optimizer<B>,
    /// Absent without auto-encoders.
    autoencoder_optimizer: Option<Optimizer<B>>,
}

/// Trains; leaves `selected.safetensors`, `last.safetensors`, the oracle's snapshots and `joint.json`.
pub fn joint<B: Backend>(input: &JointInput<'_>, context: &mut StageContext<'_>) -> Result<(), StageError> {
    let features = FeatureSet::open(input.features).map_err(StageError::artifact)?;
    let split = input.split.split(features.len()).map_err(|e| StageError::Data(e.to_string()))?;
    let width = features.header().levels[0].channels;
    let mut assembly = Assembly::<B>::new(input.seed, width, input.model);
    if let (Some(folder), Some(autoencoders)) = (input.pretrain, &mut assembly.autoencoders) {
        let state = State::load(&folder.join("checkpoint.safetensors")).map_err(StageError::artifact)?;
        state.load_module("autoencoder.", autoencoders).map_err(StageError::artifact)?;
    }
    let complexity = assembly.complexity(features.header().side);
    let mut phase = Joint {
        batches: Batches::kept(&features, context.device_memory),
        held_out: &split.held_out,
        settings: input.settings,
        corruption: match input.model {
            AutoEncoder::Unet(unet) => unet.input,
            AutoEncoder::None => Corruption::Plain,
        },
        seed: input.seed,
        assembly,
        student_optimizer: Optimizer::new(input.settings.student),
        autoencoder_optimizer: input.settings.autoencoder.map(Optimizer::new),
    };
    let snapshots = spaced_epochs(input.oracle_epochs, input.settings.epochs);
    let schedule = Schedule {
        epochs: input.settings.epochs,
        batch_size: input.settings.batch_size,
        train: &split.train,
        seed: input.seed,
        snapshots: &snapshots,
        patience: input.settings.patience,
    };
    let outcome = drive(&mut phase, &schedule, context)?;
    let summary = JointSummary {
        selected_epoch: outcome.selected_epoch,
        epochs: outcome.epochs,
        oracle: snapshots.into_iter().filter(|&epoch| epoch <= outcome.epochs).collect(),
        width,
        parameters: complexity.parameters,
        multiply_accumulates: complexity.multiply_accumulates,
    };
    let path = context.out.join("joint.json");
    let text = serde_json::to_vec_pretty(&summary).map_err(StageError::artifact)?;
    std::fs::write(&path, text).map_err(|error| StageError::Artifact(format!("{}: {error}", path.display())))
}

/// The losses of one level, or their sum over levels.
struct Losses<B: Backend> {
    /// Weighted total, with the tape.
    total: Scalar<B, Recorded<B>>,
    /// Unweighted.
    similarity: Scalar<B>,
    /// Unweighted; absent without auto-encoders.
    reconstruction: Option<Scalar<B>>,
}

impl<B: Backend> Losses<B> {
    fn plus(self, other: Self) -> Self {
        Self {
            total: self.total + other.total,
            similarity: self.similarity + other.similarity,
            reconstruction: self.reconstruction.zip(other.reconstruction).map(|(a, b)| a + b),
        }
    }
}

/// The losses at one level: Σ mean‖T^ − S^‖² for ST-FPM; with an auto-encoder
/// w_sim · mean‖T^ − A(S)^‖² + w_rec · MSE(A(S), S), where A sees S as `corrupted` leaves it.
fn level_losses<B: Backend>(
    level: usize,
    teacher: &Features<B>,
    student: Features<B, Recorded<B>>,
    autoencoders: Option<(&mut AutoEncoders<B>, &LossSettings)>,
    corrupted: impl Fn(Features<B, Recorded<B>>) -> Result<Features<B, Recorded<B>>, StageError>,
) -> Result<Losses<B>, StageError> {
    let device = |error| StageError::device(error);
    let Some((autoencoders, weights)) = autoencoders else {
        let total = B::similarity(teacher, student).map_err(device)?;
        let similarity = total.retaped::<NoneTape>();
        return Ok(Losses { total, similarity, reconstruction: None });
    };
    let target = student.with_empty_tape();
    let rebuilt = autoencoders.forward(level, corrupted(student)?, Input::Trained, Mode::Train).map_err(device)?;
    let (similarity, reconstruction) = match weights.reconstruction_gradient {
        ReconstructionGradient::Both => {
            let similarity = B::similarity(teacher, rebuilt.with_empty_tape()).map_err(device)?;
            (similarity, B::mean_squared_error(rebuilt, target).map_err(device)?)
        }
        ReconstructionGradient::Autoencoder => {
            // A second pass over detached features: a product has a new identity, so no gradient finds its way back.
            let (target, _) = target.split_tape();
            let detached = target * 1.0_f32;
            let input = corrupted(detached.clone().put_tape(Recorded::<B>::default()))?;
            let again = autoencoders.forward(level, input, Input::Constant, Mode::TrainUntracked).map_err(device)?;
            let reconstruction = B::mean_squared_error(again, detached).map_err(device)?;
            (B::similarity(teacher, rebuilt).map_err(device)?, reconstruction)
        }
    };
    let values = (similarity.retaped::<NoneTape>(), reconstruction.retaped::<NoneTape>());
    let total = similarity * weights.similarity as f32 + reconstruction * weights.reconstruction as f32;
    Ok(Losses { total, similarity: values.0, reconstruction: Some(values.1) })
}

impl<B: Backend> Joint<'_, B> {
    fn losses(&mut self, indices: &[usize], at: At) -> Result<Losses<B>, StageError> {
        let images = self.batches.images(indices)?.put_tape(Recorded::<B>::default());
        let levels = self.assembly.student.forward(images, Mode::Train).map_err(StageError::device)?;
        let (corruption, seed) = (self.corruption, self.seed);
        let mut sum: Option<Losses<B>> = None;
        for (level, student) in levels.into_iter().enumerate() {
            let teacher = self.batches.teacher(level, indices)?;
            let autoencoders = self.assembly.autoencoders.as_mut().zip(self.settings.loss.as_ref());
            let corrupted = |features| corrupt::<B, Recorded<B>>(features, corruption, seed, level, at);
            let losses = level_losses(level, &teacher, student, autoencoders, corrupted)?;
            sum = Some(match sum {
                None => losses,
                Some(sum) => sum.plus(losses),
            });
        }
        sum.ok_or_else(|| StageError::Bug("a student without levels".into()))
    }
}

impl<B: Backend> Phase for Joint<'_, B> {
    type Backend = B;

    fn step(&mut self, indices: &[usize], at: At) -> Result<StepNumbers<B>, StageError> {
        let losses = self.losses(indices, at)?;
        let mut numbers = StepNumbers::<B>::from([("loss", losses.total.retaped::<NoneTape>())]);
        numbers.insert("loss_similarity", losses.similarity);
        numbers.extend(losses.reconstruction.map(|value| ("loss_reconstruction", value)));
        let mut gradients = losses.total.try_backward().map_err(StageError::device)?;
        let norm = clip_global_norm::<B>(&[&self.assembly], &mut gradients, self.settings.clip_norm)
            .map_err(StageError::device)?;
        numbers.insert("gradient_norm", norm);
        let JointSettings { schedule, epochs, warm_up, .. } = self.settings;
        let rate = schedule.factor(at.trained(), *epochs, *warm_up);
        self.student_optimizer.step(&mut self.assembly.student, &mut gradients, rate).map_err(StageError::device)?;
        if let (Some(optimizer), Some(module)) = (&mut self.autoencoder_optimizer, &mut self.assembly.autoencoders) {
            optimizer.step(module, &mut gradients, rate).map_err(StageError::device)?;
        }
        Ok(numbers)
    }

    fn held_out(&mut self) -> Result<Numbers, StageError> {
        held_out_numbers(&mut self.assembly, &self.batches, self.held_out)
    }

    fn criterion(&self) -> Option<&'static str> {
        Some(match self.settings.selection {
            SelectionRule::HeldOutLoss => "held_out_loss",
            SelectionRule::HeldOutScore => "held_out_score",
        })
    }

    fn weights(&mut self) -> Result<State, StageError> {
        Ok(assembly_state(&self.assembly))
    }

    fn add_moments(&mut self, state: &mut State) -> Result<(), StageError> {
        self.student_optimizer.save("optimizer.student", &self.assembly.student, state).map_err(StageError::device)?;
        match (&mut self.autoencoder_optimizer, &self.assembly.autoencoders) {
            (Some(optimizer), Some(module)) => {
                optimizer.save("optimizer.autoencoder", module, state).map_err(StageError::device)
            }
            _ => Ok(()),
        }
    }

    fn restore(&mut self, state: &State) -> Result<(), StageError> {
        load_assembly(&mut self.assembly, state)?;
        self.student_optimizer
            .restore("optimizer.student", &self.assembly.student, state)
            .map_err(StageError::artifact)?;
        match (&mut self.autoencoder_optimizer, &self.assembly.autoencoders) {
            (Some(optimizer), Some(module)) => {
                optimizer.restore("optimizer.autoencoder", module, state).map_err(StageError::artifact)
            }
            _ => Ok(()),
        }
    }
}

/// Weights and buffers of student (`student.…`) and auto-encoders (`autoencoder.…`).
fn assembly_state<B: Backend>(assembly: &Assembly<B>) -> State {
    let mut state = State::default();
    state.add_module("student.", &assembly.student);
    if let Some(autoencoders) = &assembly.autoencoders {
        state.add_module("autoencoder.", autoencoders as &dyn Module<B>);
    }
    state
}

/// Loads what [`joint`] saved.
pub fn load_assembly<B: Backend>(assembly: &mut Assembly<B>, state: &State) -> Result<(), StageError> {
    state.load_module("student.", &mut assembly.student).map_err(StageError::artifact)?;
    match &mut assembly.autoencoders {
        Some(autoencoders) => state.load_module("autoencoder.", autoencoders).map_err(StageError::artifact),
        None => Ok(()),
    }
}
