//! Scores new images with a finished run: maps, overlays, scores, verdicts.

mod batch;
mod error;
mod files;
mod find;
mod finished;
mod names;
mod pipeline;
mod prediction;
mod predictor;

pub use error::PredictError;
pub use find::{Found, FoundImage, find};
pub use finished::FinishedRun;
pub use pipeline::{Predict, PredictOutput, predict};
pub use prediction::{BadImage, MapFile, Predicted, Prediction, Verdict};
