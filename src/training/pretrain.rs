//! Pretraining: each auto-encoder learns to reconstruct the teacher's features (MSE, Adam).

use dfdx::tensor::NoneTape;

use super::batch::Batches;
use super::context::{StageContext, StageError};
use super::corruption::{At, corrupt};
use super::driver::{Numbers, Phase, Schedule, StepNumbers, drive};
use super::forward::backbone;
use super::settings::PretrainSettings;
use super::training_folder::{self, TrainingFolder};
use super::weight_files::{LAST, PRETRAINED};
use crate::cause::Context;
use crate::model::{Architecture, AutoEncoder, AutoEncoders, Corruption};
use crate::nn::{Input, Mode, Optimizer, OptimizerSettings, State, clip_global_norm};
use crate::tensor::{Backend, Recorded};

/// Input of the stage.
pub struct PretrainInput<'a> {
    /// The categories whose normal images the model learns from.
    pub images: &'a [TrainingFolder<'a>],
    /// Shape of the auto-encoders.
    pub model: &'a AutoEncoder,
    /// Training settings.
    pub settings: &'a PretrainSettings,
    /// The run's seed.
    pub seed: u64,
}

struct Pretrain<'a, B: Backend> {
    batches: Batches<'a, B>,
    held_out: &'a [usize],
    batch_size: usize,
    clip_norm: f64,
    corruption: Corruption,
    seed: u64,
    autoencoders: AutoEncoders<B>,
    optimizer: Optimizer<B>,
}

/// Trains the auto-encoders and writes [`PRETRAINED`].
pub fn pretrain<B: Backend>(input: &PretrainInput<'_>, context: &mut StageContext<'_>) -> Result<(), StageError> {
    let (features, split) = training_folder::open(input.images)?;
    // The auto-encoders depend only on the channels, so any architecture serves here.
    let backbone = backbone(features.header(), Architecture::Resnet18)?;
    let autoencoders = AutoEncoders::new(input.seed, &backbone, input.model);
    let autoencoders = autoencoders.ok_or_else(|| StageError::Bug("pretraining without auto-encoders".into()))?;
    let mut phase = Pretrain::<B> {
        batches: Batches::kept(&features, context.device_memory),
        held_out: &split.held_out,
        batch_size: input.settings.batch_size,
        clip_norm: input.settings.clip_norm,
        corruption: input.model.corruption(),
        seed: input.seed,
        autoencoders,
        optimizer: Optimizer::new(OptimizerSettings::adam(input.settings.learning_rate, 0.0)),
    };
    let schedule = Schedule {
        epochs: input.settings.epochs,
        batch_size: input.settings.batch_size,
        train: &split.train,
        seed: input.seed,
        snapshots: &[],
        patience: 0,
    };
    drive(&mut phase, &schedule, context)?;
    phase.weights()?.save(&context.out.join(PRETRAINED)).map_err(StageError::artifact)?;
    // Joint training starts with new moments, so it needs only the weights.
    let last = context.out.join(LAST);
    std::fs::remove_file(&last)
        .map_err(|error| StageError::artifact(Context::new(format!("cannot remove {}", last.display()), error)))
}

impl<B: Backend> Pretrain<'_, B> {
    /// Returns the positions of the levels that have an auto-encoder.
    fn levels(&self) -> Vec<usize> {
        (0..self.batches.set().header().levels.len()).filter(|&level| self.autoencoders.is_at(level)).collect()
    }
}

impl<B: Backend> Phase for Pretrain<'_, B> {
    type Backend = B;

    fn step(&mut self, indices: &[usize], at: At) -> Result<StepNumbers<B>, StageError> {
        let mut total = None;
        for level in self.levels() {
            let target = self.batches.teacher(level, indices)?;
            let input = corrupt::<B, NoneTape>(target.clone(), self.corruption, self.seed, level, at)?;
            let input = input.put_tape(Recorded::default());
            let rebuilt =
                self.autoencoders.forward(level, input, Input::Constant, Mode::Train).map_err(StageError::device)?;
            let loss = B::mean_squared_error(rebuilt, target).map_err(StageError::device)?;
            total = Some(match total {
                None => loss,
                Some(sum) => B::weighted_sum((sum, 1.0), [(loss, 1.0)]).map_err(StageError::device)?,
            });
        }
        let loss = total.ok_or_else(|| StageError::Bug("a feature set without levels".into()))?;
        let value = loss.retaped::<NoneTape>();
        let mut gradients = B::backward(loss).map_err(StageError::device)?;
        let norm =
            clip_global_norm(&[&self.autoencoders], &mut gradients, self.clip_norm).map_err(StageError::device)?.all;
        self.optimizer.step(&mut self.autoencoders, &mut gradients, 1.0).map_err(StageError::device)?;
        Ok([("loss", value), ("gradient_norm", norm)].into())
    }

    fn held_out(&mut self) -> Result<Numbers, StageError> {
        let mut sum = 0.0;
        for indices in self.held_out.chunks(self.batch_size) {
            for level in self.levels() {
                let target = self.batches.teacher(level, indices)?;
                let input = target.clone();
                let rebuilt = self
                    .autoencoders
                    .forward(level, input, Input::Constant, Mode::Evaluate)
                    .map_err(StageError::device)?;
                let loss = B::mean_squared_error(rebuilt, target).map_err(StageError::device)?;
                sum += B::number(&loss).map_err(StageError::device)? * indices.len() as f64;
            }
        }
        Ok([("held_out_loss", sum / self.held_out.len() as f64)].into())
    }

    fn criterion(&self) -> Option<&'static str> {
        None
    }

    fn weights(&mut self) -> Result<State, StageError> {
        let mut state = State::default();
        state.add_module("autoencoder.", &self.autoencoders).map_err(StageError::device)?;
        Ok(state)
    }

    fn add_moments(&mut self, state: &mut State) -> Result<(), StageError> {
        self.optimizer.save("optimizer.autoencoder", &self.autoencoders, state).map_err(StageError::device)
    }

    fn restore(&mut self, state: &State) -> Result<(), StageError> {
        state.load_module("autoencoder.", &mut self.autoencoders).map_err(StageError::artifact)?;
        self.optimizer.restore("optimizer.autoencoder", &self.autoencoders, state).map_err(StageError::resuming)
    }
}
