//! The stages, one file per stage: its job and dependencies, its key, its effort, how it runs and what it writes.

mod canonical;
mod effort;
mod evaluate;
mod execute;
mod features;
mod inputs;
mod joint;
mod key;
mod paint;
mod pretrain;
mod pseudo;
mod registry;
mod score;
mod selected;
mod stage;
mod training_part;

pub use effort::{Effort, Extent};
pub use evaluate::{EvaluateJob, LightingJob};
pub use execute::execute;
pub use features::FeaturesJob;
pub use inputs::{ImageLocation, ImageSet, Part, TeacherRef};
pub use joint::JointJob;
pub use key::{Key, short_key};
pub use paint::PaintJob;
pub use pretrain::PretrainJob;
pub use pseudo::PseudoJob;
pub use registry::{StageJob, StageKind};
pub use score::ScoreJob;
pub use selected::selected_stage;
pub use stage::{ArtifactFolders, KeyOf, Need, Stage};
pub use training_part::TrainingPart;
