//! Training of a phase: losses, driver, checkpoints, stopping and resuming.

mod batch;
mod context;
mod corruption;
mod demo_teacher;
mod distances;
mod driver;
mod forward;
mod held_out;
mod joint;
mod losses;
mod pretrain;
mod recipe;
mod settings;
#[cfg(test)]
mod tests;
mod threads;
mod training_folder;
mod weight_files;
mod weighting;

pub use batch::Batches;
pub(crate) use context::write_json;
pub use context::{Observer, Progress, StageContext, StageError};
pub use demo_teacher::train_demo_teacher;
pub use distances::Distance;
pub use forward::BATCH;
pub(crate) use forward::{backbone, forward, normalised};
pub use held_out::distance_maps;
pub(crate) use held_out::forward_milliseconds;
pub(crate) use joint::selected_assembly;
pub use joint::{JointInput, JointSummary, joint, load_assembly};
pub use pretrain::{PretrainInput, pretrain};
pub use recipe::Recipe;
pub use settings::{
    JointSettings, LossSettings, LossWeighting, PretrainSettings, RateSchedule, ReconstructionGradient,
    ReconstructionTarget, Reduction, SelectionRule, SimilaritySettings, TrainedImages,
};
pub use threads::Threads;
pub use training_folder::TrainingFolder;
pub use weight_files::{LAST, PRETRAINED, SELECTED, is_snapshot, snapshot_file};
