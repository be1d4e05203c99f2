//! A whole plan: what the scheduler writes to the store before any worker starts.

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
    /// Digest of trial, category, seed and protocol: the same trial on other images is another run, and loses nothing.
    pub key: Key,
    /// The trial's key.
    pub trial: Key,
    /// The category.
    pub category: String,
    /// The seed.
    pub seed: u64,
    /// Keys of its stages, in the order in which it passes them.
    pub stages: Vec<Key>,
    /// The protocol that its numbers are measured under, canonical JSON (data set and counts, size, filter, split,
    /// selection rule, map rule, mask rule, metric variants, teacher's digest, numerics).
    pub protocol: Arc<serde_json::Value>,
    /// Digest of the protocol.
    pub protocol_key: Key,
}

/// A stage that one or more runs want.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStage {
    /// Its key.
    pub key: Key,
    /// Its job.
    pub job: StageJob,
    /// How much work it is.
    pub effort: Effort,
}

/// Everything that a sweep will do.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The trials, without duplicates.
    pub trials: Vec<PlannedTrial>,
    /// The runs, in the order in which they should finish: baseline and first seeds before the rest.
    pub runs: Vec<PlannedRun>,
    /// The stages, without duplicates, each after those that it depends on.
    pub stages: Vec<PlannedStage>,
}
