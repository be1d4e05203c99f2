//! Scores new images with a finished run: maps, overlays, scores, verdicts, and the submission of MVTec AD 2.

mod batch;
mod error;
mod files;
mod find;
mod finished;
mod names;
mod pipeline;
mod prediction;
mod predictor;
mod submission;

pub use error::PredictError;
pub use find::{FoundImage, FoundImages, find};
pub use finished::FinishedRun;
pub use pipeline::{Predict, PredictOutput, predict};
pub use prediction::{ImageVerdict, MapFile, PredictedImage, Prediction, UnusableImage};
pub use submission::{Completeness, Split, Submit, check, submit};
