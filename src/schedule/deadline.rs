//! Whether the next stage fits into the time that a worker has: a job of a cluster ends at a known time.

use std::time::{Duration, SystemTime};

use crate::store::{NextStage, Rates};
use crate::text::rough_duration;

/// Time in which a stage that trains reaches its first checkpoint: it reads its inputs and trains at least one step.
pub const FIRST_CHECKPOINT: Duration = Duration::from_secs(30);

/// A stage is given this many times the time that it takes by the measurements of other stages.
const MARGIN: f64 = 1.25;

/// The time at which a worker must have stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deadline {
    until: SystemTime,
    /// Whether the worker has claimed no stage yet, so that another job would not have more time.
    pub is_fresh: bool,
}

/// Whether a stage can be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fit {
    /// It reaches a checkpoint or its end in time, or nothing is known.
    Fits,
    /// It needs a job that has just begun.
    NextJob,
    /// No job of this length is long enough; holds a message.
    LongerJobs(String),
}

impl Deadline {
    pub(super) fn new(until: SystemTime) -> Self {
        Self { until, is_fresh: true }
    }

    /// Decides whether a stage can be claimed on this number of threads.
    pub(super) fn fit(&self, stage: &NextStage, rates: &Rates, threads: usize) -> Fit {
        let left = self.until.duration_since(SystemTime::now()).unwrap_or_default();
        let whole = rates
            .thread_seconds(&stage.family, stage.work)
            .map(|seconds| Duration::from_secs_f64(MARGIN * seconds / threads as f64));
        let needed = match stage.kind.has_checkpoints() {
            true => whole.unwrap_or(FIRST_CHECKPOINT).min(FIRST_CHECKPOINT),
            false => whole.unwrap_or_default(),
        };
        match needed < left {
            true => Fit::Fits,
            false if self.is_fresh => Fit::LongerJobs(format!(
                "the next stage ({}) takes about {}{}, but this job has {} before it must stop: submit the sweep again with a longer --time",
                stage.kind,
                rough_duration(needed),
                if stage.kind.has_checkpoints() { " to its first checkpoint" } else { "" },
                rough_duration(left)
            )),
            false => Fit::NextJob,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::StageKind;

    #[test]
    fn a_stage_must_reach_a_checkpoint_or_its_end() {
        let rates = Rates::of_class("score", 100.0);
        let stage = |kind, family: &str| NextStage { kind, family: family.to_owned(), work: 2.0 };
        let (score, joint) = (stage(StageKind::Score, "score"), stage(StageKind::Joint, "joint"));
        let until = |seconds| SystemTime::now() + Duration::from_secs(seconds);
        // Two units of 100 thread-seconds on two threads take 100 s, with the margin 125 s.
        assert_eq!(Deadline::new(until(130)).fit(&score, &rates, 2), Fit::Fits);
        assert!(matches!(Deadline::new(until(120)).fit(&score, &rates, 2), Fit::LongerJobs(_)));
        let used = Deadline { is_fresh: false, ..Deadline::new(until(120)) };
        assert_eq!(used.fit(&score, &rates, 2), Fit::NextJob);
        // Training goes on from its checkpoint in the next job.
        assert_eq!(used.fit(&joint, &rates, 2), Fit::Fits);
        assert_eq!(Deadline { is_fresh: false, ..Deadline::new(until(20)) }.fit(&joint, &rates, 2), Fit::NextJob);
        // Nothing is known about this kind.
        assert_eq!(Deadline::new(until(5)).fit(&stage(StageKind::Features, "features"), &rates, 2), Fit::Fits);
        assert_eq!(Deadline { is_fresh: false, ..Deadline::new(until(0)) }.fit(&joint, &rates, 2), Fit::NextJob);
    }
}
