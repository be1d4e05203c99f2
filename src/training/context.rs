//! What a stage is given besides its job, and how it can end.

use std::path::Path;

use serde::Serialize;

use crate::cause::{Cause, Context};
use crate::nn::StateError;
use crate::tensor::DeviceFailure;

/// How far a stage has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Finished units (epochs, or images where there are no epochs).
    pub done: usize,
    /// Units in all.
    pub total: usize,
    /// What a unit is: "epoch", "image".
    pub unit: &'static str,
    /// The latest loss, where there is one.
    pub loss: Option<f64>,
}

/// Receives what a stage has to tell while it runs. Nothing below it knows of a database.
pub trait Observer {
    /// One number of a curve: `step` counts epochs from 1.
    fn metric(&mut self, name: &str, step: u64, value: f64);

    /// Stores the metrics told so far; the checkpoint that covers them comes after, so that none is ever lost. An error ends the
    /// stage.
    fn store_metrics(&mut self) -> Result<(), Cause>;

    /// Resuming after `step`: later metrics are void.
    fn rewind(&mut self, step: u64);

    /// How far it is; also the place where a worker renews its lease.
    fn progress(&mut self, progress: Progress);

    /// A cost to be stored with the attempt, e.g. `images_per_second`.
    fn cost(&mut self, name: &str, value: f64);

    /// True once the stage should write its checkpoint and return [`StageError::Interrupted`].
    fn stop_requested(&self) -> bool;
}

/// Where a stage reads and writes.
pub struct StageContext<'a> {
    /// An empty folder: what is in it when the stage returns becomes the artifact.
    pub out: &'a Path,
    /// A folder that outlives the attempt: partial checkpoints for resuming.
    pub partial: &'a Path,
    /// Threads that this stage may use.
    pub threads: usize,
    /// Bytes of the device's own memory that data may be kept in; none leaves it to the stage.
    pub device_memory: Option<u64>,
    /// Ears of the outside.
    pub observer: &'a mut dyn Observer,
}

/// How a stage can fail; the scheduler maps each to a failure class.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// A loss or a gradient is not finite.
    #[error("{what} became {value} at epoch {epoch}, step {step}; a lower learning rate or clip_norm may help")]
    Diverged {
        /// Which quantity.
        what: &'static str,
        /// NaN or an infinity.
        value: f64,
        /// Epoch, from 1.
        epoch: usize,
        /// Step within the epoch, from 1; 0 = after its last.
        step: usize,
    },
    /// Images, masks or weights are not what was planned.
    #[error("{0}")]
    Data(#[source] Cause),
    /// An artifact, a checkpoint or the store could not be read or written; the cause names it.
    #[error("{0}")]
    Artifact(#[source] Cause),
    /// Asked to stop; nothing is lost.
    #[error("interrupted; the checkpoint is written")]
    Interrupted,
    /// Memory ran out.
    #[error("out of memory: {0}")]
    OutOfMemory(String),
    /// The device does not work any more, for this process at least.
    #[error("the device failed: {0}")]
    DeviceLost(String),
    /// didact's own fault.
    #[error("internal error: {0}")]
    Bug(String),
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

    /// For `map_err`: this file of an artifact cannot be read.
    pub fn reading<E: Into<Cause>>(path: &Path) -> impl Fn(E) -> Self {
        move |cause| Self::artifact(Context::reading(path)(cause))
    }

    /// For `map_err`: this file of an artifact cannot be written.
    pub fn writing<E: Into<Cause>>(path: &Path) -> impl Fn(E) -> Self {
        move |cause| Self::artifact(Context::writing(path)(cause))
    }

    /// For `map_err`: training cannot go on from a checkpoint.
    pub fn resuming(error: StateError) -> Self {
        match error {
            StateError::Io(_) | StateError::Format { .. } | StateError::Tensor { .. } => Self::artifact(error),
            StateError::Memory(text) => Self::OutOfMemory(text),
        }
    }

    /// What dfdx says of a device.
    pub fn device(error: impl std::fmt::Debug) -> Self {
        Self::of_text(format!("{error:?}"))
    }

    /// dfdx's text for an error, or the message of its panic.
    pub fn of_text(text: String) -> Self {
        match DeviceFailure::of_text(&text) {
            DeviceFailure::OutOfMemory => Self::OutOfMemory(text),
            DeviceFailure::Lost => Self::DeviceLost(text),
            DeviceFailure::Other => Self::Bug(text),
        }
    }
}

/// Writes a value where people can read it.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StageError> {
    let text = serde_json::to_vec_pretty(value).map_err(StageError::artifact)?;
    std::fs::write(path, text).map_err(StageError::writing(path))
}
