//! The five stages: what each computes, and how a phase that trains is driven, stopped and resumed. What they leave, asked about other
//! images.

mod batch;
mod context;
mod corruption;
mod demo_teacher;
mod driver;
mod evaluate;
mod features;
mod held_out;
mod joint;
mod losses;
mod paint;
mod predictor;
mod pretrain;
mod pseudo;
mod recipe;
mod score;
mod settings;
#[cfg(test)]
mod tests;
mod weighting;

pub use batch::Batches;
pub use context::{Observer, Progress, StageContext, StageError};
pub use demo_teacher::train_demo_teacher;
pub use evaluate::{EvaluateInput, evaluate};
pub use features::{BATCH, FeaturesInput, features};
pub use held_out::distance_maps;
pub use joint::{JointInput, JointSummary, joint, load_assembly};
pub use paint::{PaintInput, paint};
pub use predictor::Predictor;
pub use pretrain::{PretrainInput, pretrain};
pub use pseudo::{PseudoInput, pseudo};
pub use recipe::Recipe;
pub use score::{ScoreInput, score};
pub use settings::{
    Distance, JointSettings, LossSettings, LossWeighting, PretrainSettings, RateSchedule, ReconstructionGradient,
    ReconstructionTarget, Reduction, SelectionRule, SimilaritySettings, TrainedImages,
};
