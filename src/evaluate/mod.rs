//! Anomaly maps, metrics, and what they are measured under.

mod settings;

pub use settings::{Aggregate, Checkpoint, EvaluateSettings};
