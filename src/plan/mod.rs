//! Trials to runs to stages, and their keys.

mod build;
mod effort;
mod identity;
mod job;
mod key;
mod opened;
mod planned;
mod pseudo_job;
mod selected;
#[cfg(test)]
mod tests;
mod title;
mod trial;

pub use build::{PlanError, Planner, build};
pub use effort::Effort;
pub use identity::identity;
pub use job::{
    EvaluateJob, FeaturesJob, ImageSet, JointJob, Part, PretrainJob, ScoreJob, StageJob, StageKind, TeacherRef,
};
pub use key::{Key, short_key};
pub use planned::{Plan, PlannedRun, PlannedStage, PlannedTrial};
pub use pseudo_job::{PaintJob, PseudoJob};
pub use selected::selected_stage;
pub use title::{trial_id, trial_number, trial_settings, trial_title};
pub use trial::{
    Baseline, MAX_RUNS, Objective, Pruner, ReportSettings, Rerun, SearchSettings, Strategy, Sweep, SweepTrial, Trial,
    short_name,
};
