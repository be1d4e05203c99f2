//! One file a stage: what it needs, what its key contains, how it runs and what it leaves.

mod effort;
mod evaluate;
mod execute;
mod features;
mod job;
mod key;
mod paint;
mod pseudo;
mod pseudo_job;
mod score;
mod selected;

pub use effort::Effort;
pub use execute::{ArtifactFolders, execute, planned_teacher};
pub use job::{
    EvaluateJob, FeaturesJob, ImageSet, JointJob, Part, PretrainJob, ScoreJob, StageJob, StageKind, TeacherRef,
};
pub use key::{Key, short_key};
pub use pseudo_job::{PaintJob, PseudoJob};
pub use selected::selected_stage;
