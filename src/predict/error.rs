//! What can go wrong while images are predicted.

use std::path::PathBuf;

use super::BadImage;
use crate::outputs::OutputError;
use crate::store::{Damage, RunState};
use crate::training::StageError;

/// Every message says what is wrong and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// The run has no selected weights yet, or never will have.
    #[error("run {run} is {state}{reason}; `didact why {run}` tells more, and only a run that is done can predict")]
    NotDone {
        /// First digits of its key.
        run: String,
        /// Where it stands.
        state: RunState,
        /// ": why", or nothing.
        reason: String,
    },
    /// An artifact of the run is no more there.
    #[error(
        "the {what} of run {run} are gone ({path} is not there): `didact gc` removes what no sweep wants, and the sweep file that holds \
         the run makes them again; --artifacts names another folder"
    )]
    Gone {
        /// Which.
        what: &'static str,
        /// First digits of its key.
        run: String,
        /// Where they would be.
        path: PathBuf,
    },
    /// An artifact of the run is not what was published.
    #[error(
        "the {what} of run {run} are damaged: {damage}; `didact store check --repair` and then the sweep file that holds the run make \
         them again"
    )]
    Damaged {
        /// Which.
        what: &'static str,
        /// First digits of its key.
        run: String,
        /// Which file, and what is wrong with it.
        damage: Damage,
    },
    /// None of the arguments is an image that can be read.
    #[error("there is no image to predict{}", bad.iter().map(|bad| format!("\n  {bad}")).collect::<String>())]
    NoImage {
        /// What is wrong with each.
        bad: Vec<BadImage>,
    },
    /// The networks or the device.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] OutputError),
}
