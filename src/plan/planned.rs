//! The complete plan of a sweep. The scheduler writes it to the store before any worker starts.

use std::collections::HashSet;
use std::sync::Arc;

use crate::config::SweepTrial;
use crate::stages::{Effort, Key, StageJob};

/// A trial with its key.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedTrial {
    /// Digest of the canonical settings.
    pub key: Key,
    /// The trial.
    pub trial: SweepTrial,
}

/// A run: trial × category × seed.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRun {
    /// Digest of trial, category, seed and protocol. The same trial on other images is another run, and both keep their results.
    pub key: Key,
    /// Key of the trial.
    pub trial: Key,
    /// The category.
    pub category: String,
    /// The seed.
    pub seed: u64,
    /// Keys of its stages, in the order of execution.
    pub stages: Vec<Key>,
    /// Protocol under which its numbers are measured, as canonical JSON: data set and counts, size, filter, split, selection rule, map
    /// rule, mask rule, metric variants, teacher's digest, numerics.
    pub protocol: Arc<serde_json::Value>,
    /// Digest of the protocol.
    pub protocol_key: Key,
}

/// A stage that one or more runs need.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStage {
    /// Key of the stage.
    pub key: Key,
    /// Job of the stage.
    pub job: StageJob,
    /// Estimated work of the stage.
    pub effort: Effort,
}

impl Plan {
    /// Adds another plan. What both contain stays once.
    pub fn add(&mut self, other: Self) {
        let trials: HashSet<Key> = self.trials.iter().map(|trial| trial.key.clone()).collect();
        let runs: HashSet<Key> = self.runs.iter().map(|run| run.key.clone()).collect();
        let stages: HashSet<Key> = self.stages.iter().map(|stage| stage.key.clone()).collect();
        self.trials.extend(other.trials.into_iter().filter(|trial| !trials.contains(&trial.key)));
        self.runs.extend(other.runs.into_iter().filter(|run| !runs.contains(&run.key)));
        self.stages.extend(other.stages.into_iter().filter(|stage| !stages.contains(&stage.key)));
    }
}

/// Everything that a sweep will run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// The trials, without duplicates.
    pub trials: Vec<PlannedTrial>,
    /// The runs, in the order in which they should finish: first seeds and the baseline before the rest.
    pub runs: Vec<PlannedRun>,
    /// The stages, without duplicates, each after the stages that it needs.
    pub stages: Vec<PlannedStage>,
}
