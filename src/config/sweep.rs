//! A sweep with every setting in place: what the rest of the house works with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Baseline, ReportSettings, SearchSettings, Trial};

/// The most axes that the sequence has dimensions for.
pub const MAX_AXES: usize = sobol_burley::NUM_DIMENSIONS as usize;

/// The number of points of one sequence.
pub const MAX_POINTS: u64 = 1 << 16;

/// A checked sweep with its trials drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// Its name: the report's folder, the first argument of many verbs.
    pub name: String,
    /// The question that it asks.
    pub question: Option<String>,
    /// Search settings.
    pub search: SearchSettings,
    /// Variants of the report.
    pub report: ReportSettings,
    /// Baseline.
    pub baseline: Baseline,
    /// The trials, without duplicates, in the order in which they were drawn.
    pub trials: Vec<SweepTrial>,
}

/// The most runs that a sweep can have: its plan is made in memory, about 5 KB a run.
pub const MAX_RUNS: usize = 200_000;

impl Sweep {
    /// Runs of each category: those of all trials that the search will have.
    pub fn runs_a_category(&self) -> usize {
        let trials = self.search.strategy.trials().unwrap_or_default().max(self.trials.len());
        trials * self.search.seeds.len()
    }
}

/// A trial together with what the sweep file called it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepTrial {
    /// The resolved settings.
    pub trial: Trial,
    /// Values of the searched axes, by dotted name.
    pub axes: BTreeMap<String, serde_json::Value>,
    /// Where it was drawn: its axes; of a baseline those of the first trial whose protocol it shares. The same file with these
    /// values makes the trial again.
    pub point: BTreeMap<String, serde_json::Value>,
    /// The variant's label, e.g. `skip=concat`, or `ST-FPM` for the baseline.
    pub variant: String,
    /// Whether this is the re-run baseline.
    pub baseline: bool,
}

/// The last part of a dotted setting's name, or all of it where another of `among` ends alike.
pub fn short_name<'n, N: AsRef<str>>(name: &'n str, among: &[N]) -> &'n str {
    let last = name.rsplit('.').next().unwrap_or(name);
    let alike = among.iter().filter(|other| other.as_ref().rsplit('.').next() == Some(last)).count();
    if alike > 1 { name } else { last }
}
