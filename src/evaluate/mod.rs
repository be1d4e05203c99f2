//! Anomaly maps, metrics, and the settings under which they are measured.

mod calibrated;
mod curves;
mod histograms;
mod level_maps;
mod map_rule;
mod measured;
pub mod metrics;
mod resample;
mod result_name;
mod results;
mod score_artifact;
mod selection;
mod settings;
mod threshold;

pub use calibrated::Calibrated;
pub use curves::{Curve, Curves};
pub use histograms::{ImageHistogram, PixelHistograms};
pub use level_maps::LevelMaps;
pub use map_rule::{FinalMap, MapRule, mean_product_score};
pub use measured::Measured;
pub use resample::resize_bilinear;
pub use result_name::{Fact, Lit, OfKind, ResultName};
pub use results::{Evaluation, ImageScore};
pub use score_artifact::{ScoreHeader, Snapshot, TestImage};
pub(crate) use score_artifact::{maps_file, mask_file};
pub use selection::Selection;
pub use settings::{Aggregate, Border, EvaluateSettings, ImageScoreRule, Normalise};
pub use threshold::quantile;
