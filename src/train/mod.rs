//! The phases that train: features, pretraining, joint training, and their checkpoints.

mod context;
mod settings;

pub use context::{Observer, Progress, StageContext, StageError};
pub use settings::{
    JointSettings, LossSettings, OptimizerSettings, PretrainSettings, Recipe, ReconstructionGradient, SelectionRule,
};
