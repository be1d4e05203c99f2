//! Joint training: the student and the auto-encoders behind it learn to predict the teacher.

mod gradients;
#[cfg(test)]
mod recorded;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::batch::Batches;
use super::context::{StageContext, StageError, write_json};
use super::corruption::At;
use super::driver::{Numbers, Phase, Schedule, StepNumbers, drive, spaced_epochs};
use super::forward::backbone;
use super::held_out::held_out_numbers;
use super::settings::{JointSettings, SelectionRule, TrainedImages};
use super::training_folder::{self, TrainingFolder};
use super::weight_files::{PRETRAINED, SELECTED};
use super::weighting::Weighting;
use crate::model::{Architecture, Assembly, Backbone, Corruption, Model};
use crate::nn::{Module, Optimizer, State, clip_global_norm};
use crate::tensor::Backend;

/// Input of the stage.
pub struct JointInput<'a> {
    /// The categories whose normal images the model learns from.
    pub images: &'a [TrainingFolder<'a>],
    /// Folder of the pretraining stage, if any.
    pub pretrain: Option<&'a Path>,
    /// Network of teacher and student.
    pub architecture: Architecture,
    /// Student, and its auto-encoders if there are any.
    pub model: &'a Model,
    /// Training settings.
    pub settings: &'a JointSettings,
    /// Number of evenly spaced epochs whose weights are kept for the oracle.
    pub oracle_epochs: usize,
    /// The run's seed.
    pub seed: u64,
}

/// Result of joint training.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JointSummary {
    /// The epoch that the selection rule picked, from 1.
    pub selected_epoch: usize,
    /// Number of trained epochs.
    pub epochs: usize,
    /// Epochs whose weights are kept for the oracle.
    pub oracle: Vec<usize>,
    /// Base width of the student.
    pub width: usize,
    /// Network of the student.
    pub architecture: Architecture,
    /// Number of trained values of student and auto-encoders.
    pub parameters: usize,
    /// Forward multiply-accumulates per image.
    pub multiply_accumulates: u64,
}

impl JointSummary {
    /// File name of the summary in the artifact.
    const FILE: &str = "joint.json";

    /// Reads the summary of a joint artifact.
    pub fn read(folder: &Path) -> Result<Self, StageError> {
        let path = folder.join(Self::FILE);
        let text = std::fs::read(&path).map_err(StageError::reading(&path))?;
        serde_json::from_slice(&text).map_err(StageError::reading(&path))
    }
}

struct Joint<'a, B: Backend> {
    batches: Batches<'a, B>,
    held_out: &'a [usize],
    settings: &'a JointSettings,
    corruption: Corruption,
    seed: u64,
    assembly: Assembly<B>,
    weighting: Weighting,
    student_optimizer: Optimizer<B>,
    /// `None` without auto-encoders.
    autoencoder_optimizer: Option<Optimizer<B>>,
}

/// Trains. Writes the weights of the selected and the last epoch, the oracle's snapshots and a [`JointSummary`].
pub fn joint<B: Backend>(input: &JointInput<'_>, context: &mut StageContext<'_>) -> Result<(), StageError> {
    let (features, split) = training_folder::open(input.images)?;
    let backbone = backbone(features.header(), input.architecture)?;
    let mut assembly = Assembly::<B>::new(input.seed, &backbone, input.model);
    if let (Some(folder), Some(autoencoders)) = (input.pretrain, &mut assembly.autoencoders) {
        let state = State::load(&folder.join(PRETRAINED)).map_err(StageError::artifact)?;
        state.load_module("autoencoder.", autoencoders).map_err(StageError::artifact)?;
    }
    let complexity = assembly.complexity(features.header().side);
    let mut phase = Joint {
        batches: Batches::kept(&features, context.device_memory),
        held_out: &split.held_out,
        settings: input.settings,
        corruption: input.model.autoencoder().corruption(),
        seed: input.seed,
        assembly,
        weighting: Weighting::new(input.settings.loss.as_ref().map(|loss| loss.weighting).unwrap_or_default()),
        student_optimizer: Optimizer::new(input.settings.student),
        autoencoder_optimizer: input.settings.autoencoder.map(Optimizer::new),
    };
    let train = match input.settings.images {
        TrainedImages::Train => split.train,
        TrainedImages::All => (0..features.len()).collect(),
    };
    let snapshots = spaced_epochs(input.oracle_epochs, input.settings.epochs);
    let schedule = Schedule {
        epochs: input.settings.epochs,
        batch_size: input.settings.batch_size,
        train: &train,
        seed: input.seed,
        snapshots: &snapshots,
        patience: input.settings.patience,
    };
    let outcome = drive(&mut phase, &schedule, context)?;
    if input.settings.selection == SelectionRule::Last {
        phase.weights()?.save(&context.out.join(SELECTED)).map_err(StageError::artifact)?;
    }
    let summary = JointSummary {
        selected_epoch: outcome.selected_epoch,
        epochs: outcome.epochs,
        oracle: snapshots.into_iter().filter(|&epoch| epoch <= outcome.epochs).collect(),
        width: backbone.width,
        architecture: backbone.architecture,
        parameters: complexity.parameters,
        multiply_accumulates: complexity.multiply_accumulates,
    };
    write_json(&context.out.join(JointSummary::FILE), &summary)
}

impl<B: Backend> Phase for Joint<'_, B> {
    type Backend = B;

    fn step(&mut self, indices: &[usize], at: At) -> Result<StepNumbers<B>, StageError> {
        let (mut gradients, mut numbers) = self.gradients(indices, at)?;
        let Assembly { student, autoencoders, .. } = &self.assembly;
        let mut modules: Vec<&dyn Module<B>> = vec![student];
        modules.extend(autoencoders.as_ref().map(|module| module as &dyn Module<B>));
        let norms = clip_global_norm(&modules, &mut gradients, self.settings.clip_norm).map_err(StageError::device)?;
        numbers.insert("gradient_norm", norms.all);
        if modules.len() > 1 {
            numbers.extend(["gradient_norm_student", "gradient_norm_autoencoder"].into_iter().zip(norms.parts));
        }
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

    fn end_epoch(&mut self, means: &BTreeMap<&str, f64>) -> Numbers {
        let factors = self.factors(self.settings.batch_size);
        let mean = |name| means.get(name).copied().unwrap_or(0.0);
        self.weighting.end_epoch([factors[0] * mean("loss_similarity"), factors[1] * mean("loss_reconstruction")]);
        let names = ["weight_similarity", "weight_reconstruction"];
        self.weighting.moving().map(|weights| names.into_iter().zip(weights).collect()).unwrap_or_default()
    }

    fn criterion(&self) -> Option<&'static str> {
        match self.settings.selection {
            SelectionRule::HeldOutLoss => Some("held_out_loss"),
            SelectionRule::HeldOutScore => Some("held_out_score"),
            SelectionRule::Last => None,
        }
    }

    fn weights(&mut self) -> Result<State, StageError> {
        assembly_state(&self.assembly)
    }

    fn add_moments(&mut self, state: &mut State) -> Result<(), StageError> {
        self.weighting.save(&mut state.metadata);
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
        self.weighting.restore(&state.metadata);
        self.student_optimizer
            .restore("optimizer.student", &self.assembly.student, state)
            .map_err(StageError::resuming)?;
        match (&mut self.autoencoder_optimizer, &self.assembly.autoencoders) {
            (Some(optimizer), Some(module)) => {
                optimizer.restore("optimizer.autoencoder", module, state).map_err(StageError::resuming)
            }
            _ => Ok(()),
        }
    }
}

/// Returns weights and buffers of student (`student.…`) and auto-encoders (`autoencoder.…`).
fn assembly_state<B: Backend>(assembly: &Assembly<B>) -> Result<State, StageError> {
    let mut state = State::default();
    state.add_module("student.", &assembly.student).map_err(StageError::device)?;
    if let Some(autoencoders) = &assembly.autoencoders {
        state.add_module("autoencoder.", autoencoders as &dyn Module<B>).map_err(StageError::device)?;
    }
    Ok(state)
}

/// Loads the weights that [`joint`] saved.
pub fn load_assembly<B: Backend>(assembly: &mut Assembly<B>, state: &State) -> Result<(), StageError> {
    state.load_module("student.", &mut assembly.student).map_err(StageError::artifact)?;
    match &mut assembly.autoencoders {
        Some(autoencoders) => state.load_module("autoencoder.", autoencoders).map_err(StageError::artifact),
        None => Ok(()),
    }
}

/// Returns student and auto-encoders of the selected epoch, from the folder of a joint stage.
pub(crate) fn selected_assembly<B: Backend>(
    joint: &Path,
    backbone: &Backbone,
    model: &Model,
) -> Result<Assembly<B>, StageError> {
    let state = State::load(&joint.join(SELECTED)).map_err(StageError::artifact)?;
    let mut assembly = Assembly::new(0, backbone, model);
    load_assembly(&mut assembly, &state)?;
    Ok(assembly)
}
