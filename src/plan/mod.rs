//! Trials to runs to stages, and their keys.

mod build;
mod job;
mod key;
mod planned;
mod pseudo_job;
#[cfg(test)]
mod tests;
mod trial;

pub use build::{PlanError, build};
pub use job::{
    EvaluateJob, FeaturesJob, ImageSet, JointJob, Part, PretrainJob, ScoreJob, StageJob, StageKind, TeacherRef,
};
pub use key::Key;
pub use planned::{Plan, PlannedRun, PlannedStage, PlannedTrial};
pub use pseudo_job::{PaintJob, PseudoJob};
pub use trial::{
    Baseline, Objective, Pruner, ReportSettings, SearchSettings, Strategy, Sweep, SweepTrial, Trial, short_name,
};
