//! The stage `joint`: the student, and the auto-encoders behind it, learn to predict the teacher.

use std::collections::BTreeMap;
use std::path::Path;

use dfdx::tensor::{NoneTape, PutTape};
use dfdx::tensor_ops::Backward;
use serde::{Deserialize, Serialize};

use super::corruption::{At, corrupt};
use super::driver::{Numbers, Phase, Schedule, StepNumbers, drive, snapshot_name, spaced_epochs};
use super::features::backbone;
use super::held_out::held_out_numbers;
use super::losses::{Level, Losses};
use super::weighting::{Needs, Pair, Weighting};
use super::{Batches, JointSettings, SelectionRule, StageContext, StageError, TrainedImages};
use crate::data::{FeatureSet, SplitRule};
use crate::model::{Architecture, Assembly, AutoEncoder, Corruption};
use crate::nn::{Mode, Module, Optimizer, State, clip_global_norm};
use crate::tensor::{Backend, Gradients, OpResult, Recorded, Scalar, to_host};

/// What the stage works on.
pub struct JointInput<'a> {
    /// Folder of features(train): teacher features and prepared images.
    pub features: &'a Path,
    /// Folder of the pretraining, if any.
    pub pretrain: Option<&'a Path>,
    /// The held-out part.
    pub split: &'a SplitRule,
    /// The network of teacher and student.
    pub architecture: Architecture,
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
    /// Its network.
    #[serde(default)]
    pub architecture: Architecture,
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
    weighting: Weighting,
    student_optimizer: Optimizer<B>,
    /// Absent without auto-encoders.
    autoencoder_optimizer: Option<Optimizer<B>>,
}

/// Trains; leaves `selected.safetensors`, `last.safetensors`, the oracle's snapshots and `joint.json`.
pub fn joint<B: Backend>(input: &JointInput<'_>, context: &mut StageContext<'_>) -> Result<(), StageError> {
    let features = FeatureSet::open(input.features).map_err(StageError::artifact)?;
    let split = input.split.split(features.len()).map_err(|e| StageError::Data(e.to_string()))?;
    let backbone = backbone(features.header(), input.architecture)?;
    let mut assembly = Assembly::<B>::new(input.seed, &backbone, input.model);
    if let (Some(folder), Some(autoencoders)) = (input.pretrain, &mut assembly.autoencoders) {
        let state = State::load(&folder.join("checkpoint.safetensors")).map_err(StageError::artifact)?;
        state.load_module("autoencoder.", autoencoders).map_err(StageError::artifact)?;
    }
    let complexity = assembly.complexity(features.header().side);
    let mut phase = Joint {
        batches: Batches::kept(&features, context.device_memory),
        held_out: &split.held_out,
        settings: input.settings,
        corruption: input.model.corruption(),
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
        phase.weights()?.save(&context.out.join("selected.safetensors")).map_err(StageError::artifact)?;
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
    let path = context.out.join("joint.json");
    let text = serde_json::to_vec_pretty(&summary).map_err(StageError::artifact)?;
    std::fs::write(&path, text).map_err(|error| StageError::Artifact(format!("{}: {error}", path.display())))
}

impl<B: Backend> Joint<'_, B> {
    /// The losses of a batch, summed over levels.
    fn losses(&mut self, indices: &[usize], at: At, mode: Mode) -> Result<Losses<B>, StageError> {
        let images = self.batches.images(indices)?.put_tape(Recorded::<B>::default());
        let levels = self.assembly.student.forward(images, mode).map_err(StageError::device)?;
        let (corruption, seed) = (self.corruption, self.seed);
        let mut sum: Option<Losses<B>> = None;
        for (level, student) in levels.into_iter().enumerate() {
            let teacher = self.batches.teacher(level, indices)?;
            let autoencoders = self.assembly.autoencoders.as_mut().zip(self.settings.loss.as_ref());
            let autoencoders = autoencoders.filter(|(autoencoders, _)| autoencoders.is_at(level));
            let corrupted = |features| corrupt::<B, Recorded<B>>(features, corruption, seed, level, at);
            let level = Level {
                level,
                teacher: &teacher,
                student,
                head: self.assembly.student.head(level),
                similarity: &self.settings.similarity,
                mode,
            };
            let losses = match autoencoders {
                None => level.plain().map_err(StageError::device)?,
                Some((autoencoders, settings)) => level.rebuilt(autoencoders, settings, corrupted)?,
            };
            sum = Some(match sum {
                None => losses,
                Some(sum) => sum.plus(losses),
            });
        }
        sum.ok_or_else(|| StageError::Bug("a student without levels".into()))
    }

    /// The factors of similarity and reconstruction that the settings give a batch, whatever moves the weights besides.
    fn factors(&self, images: usize) -> Pair {
        let levels = self.batches.set().header().levels.len();
        let reduction = self.settings.similarity.reduction.factor(images, levels);
        match &self.settings.loss {
            None => [reduction, 0.0],
            Some(loss) => [loss.similarity * reduction, loss.reconstruction],
        }
    }

    /// The gradients of one step, and its numbers.
    fn gradients(&mut self, indices: &[usize], at: At) -> Result<(Gradients<B>, StepNumbers<B>), StageError> {
        let factors = self.factors(indices.len());
        let needs = self.weighting.needs();
        let first = match needs {
            Needs::Gradients => Some(self.similarity_alone(indices, at, factors[0])?),
            Needs::Nothing | Needs::Losses => None,
        };
        let losses = self.losses(indices, at, Mode::Train)?;
        let (similarity, reconstruction) =
            (losses.similarity.retaped::<NoneTape>(), losses.reconstruction.as_ref().map(|r| r.retaped::<NoneTape>()));
        let weights = match needs {
            Needs::Losses => self.weighting.of_losses(weighed::<B>(&similarity, reconstruction.as_ref(), factors)),
            // The reconstruction alone: what is known of the similarity's gradient is added below.
            Needs::Gradients => [0.0, 1.0],
            Needs::Nothing => self.weighting.weights(),
        };
        let mut total = losses.similarity * (factors[0] * weights[0]) as f32;
        if let Some(reconstruction) = losses.reconstruction {
            total = total + reconstruction * (factors[1] * weights[1]) as f32;
        }
        let mut loss = total.retaped::<NoneTape>();
        let mut gradients = total.try_backward().map_err(StageError::device)?;
        if let Some(first) = first {
            let values = weighed::<B>(&similarity, reconstruction.as_ref(), factors);
            let weights = self.add_weighed(&mut gradients, first, values)?;
            loss = similarity.clone() * (factors[0] * weights[0]) as f32;
            if let Some(reconstruction) = &reconstruction {
                loss = loss + reconstruction.clone() * (factors[1] * weights[1]) as f32;
            }
        }
        let mut numbers = StepNumbers::<B>::from([("loss", loss), ("loss_similarity", similarity)]);
        numbers.extend(reconstruction.map(|value| ("loss_reconstruction", value)));
        Ok((gradients, numbers))
    }

    /// The gradient of the similarity alone; the running statistics are left to the step's other pass.
    fn similarity_alone(&mut self, indices: &[usize], at: At, factor: f64) -> Result<Gradients<B>, StageError> {
        let losses = self.losses(indices, at, Mode::TrainUntracked)?;
        // The reconstruction's tape holds most of what the similarity hangs on.
        let mut total = losses.similarity * factor as f32;
        if let Some(reconstruction) = losses.reconstruction {
            total = total + reconstruction * 0.0;
        }
        total.try_backward().map_err(StageError::device)
    }

    /// Turns `gradients`, those of the reconstruction, into the weighed sum with the similarity's; returns the weights.
    fn add_weighed(
        &mut self,
        gradients: &mut Gradients<B>,
        mut similarity: Gradients<B>,
        losses: Pair,
    ) -> Result<Pair, StageError> {
        let norm = |gradients: &mut Gradients<B>| {
            let norms = clip_global_norm::<B>(&[&self.assembly], gradients, 0.0).map_err(StageError::device)?;
            Ok::<f64, StageError>(f64::from(to_host(&norms.all)[0]))
        };
        let norms = [norm(&mut similarity)?, norm(gradients)?];
        let weights = self.weighting.of_gradients(losses, norms);
        let [of_similarity, of_reconstruction] = weights.map(|weight| weight as f32);
        let mut outcome: OpResult<B, ()> = Ok(());
        self.assembly.parameters(&mut |parameter| {
            let mut add = || {
                let other = B::buffer_to_host(similarity.get_or_alloc_mut(&parameter.value)?);
                let buffer = gradients.get_or_alloc_mut(&parameter.value)?;
                let mut sum = B::buffer_to_host(buffer);
                for (sum, other) in sum.iter_mut().zip(other) {
                    *sum = of_reconstruction * *sum + of_similarity * other;
                }
                B::buffer_from_host(buffer, &sum);
                Ok(())
            };
            if outcome.is_ok() {
                outcome = add();
            }
        });
        outcome.map_err(StageError::device)?;
        Ok(weights)
    }
}

/// The values of the losses times their factors.
fn weighed<B: Backend>(similarity: &Scalar<B>, reconstruction: Option<&Scalar<B>>, factors: Pair) -> Pair {
    let value = |loss: &Scalar<B>| f64::from(to_host(loss)[0]);
    [factors[0] * value(similarity), factors[1] * reconstruction.map_or(0.0, value)]
}

impl<B: Backend> Phase for Joint<'_, B> {
    type Backend = B;

    fn step(&mut self, indices: &[usize], at: At) -> Result<StepNumbers<B>, StageError> {
        let (mut gradients, mut numbers) = self.gradients(indices, at)?;
        let Assembly { student, autoencoders, .. } = &self.assembly;
        let mut modules: Vec<&dyn Module<B>> = vec![student];
        modules.extend(autoencoders.as_ref().map(|module| module as &dyn Module<B>));
        let norms =
            clip_global_norm::<B>(&modules, &mut gradients, self.settings.clip_norm).map_err(StageError::device)?;
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
        Ok(assembly_state(&self.assembly))
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
