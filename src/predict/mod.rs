//! What a finished run says of any images: maps, overlays, scores, verdicts.

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
pub use find::{Found, Located, find};
pub use finished::Finished;
pub use pipeline::{Made, Predict, predict};
pub use prediction::{BadImage, MapFile, Predicted, Prediction, Verdict};
