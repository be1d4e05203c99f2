//! The tables `[pretrain]` and `[joint]`: the two phases of training.

mod joint;
mod loss;
mod pretrain;
mod schedule;
mod similarity;
mod weighting;

pub use joint::{JointSettings, SelectionRule, TrainedImages};
pub use loss::{LossSettings, ReconstructionGradient, ReconstructionTarget};
pub use pretrain::PretrainSettings;
pub use schedule::RateSchedule;
pub use similarity::{Reduction, SimilaritySettings};
pub use weighting::LossWeighting;
