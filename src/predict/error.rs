//! Errors of predictions.

use std::path::PathBuf;

use super::UnusableImage;
use crate::data::DataError;
use crate::outputs::OutputError;
use crate::store::{Damage, RunState, StoreError};
use crate::training::StageError;

/// Why a prediction failed. Each message says what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// The run is not done, so it has no selected weights.
    #[error("run {run} is {state}{reason}; only a finished run can predict: run `didact why {run}` for details")]
    NotDone {
        /// First digits of the run's key.
        run: String,
        /// State of the run.
        state: RunState,
        /// Reason of the state after ": ", or empty.
        reason: String,
    },
    /// An artifact of the run does not exist.
    #[error(
        "the {what} of run {run} are missing: {path} does not exist (`didact gc` may have removed it); run its sweep file again to \
         compute them, or name another folder with --artifacts"
    )]
    Missing {
        /// Name of the artifact in the plural.
        what: &'static str,
        /// First digits of the run's key.
        run: String,
        /// Expected path.
        path: PathBuf,
    },
    /// An artifact of the run differs from what was published.
    #[error(
        "the {what} of run {run} are damaged: {damage}; run `didact store check --repair` and then its sweep file to compute them \
         again"
    )]
    Damaged {
        /// Name of the artifact in the plural.
        what: &'static str,
        /// First digits of the run's key.
        run: String,
        /// Damaged file and its fault.
        damage: Damage,
    },
    /// The run has no threshold for pixels.
    #[error(
        "run {run} has no threshold for pixels, because too few images were held out: train with more held-out images"
    )]
    NoThreshold {
        /// First digits of the run's key.
        run: String,
    },
    /// An image of the data set is missing or cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// No argument is a readable image.
    #[error("no readable image found{}", unusable.iter().map(|image| format!("\n  {image}")).collect::<String>())]
    NoImage {
        /// Why each argument is unusable.
        unusable: Vec<UnusableImage>,
    },
    /// The networks or the device failed.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The artifacts cannot be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] OutputError),
}
