//! The loop that both training phases share: epochs and steps in a fixed order, checkpoints, resuming and selection.
//!
//! A phase that is stopped anywhere and resumed ends with the same bits as one that never stopped. Counters decide the order of images,
//! and a checkpoint holds everything that the next step depends on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::context::{Progress, StageContext, StageError};
use super::corruption::At;
use super::weight_files::{LAST, SELECTED, snapshot_file};
use crate::cause::Context;
use crate::data::{shuffle, stream};
use crate::nn::State;
use crate::tensor::{Backend, Kernels, Native, Scalar};

/// Longest time between two checkpoints.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(60);
/// At the end of an epoch a checkpoint is written if training has since taken this many times as long as the last write. Checkpoints then
/// cost a twentieth of the time. A kill loses at most an epoch, or this many times the duration of a write.
const CHECKPOINT_SHARE: u32 = 20;
/// Interval at which the host reads the numbers of steps from the device. A read waits for the device. After every step it would leave
/// the device idle while the host prepares the next batch.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// Metadata entry of a checkpoint that names the kind of device. Training resumes only on the same kind.
const DEVICE: &str = "device";
/// Metadata entry of a checkpoint that says who computed convolutions. Training resumes only with the same.
const CONVOLUTIONS: &str = "convolutions";

/// Named numbers, sorted by name.
pub(super) type Numbers<V = f64> = BTreeMap<&'static str, V>;
/// The numbers of a step, still on the device.
pub(super) type StepNumbers<B> = Numbers<Scalar<B>>;

/// The work of one phase. The driver decides when it runs.
pub(super) trait Phase {
    /// Backend that runs the phase.
    type Backend: Backend;

    /// Trains on one batch and returns its numbers, which are means over the batch. They must contain `loss`. A step may change the
    /// weights even if its numbers are not finite: the driver reads the numbers before it keeps the weights.
    fn step(&mut self, batch: &[usize], at: At) -> Result<StepNumbers<Self::Backend>, StageError>;

    /// Receives the means over an epoch's images. Returns further numbers of the epoch.
    fn end_epoch(&mut self, _means: &BTreeMap<&str, f64>) -> Numbers {
        Numbers::new()
    }

    /// Returns the numbers of the held-out part, in evaluation mode.
    fn held_out(&mut self) -> Result<Numbers, StageError>;

    /// Returns the name of the held-out number whose minimum selects the epoch. `None` selects the last epoch.
    fn criterion(&self) -> Option<&'static str>;

    /// Returns weights and buffers.
    fn weights(&mut self) -> Result<State, StageError>;

    /// Adds what a resumed phase needs besides its weights: moments and step counts.
    fn add_moments(&mut self, state: &mut State) -> Result<(), StageError>;

    /// Restores weights and moments.
    fn restore(&mut self, state: &State) -> Result<(), StageError>;
}

/// Length and order of training.
pub(super) struct Schedule<'a> {
    /// Passes over the training part.
    pub epochs: usize,
    /// Images per step.
    pub batch_size: usize,
    /// Indices of the training part.
    pub train: &'a [usize],
    /// The run's seed. It decides the order of images.
    pub seed: u64,
    /// Epochs whose weights are kept besides those of the selected and the last epoch.
    pub snapshots: &'a [usize],
    /// Number of epochs without improvement after which training stops; 0 = never.
    pub patience: usize,
}

/// Position in training.
#[derive(Debug, Clone, PartialEq, Default)]
struct Position {
    /// Finished epochs.
    epoch: usize,
    /// Finished steps of the next epoch.
    step: usize,
    /// Sums over the finished steps of the next epoch, weighted by images.
    sums: BTreeMap<String, f64>,
    /// Epoch and criterion of the best epoch so far.
    best: Option<(usize, f64)>,
}

/// Result of training.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    /// The selected epoch, or the last one without a criterion.
    pub selected_epoch: usize,
    /// Number of trained epochs. Smaller than planned if patience ended training.
    pub epochs: usize,
}

/// Returns `count` evenly spaced epochs of 1..=`epochs`, including the last.
pub(super) fn spaced_epochs(count: usize, epochs: usize) -> Vec<usize> {
    let mut spaced: Vec<usize> = (1..=count).map(|i| (i * epochs).div_ceil(count)).collect();
    spaced.dedup();
    spaced
}

/// Returns the training indices in the order of one epoch: Fisher–Yates from the stream (seed, "order", epoch).
fn order(schedule: &Schedule<'_>, epoch: usize) -> Vec<usize> {
    let mut order = schedule.train.to_vec();
    shuffle(&mut order, &mut stream(schedule.seed, "order", epoch as u64, 0));
    order
}

/// Returns the batches of an epoch. Drops a last batch of one image, because batch norm has no statistics of one image.
fn batches(order: &[usize], size: usize) -> Vec<&[usize]> {
    let mut batches: Vec<&[usize]> = order.chunks(size).collect();
    if batches.len() > 1 && batches.last().is_some_and(|batch| batch.len() == 1) {
        batches.pop();
    }
    batches
}

struct Driver<'a, 'c, P: Phase> {
    phase: &'a mut P,
    schedule: &'a Schedule<'a>,
    context: &'a mut StageContext<'c>,
    position: Position,
    last_checkpoint: Instant,
    /// Time that the last checkpoint took to write.
    checkpoint_took: Duration,
    /// Weights of the selected epoch, until they are written.
    selected: Option<State>,
    /// Steps whose numbers are still unread: the step's place in its epoch, its number of images, its numbers.
    unread: Vec<(usize, usize, StepNumbers<P::Backend>)>,
    last_read: Instant,
    /// Images and steps of this attempt.
    trained: Trained,
}

/// Images and steps that an attempt has trained, and their time. The device has finished all of them.
#[derive(Debug, Default)]
struct Trained {
    images: usize,
    steps: usize,
    /// Time of the steps, without held-out passes and checkpoints.
    step_time: Duration,
    /// Sum of the steps' threads.
    thread_steps: usize,
}

/// Trains to the end, or to the next stop request. At the end `context.out` holds the weights: [`LAST`] with moments, [`SELECTED`] and
/// the snapshots without.
pub(super) fn drive<P: Phase>(
    phase: &mut P,
    schedule: &Schedule<'_>,
    context: &mut StageContext<'_>,
) -> Result<Outcome, StageError> {
    let now = Instant::now();
    let mut driver = Driver {
        phase,
        schedule,
        context,
        position: Position::default(),
        last_checkpoint: now,
        checkpoint_took: Duration::ZERO,
        selected: None,
        unread: Vec::new(),
        last_read: now,
        trained: Trained::default(),
    };
    driver.resume()?;
    let started = Instant::now();
    while driver.position.epoch < schedule.epochs && !driver.out_of_patience() {
        driver.epoch()?;
        crate::fault::point("training:epoch");
    }
    driver.tell_costs(started.elapsed());
    driver.finish()
}

impl<P: Phase> Driver<'_, '_, P> {
    fn partial(&self, file: &str) -> PathBuf {
        self.context.partial.join(file)
    }

    fn resume(&mut self) -> Result<(), StageError> {
        let path = self.partial(LAST);
        if !path.exists() {
            self.context.observer.rewind(0);
            return Ok(());
        }
        let state = State::load(&path).map_err(StageError::artifact)?;
        // Checkpoints without these entries come from versions that ran on the CPU only, or with own kernels only.
        let of = |name: &str, otherwise: String| state.metadata.get(name).cloned().unwrap_or(otherwise);
        let (device, convolutions) = (of(DEVICE, Native::KIND.to_owned()), of(CONVOLUTIONS, Native::convolutions()));
        let ours = P::Backend::convolutions();
        if device != P::Backend::KIND || convolutions != ours {
            tracing::warn!(device, convolutions, ours, "the checkpoint is of other arithmetic; training starts anew");
            self.context.observer.rewind(0);
            return Ok(());
        }
        self.position = position_of(&state.metadata).ok_or_else(|| {
            StageError::artifact(format!("{} has no position: it is not our checkpoint", path.display()))
        })?;
        self.phase.restore(&state)?;
        self.context.observer.rewind(self.position.epoch as u64);
        Ok(())
    }

    fn epoch(&mut self) -> Result<(), StageError> {
        let epoch = self.position.epoch + 1;
        let order = order(self.schedule, epoch);
        let batches = batches(&order, self.schedule.batch_size);
        let mut started = Instant::now();
        for (step, batch) in batches.iter().enumerate().skip(self.position.step) {
            let at = At { epoch: self.position.epoch, step, steps: batches.len() };
            let (numbers, threads) = self.context.threads.run_on::<P::Backend, _>(|| self.phase.step(batch, at));
            let numbers = numbers?;
            P::Backend::submit().map_err(StageError::device)?;
            self.trained.thread_steps += threads;
            self.unread.push((step + 1, batch.len(), numbers));
            self.position.step = step + 1;
            let mid_epoch = self.position.step < batches.len();
            let stop = mid_epoch && self.context.observer.stop_requested();
            let due = mid_epoch && self.last_checkpoint.elapsed() > CHECKPOINT_INTERVAL;
            if stop || due || !mid_epoch || self.last_read.elapsed() > READ_INTERVAL {
                self.read(epoch)?;
                self.trained.step_time += started.elapsed();
                if stop || due {
                    self.checkpoint()?;
                }
                if stop {
                    return Err(StageError::Interrupted);
                }
                started = Instant::now();
            }
        }
        let images: usize = batches.iter().map(|batch| batch.len()).sum();
        self.end_epoch(epoch, images, batches.len())
    }

    /// Reads the numbers of the steps since the last read. The device has finished these steps afterwards.
    fn read(&mut self, epoch: usize) -> Result<(), StageError> {
        for (step, images, numbers) in std::mem::take(&mut self.unread) {
            for (what, value) in numbers {
                let value = P::Backend::number(&value).map_err(StageError::device)?;
                if !value.is_finite() {
                    return Err(StageError::Diverged { what, value, epoch, step });
                }
                *self.position.sums.entry(what.to_owned()).or_default() += value * images as f64;
            }
            self.trained.images += images;
            self.trained.steps += 1;
        }
        self.last_read = Instant::now();
        Ok(())
    }

    fn tell_costs(&mut self, elapsed: Duration) {
        let (trained, observer) = (&self.trained, &mut self.context.observer);
        if trained.images > 0 {
            let rate = trained.images as f64 / elapsed.as_secs_f64();
            observer.cost("seconds_per_epoch", self.schedule.train.len() as f64 / rate);
            observer.cost("images_per_second", rate);
            observer.cost("milliseconds_per_step", 1e3 * trained.step_time.as_secs_f64() / trained.steps as f64);
            // Times on more threads than the worker's own do not compare with those of other stages.
            if trained.thread_steps > trained.steps * self.context.threads.own() {
                observer.cost("threads", trained.thread_steps as f64 / trained.steps as f64);
            }
        }
    }

    fn end_epoch(&mut self, epoch: usize, images: usize, steps: usize) -> Result<(), StageError> {
        let (held_out, _) = self.context.threads.run_on::<P::Backend, _>(|| self.phase.held_out());
        let held_out = held_out?;
        for (&what, &value) in &held_out {
            if !value.is_finite() {
                return Err(StageError::Diverged { what, value, epoch, step: steps });
            }
        }
        let sums = std::mem::take(&mut self.position.sums);
        let means: BTreeMap<&str, f64> = sums.iter().map(|(name, sum)| (name.as_str(), sum / images as f64)).collect();
        let more = self.phase.end_epoch(&means);
        for (name, value) in [&means, &held_out, &more].into_iter().flatten() {
            self.context.observer.metric(name, epoch as u64, *value);
        }
        let loss = means.get("loss").copied();
        self.position.epoch = epoch;
        self.position.step = 0;

        if let Some(value) = self.phase.criterion().and_then(|name| held_out.get(name).copied())
            && self.position.best.is_none_or(|(_, best)| value < best)
        {
            self.position.best = Some((epoch, value));
            self.selected = Some(self.phase.weights()?);
        }
        if self.schedule.snapshots.contains(&epoch) {
            self.phase.weights()?.save(&self.partial(&snapshot_file(epoch))).map_err(StageError::artifact)?;
        }
        let total = self.schedule.epochs;
        let stop = self.context.observer.stop_requested() && epoch < total;
        let due = self.last_checkpoint.elapsed() >= CHECKPOINT_SHARE * self.checkpoint_took;
        if stop || due || epoch == total || self.out_of_patience() {
            self.checkpoint()?;
        }
        self.context.observer.progress(Progress { done: epoch, total, unit: "epoch", loss });
        if stop { Err(StageError::Interrupted) } else { Ok(()) }
    }

    fn out_of_patience(&self) -> bool {
        let best = self.position.best.map_or(self.position.epoch, |(epoch, _)| epoch);
        self.schedule.patience > 0 && self.position.epoch - best >= self.schedule.patience
    }

    fn checkpoint(&mut self) -> Result<(), StageError> {
        let started = Instant::now();
        // Store the metrics first: after a kill in between, resuming deletes metrics that are ahead of the checkpoint, but missing ones
        // could not be recovered. Then the selected weights: the position that refers to them must not be durable before them.
        self.context.observer.store_metrics().map_err(StageError::Artifact)?;
        if let Some(selected) = self.selected.take() {
            selected.save(&self.partial(SELECTED)).map_err(StageError::artifact)?;
        }
        let mut state = self.phase.weights()?;
        self.phase.add_moments(&mut state)?;
        state.metadata.extend(metadata_of(&self.position));
        state.metadata.insert(DEVICE.to_owned(), P::Backend::KIND.to_owned());
        state.metadata.insert(CONVOLUTIONS.to_owned(), P::Backend::convolutions());
        state.save(&self.partial(LAST)).map_err(StageError::artifact)?;
        self.context.observer.keep_checkpoint().map_err(StageError::Artifact)?;
        self.last_checkpoint = Instant::now();
        self.checkpoint_took = started.elapsed();
        Ok(())
    }

    fn finish(self) -> Result<Outcome, StageError> {
        let epochs = self.position.epoch;
        let mut files = vec![LAST.to_owned()];
        files.extend(
            self.schedule.snapshots.iter().filter(|&&epoch| epoch <= epochs).map(|&epoch| snapshot_file(epoch)),
        );
        if self.position.best.is_some() {
            files.push(SELECTED.to_owned());
        }
        for file in files {
            let (from, to) = (self.partial(&file), self.context.out.join(&file));
            std::fs::copy(&from, &to).map_err(|error| {
                StageError::artifact(Context::new(format!("cannot copy {} to {}", from.display(), to.display()), error))
            })?;
        }
        Ok(Outcome { selected_epoch: self.position.best.map_or(epochs, |(epoch, _)| epoch), epochs })
    }
}

/// Writes a position as metadata, with floats as bits: decimal text would not restore the same number.
fn metadata_of(position: &Position) -> Vec<(String, String)> {
    let mut metadata =
        vec![("epoch".to_owned(), position.epoch.to_string()), ("step".to_owned(), position.step.to_string())];
    if let Some((epoch, value)) = position.best {
        metadata.push(("best_epoch".to_owned(), epoch.to_string()));
        metadata.push(("best_value".to_owned(), format!("{:016x}", value.to_bits())));
    }
    metadata.extend(position.sums.iter().map(|(name, sum)| (format!("sum.{name}"), format!("{:016x}", sum.to_bits()))));
    metadata
}

fn position_of(metadata: &BTreeMap<String, String>) -> Option<Position> {
    let bits = |text: &String| u64::from_str_radix(text, 16).ok().map(f64::from_bits);
    let best = match (metadata.get("best_epoch"), metadata.get("best_value")) {
        (Some(epoch), Some(value)) => Some((epoch.parse().ok()?, bits(value)?)),
        _ => None,
    };
    let sums =
        metadata.iter().filter_map(|(name, text)| Some((name.strip_prefix("sum.")?.to_owned(), bits(text)?))).collect();
    Some(Position {
        epoch: metadata.get("epoch")?.parse().ok()?,
        step: metadata.get("step")?.parse().ok()?,
        sums,
        best,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(train: &[usize]) -> Schedule<'_> {
        Schedule { epochs: 3, batch_size: 4, train, seed: 7, snapshots: &[], patience: 0 }
    }

    #[test]
    fn every_epoch_has_every_image_once_in_another_order() {
        let train: Vec<usize> = (0..50).map(|i| i * 2).collect();
        let (one, two) = (order(&schedule(&train), 1), order(&schedule(&train), 2));
        assert_ne!(one, two);
        for mut order in [one, two] {
            order.sort_unstable();
            assert_eq!(order, train);
        }
    }

    #[test]
    fn a_last_batch_of_one_is_dropped_and_a_partial_one_kept() {
        let images: Vec<usize> = (0..10).collect();
        assert_eq!(batches(&images[..9], 4).iter().map(|b| b.len()).collect::<Vec<_>>(), [4, 4]);
        assert_eq!(batches(&images, 4).iter().map(|b| b.len()).collect::<Vec<_>>(), [4, 4, 2]);
        assert_eq!(batches(&images[..1], 4).len(), 1);
    }

    #[test]
    fn a_position_survives_its_metadata_to_the_bit() {
        let position = Position {
            epoch: 3,
            step: 2,
            sums: [("loss".to_owned(), 0.1 + 0.2), ("loss_similarity".to_owned(), -0.0)].into(),
            best: Some((2, 1.0 / 3.0)),
        };
        assert_eq!(position_of(&metadata_of(&position).into_iter().collect()), Some(position));
        assert_eq!(position_of(&BTreeMap::new()), None);
    }

    #[test]
    fn snapshots_are_spread_evenly_to_the_last_epoch() {
        assert_eq!(spaced_epochs(5, 100), [20, 40, 60, 80, 100]);
        assert_eq!(spaced_epochs(10, 3), [1, 2, 3]);
        assert!(spaced_epochs(0, 10).is_empty());
    }
}
