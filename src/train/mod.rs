//! The five stages: what each computes, and how a phase that trains is driven, stopped and resumed.

mod batch;
mod context;
mod corruption;
mod demo_teacher;
mod driver;
mod evaluate;
mod features;
mod held_out;
mod joint;
mod paint;
mod pretrain;
mod pseudo;
mod score;
mod settings;
mod teacher_head;
#[cfg(test)]
mod tests;

pub use batch::Batches;
pub use context::{Observer, Progress, StageContext, StageError};
pub use demo_teacher::train_demo_teacher;
pub use evaluate::{EvaluateInput, evaluate};
pub use features::{FeaturesInput, features};
pub use held_out::distance_maps;
pub use joint::{JointInput, JointSummary, joint, load_assembly};
pub use paint::{PaintInput, paint};
pub use pretrain::{PretrainInput, pretrain};
pub use pseudo::{PseudoInput, pseudo};
pub use score::{ScoreInput, score};
pub use settings::{
    JointSettings, LossSettings, PretrainSettings, RateSchedule, Recipe, ReconstructionGradient, SelectionRule,
};
