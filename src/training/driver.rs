//! The loop that both training phases share: epochs and steps in a counted order, checkpoints, resuming, selection.
//!
//! A phase stopped anywhere and resumed ends with the same bits as one never stopped: the order of images comes from
//! counters, and a checkpoint holds all that the next step depends on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::context::{Progress, StageContext, StageError};
use super::corruption::At;
use super::weight_files::{LAST, SELECTED, snapshot_file};
use crate::cause::Context;
use crate::data::{shuffle, stream};
use crate::nn::State;
use crate::tensor::{Backend, Native, Scalar, to_host};

/// A checkpoint is written at least this often.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(60);
/// At the end of an epoch one is written if training has since taken so many times as long as writing did: checkpoints then cost a
/// twentieth of the time, and a kill costs no more than an epoch or so many writes.
const CHECKPOINT_SHARE: u32 = 20;
/// The numbers of steps are read from the device this often: reading waits for the device, and a device that is waited
/// for after every step is idle while the next is prepared.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// The entry of a checkpoint that names the kind of device: no other kind goes on from it.
const DEVICE: &str = "device";

/// Named numbers, in the order of their names.
pub(super) type Numbers<V = f64> = BTreeMap<&'static str, V>;
/// The numbers of a step, still on the device.
pub(super) type StepNumbers<B> = Numbers<Scalar<B>>;

/// What one phase does; the driver decides when.
pub(super) trait Phase {
    /// Where it runs.
    type Backend: Backend;

    /// Trains on one batch and returns its numbers, means over the batch; `loss` must be among them. A step may change the
    /// weights though its numbers are not finite: the driver reads the numbers before it keeps the weights.
    fn step(&mut self, batch: &[usize], at: At) -> Result<StepNumbers<Self::Backend>, StageError>;

    /// Is told the means over an epoch's images; returns what else there is to say of the epoch.
    fn end_epoch(&mut self, _means: &BTreeMap<&str, f64>) -> Numbers {
        Numbers::new()
    }

    /// The numbers of the held-out part, in evaluation mode.
    fn held_out(&mut self) -> Result<Numbers, StageError>;

    /// The held-out number whose minimum selects the epoch; none where the last epoch is taken.
    fn criterion(&self) -> Option<&'static str>;

    /// Weights and buffers.
    fn weights(&mut self) -> Result<State, StageError>;

    /// Adds what a resumed phase needs beyond its weights: moments and step counts.
    fn add_moments(&mut self, state: &mut State) -> Result<(), StageError>;

    /// Restores weights and moments.
    fn restore(&mut self, state: &State) -> Result<(), StageError>;
}

/// How long and in which order.
pub(super) struct Schedule<'a> {
    /// Passes over the training part.
    pub epochs: usize,
    /// Images a step.
    pub batch_size: usize,
    /// Indices of the training part.
    pub train: &'a [usize],
    /// The run's seed: orders the images.
    pub seed: u64,
    /// Epochs whose weights are kept beside the selected and the last.
    pub snapshots: &'a [usize],
    /// Epochs without a better one after which training stops; 0 = never.
    pub patience: usize,
}

/// Where training stands.
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

/// What training ended with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    /// The selected epoch; the last where nothing selects.
    pub selected_epoch: usize,
    /// Epochs trained: fewer than planned where patience ended.
    pub epochs: usize,
}

/// Evenly spaced epochs, the last among them: `count` of 1..=`epochs`.
pub(super) fn spaced_epochs(count: usize, epochs: usize) -> Vec<usize> {
    let mut spaced: Vec<usize> = (1..=count).map(|i| (i * epochs).div_ceil(count)).collect();
    spaced.dedup();
    spaced
}

/// The training indices of one epoch in its order: Fisher–Yates from the stream (seed, "order", epoch).
fn order(schedule: &Schedule<'_>, epoch: usize) -> Vec<usize> {
    let mut order = schedule.train.to_vec();
    shuffle(&mut order, &mut stream(schedule.seed, "order", epoch as u64, 0));
    order
}

/// The batches of an epoch; a last batch of one image is dropped, for batch norm has no statistics of one.
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
    /// What the last checkpoint took to write.
    checkpoint_took: Duration,
    /// The selected epoch's weights, where they are not written yet.
    selected: Option<State>,
    /// Steps whose numbers are not read yet: the step's place in its epoch, its images, its numbers.
    unread: Vec<(usize, usize, StepNumbers<P::Backend>)>,
    last_read: Instant,
    /// What this attempt has trained.
    trained: Trained,
}

/// What an attempt has trained, and in what time; the device has done all of it.
#[derive(Debug, Default)]
struct Trained {
    images: usize,
    steps: usize,
    /// Of the steps alone, without held-out passes and checkpoints.
    step_time: Duration,
}

/// Trains to the end, or to the next stop request. Weights lie in `context.out` afterwards: those of [`LAST`] with moments,
/// [`SELECTED`] and the snapshots without.
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
        // Before there were kinds there was the CPU alone.
        if state.metadata.get(DEVICE).map_or(Native::KIND, String::as_str) != P::Backend::KIND {
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
            let numbers = self.phase.step(batch, at)?;
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

    /// Reads the numbers of the steps since the last time; the device has done these steps afterwards.
    fn read(&mut self, epoch: usize) -> Result<(), StageError> {
        for (step, images, numbers) in std::mem::take(&mut self.unread) {
            for (what, value) in numbers {
                let value = f64::from(to_host(&value)[0]);
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
        }
    }

    fn end_epoch(&mut self, epoch: usize, images: usize, steps: usize) -> Result<(), StageError> {
        let held_out = self.phase.held_out()?;
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
        // Rows first: what a kill between the two leaves too much is deleted on resume, what it left too little would never come
        // back. Selected weights next: the position that speaks of them must not be durable before them.
        self.context.observer.store_metrics().map_err(StageError::Artifact)?;
        if let Some(selected) = self.selected.take() {
            selected.save(&self.partial(SELECTED)).map_err(StageError::artifact)?;
        }
        let mut state = self.phase.weights()?;
        self.phase.add_moments(&mut state)?;
        state.metadata.extend(metadata_of(&self.position));
        state.metadata.insert(DEVICE.to_owned(), P::Backend::KIND.to_owned());
        state.save(&self.partial(LAST)).map_err(StageError::artifact)?;
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

/// Floats as bits: decimal text would not come back as the same number.
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
