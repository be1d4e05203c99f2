//! Weighted losses of a batch and their gradients. One backward pass serves both losses, unless the weights follow from the gradients:
//! then each loss has its own pass.

use dfdx::tensor::NoneTape;

use super::Joint;
use crate::nn::{Mode, Module, clip_global_norm};
use crate::tensor::{Backend, Gradients, OpResult, Recorded, Scalar, Tape};
use crate::training::context::StageError;
use crate::training::corruption::{At, corrupt};
use crate::training::driver::StepNumbers;
use crate::training::losses::{Level, Losses};
use crate::training::weighting::{Needs, Pair};

impl<B: Backend> Joint<'_, B> {
    /// Computes the losses of a batch, summed over levels.
    fn losses(&mut self, indices: &[usize], at: At, mode: Mode) -> Result<Losses<B>, StageError> {
        let compared = self.batches.set().header().levels.len();
        let teachers =
            (0..compared).map(|level| self.batches.teacher(level, indices)).collect::<Result<Vec<_>, StageError>>()?;
        let images = || self.batches.images(indices);
        let levels = self.assembly.student.forward::<Recorded, StageError>(images, &teachers, mode)?;
        let (corruption, seed) = (self.corruption, self.seed);
        let mut sum: Option<Losses<B>> = None;
        for (level, (student, teacher)) in levels.into_iter().zip(&teachers).enumerate() {
            let autoencoders = self.assembly.autoencoders.as_mut().zip(self.settings.loss.as_ref());
            let autoencoders = autoencoders.filter(|(autoencoders, _)| autoencoders.is_at(level));
            let corrupted = |features| corrupt::<B, Recorded>(features, corruption, seed, level, at);
            let level = Level {
                level,
                teacher,
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
                Some(sum) => sum.plus(losses).map_err(StageError::device)?,
            });
        }
        sum.ok_or_else(|| StageError::Bug("a student without levels".into()))
    }

    /// Returns the factors of similarity and reconstruction that the settings give for a batch. Moving weights come on top.
    pub(super) fn factors(&self, images: usize) -> Pair {
        let levels = self.batches.set().header().levels.len();
        let reduction = self.settings.similarity.reduction.factor(images, levels);
        match &self.settings.loss {
            None => [reduction, 0.0],
            Some(loss) => [loss.similarity * reduction, loss.reconstruction],
        }
    }

    /// Returns the gradients of one step and its numbers.
    pub(super) fn gradients(
        &mut self,
        indices: &[usize],
        at: At,
    ) -> Result<(Gradients<B>, StepNumbers<B>), StageError> {
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
            Needs::Losses => self.weighting.of_losses(weighed::<B>(&similarity, reconstruction.as_ref(), factors)?),
            // Only the reconstruction: the known gradient of the similarity is added below.
            Needs::Gradients => [0.0, 1.0],
            Needs::Nothing => self.weighting.weights(),
        };
        let weights = [0, 1].map(|i| factors[i] * weights[i]);
        let total = weigh::<B, _>(losses.similarity, losses.reconstruction, weights).map_err(StageError::device)?;
        let mut loss = total.retaped::<NoneTape>();
        let mut gradients = B::backward(total).map_err(StageError::device)?;
        if let Some(first) = first {
            let values = weighed::<B>(&similarity, reconstruction.as_ref(), factors)?;
            let weights = self.add_weighed(&mut gradients, first, values)?;
            let weights = [0, 1].map(|i| factors[i] * weights[i]);
            loss = weigh::<B, _>(similarity.clone(), reconstruction.clone(), weights).map_err(StageError::device)?;
        }
        let mut numbers = StepNumbers::<B>::from([("loss", loss), ("loss_similarity", similarity)]);
        numbers.extend(reconstruction.map(|value| ("loss_reconstruction", value)));
        Ok((gradients, numbers))
    }

    /// Returns the gradient of the similarity alone. The other pass of the step updates the running statistics.
    fn similarity_alone(&mut self, indices: &[usize], at: At, factor: f64) -> Result<Gradients<B>, StageError> {
        let losses = self.losses(indices, at, Mode::TrainUntracked)?;
        // The tape of the reconstruction holds most operations that the similarity depends on.
        let total = weigh::<B, _>(losses.similarity, losses.reconstruction, [factor, 0.0]);
        total.and_then(B::backward).map_err(StageError::device)
    }

    /// Replaces `gradients`, those of the reconstruction, with the weighted sum of both gradients. Returns the weights.
    fn add_weighed(
        &mut self,
        gradients: &mut Gradients<B>,
        mut similarity: Gradients<B>,
        losses: Pair,
    ) -> Result<Pair, StageError> {
        let norm = |gradients: &mut Gradients<B>| {
            let norms = clip_global_norm(&[&self.assembly], gradients, 0.0).map_err(StageError::device)?;
            B::number(&norms.all).map_err(StageError::device)
        };
        let norms = [norm(&mut similarity)?, norm(gradients)?];
        let weights = self.weighting.of_gradients(losses, norms);
        let [of_similarity, of_reconstruction] = weights.map(|weight| weight as f32);
        let mut outcome: OpResult<()> = Ok(());
        self.assembly.parameters(&mut |parameter| {
            if outcome.is_ok() {
                let (gradients, similarity) = ((&mut *gradients, of_reconstruction), (&mut similarity, of_similarity));
                outcome = B::add_gradient(gradients, similarity, &parameter.value);
            }
        });
        outcome.map_err(StageError::device)?;
        Ok(weights)
    }
}

/// Returns the weighted sum of the losses.
fn weigh<B: Backend, T: Tape>(
    similarity: Scalar<B, T>,
    reconstruction: Option<Scalar<B, T>>,
    weights: Pair,
) -> OpResult<Scalar<B, T>> {
    let [similarity_weight, reconstruction_weight] = weights.map(|weight| weight as f32);
    let reconstruction = reconstruction.map(|reconstruction| (reconstruction, reconstruction_weight));
    B::weighted_sum((similarity, similarity_weight), reconstruction)
}

/// Returns the values of the losses times their factors.
fn weighed<B: Backend>(
    similarity: &Scalar<B>,
    reconstruction: Option<&Scalar<B>>,
    factors: Pair,
) -> Result<Pair, StageError> {
    let number = |loss| B::number(loss).map_err(StageError::device);
    Ok([factors[0] * number(similarity)?, factors[1] * reconstruction.map_or(Ok(0.0), number)?])
}
