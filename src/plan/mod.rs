//! Trials to runs to stages, and their keys.

mod build;
mod effort;
mod job;
mod key;
mod planned;
#[cfg(test)]
mod tests;
mod trial;

pub use build::{PlanError, build};
pub use effort::Effort;
pub use job::{
    EvaluateJob, FeaturesJob, ImageSet, JointJob, Part, PretrainJob, ScoreJob, StageJob, StageKind, TeacherRef,
};
pub use key::Key;
pub use planned::{Plan, PlannedRun, PlannedStage, PlannedTrial};
pub use trial::{
    Baseline, Objective, Pruner, ReportSettings, SearchSettings, Strategy, Sweep, SweepTrial, Trial, short_name,
};
