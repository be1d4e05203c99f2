//! Anomaly maps, metrics, and what they are measured under.

mod curves;
mod maps;
pub mod metrics;
mod results;
mod score_artifact;
mod settings;
mod threshold;

pub use curves::{Curve, Curves};
pub(crate) use maps::read_floats;
pub use maps::{FinalMap, LevelMaps, MapRule, mean_fused_score, resize_bilinear};
pub use results::{Evaluation, ImageScore, Measured};
pub use score_artifact::{ScoreHeader, Snapshot, TestImage};
pub(crate) use score_artifact::{fused_file, maps_file, mask_file, thumbnail_file};
pub use settings::{Aggregate, Checkpoint, EvaluateSettings};
pub use threshold::quantile;
