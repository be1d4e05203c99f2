//! Anomaly maps, metrics, and what they are measured under.

mod curves;
mod histograms;
mod level_maps;
mod map_rule;
pub mod metrics;
mod resample;
mod results;
mod score_artifact;
mod settings;
mod threshold;

pub use curves::{Curve, Curves};
pub use histograms::{ImageHistogram, PixelHistograms};
pub use level_maps::LevelMaps;
pub(crate) use level_maps::read_floats;
pub use map_rule::{FinalMap, MapRule, mean_product_score};
pub use resample::resize_bilinear;
pub use results::{Evaluation, ImageScore, Measured};
pub use score_artifact::{ScoreHeader, Snapshot, TestImage};
pub(crate) use score_artifact::{fused_file, maps_file, mask_file, thumbnail_file};
pub use settings::{Aggregate, Border, Checkpoint, EvaluateSettings, ImageScoreRule, Normalise};
pub use threshold::quantile;
