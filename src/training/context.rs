//! What a stage receives besides its job, and how it can end.

use std::any::Any;
use std::path::Path;

use serde::Serialize;

use super::Threads;
use crate::cause::{Cause, Context};
use crate::nn::StateError;
use crate::tensor::DeviceError;

/// Progress of a stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Finished units (epochs, or images in stages without epochs).
    pub done: usize,
    /// Total number of units.
    pub total: usize,
    /// Name of a unit: "epoch" or "image".
    pub unit: &'static str,
    /// Latest loss, if the stage has one.
    pub loss: Option<f64>,
}

/// Receives what a stage reports while it runs. Modules below this trait know nothing of a database.
pub trait Observer {
    /// Records one value of a curve. `step` counts epochs from 1.
    fn metric(&mut self, name: &str, step: u64, value: f64);

    /// Stores the metrics reported so far. The checkpoint that covers them is written afterwards, so no metric is lost. An error ends the
    /// stage.
    fn store_metrics(&mut self) -> Result<(), Cause>;

    /// Makes the checkpoint that was just written available to other machines, if artifacts are in an object store. An error ends the stage.
    fn keep_checkpoint(&mut self) -> Result<(), Cause>;

    /// Discards metrics after `step`, because the stage resumes there.
    fn rewind(&mut self, step: u64);

    /// Reports the progress. Workers also renew their lease here.
    fn progress(&mut self, progress: Progress);

    /// Records a cost that is stored with the attempt, e.g. `images_per_second`.
    fn cost(&mut self, name: &str, value: f64);

    /// Returns true once the stage should write its checkpoint and return [`StageError::Interrupted`].
    fn stop_requested(&self) -> bool;
}

/// Where a stage reads and writes.
pub struct StageContext<'a> {
    /// Output folder, empty at the start. Its contents become the artifact when the stage returns.
    pub out: &'a Path,
    /// Folder that outlives the attempt. It holds partial checkpoints for resuming.
    pub partial: &'a Path,
    /// Threads that the stage may use.
    pub threads: &'a Threads,
    /// Bytes of the device's own memory that may hold data. `None`: the stage decides.
    pub device_memory: Option<u64>,
    /// Receives what the stage reports.
    pub observer: &'a mut dyn Observer,
}

/// The ways in which a stage can fail. The scheduler maps each to a failure class.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// A loss or a gradient is not finite.
    #[error("{what} became {value} at epoch {epoch}, step {step}; a lower learning rate or clip_norm may help")]
    Diverged {
        /// Name of the quantity.
        what: &'static str,
        /// NaN or an infinity.
        value: f64,
        /// Epoch, from 1.
        epoch: usize,
        /// Step within the epoch, from 1; 0 = after the last step.
        step: usize,
    },
    /// Images, masks or weights are not what was planned.
    #[error("{0}")]
    Data(#[source] Cause),
    /// An artifact, a checkpoint or the store could not be read or written. The cause names it.
    #[error("{0}")]
    Artifact(#[source] Cause),
    /// The stage was asked to stop. Nothing is lost.
    #[error("interrupted; the checkpoint is written")]
    Interrupted,
    /// Memory ran out.
    #[error("out of memory: {0}")]
    OutOfMemory(String),
    /// The device no longer works, at least for this process.
    #[error("the device failed: {0}")]
    DeviceLost(String),
    /// A bug in didact.
    #[error("internal error: {0}")]
    Bug(String),
}

impl From<DeviceError> for StageError {
    fn from(error: DeviceError) -> Self {
        Self::device(error)
    }
}

impl StageError {
    /// Images, masks or weights are not what was planned.
    pub fn data(cause: impl Into<Cause>) -> Self {
        Self::Data(cause.into())
    }

    /// An artifact could not be read or written.
    pub fn artifact(cause: impl Into<Cause>) -> Self {
        Self::Artifact(cause.into())
    }

    /// Returns a function for `map_err`: this file of an artifact cannot be read.
    pub fn reading<E: Into<Cause>>(path: &Path) -> impl Fn(E) -> Self {
        move |cause| Self::artifact(Context::reading(path)(cause))
    }

    /// Returns a function for `map_err`: this file of an artifact cannot be written.
    pub fn writing<E: Into<Cause>>(path: &Path) -> impl Fn(E) -> Self {
        move |cause| Self::artifact(Context::writing(path)(cause))
    }

    /// Converts an error for `map_err`: training cannot resume from a checkpoint.
    pub fn resuming(error: StateError) -> Self {
        match error {
            StateError::Io(_) | StateError::Format { .. } | StateError::Tensor { .. } => Self::artifact(error),
            StateError::Device(error) => Self::device(error),
        }
    }

    /// Converts an error of a device, for `map_err`.
    pub fn device(error: DeviceError) -> Self {
        match error {
            DeviceError::OutOfMemory(text) => Self::OutOfMemory(text),
            DeviceError::Lost(text) => Self::DeviceLost(text),
        }
    }

    /// Converts the payload of a panic. Networks that a device has no memory for panic with the device's error.
    pub fn of_panic(payload: Box<dyn Any + Send>) -> Self {
        match payload.downcast::<DeviceError>() {
            Ok(error) => Self::device(*error),
            Err(payload) => {
                let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
                let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
                Self::Bug(format!("panicked: {}", text.unwrap_or_else(|| "no message".to_owned())))
            }
        }
    }
}

/// Writes a value as indented JSON, which people can read.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StageError> {
    let text = serde_json::to_vec_pretty(value).map_err(StageError::artifact)?;
    std::fs::write(path, text).map_err(StageError::writing(path))
}
