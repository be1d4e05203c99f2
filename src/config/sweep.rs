//! A sweep with all settings resolved, as the rest of the program uses it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BASELINE, Baseline, DecideSettings, ReportSettings, SearchSettings, Trial};

/// Largest number of axes: the dimensions of the Sobol sequence.
pub const MAX_AXES: usize = sobol_burley::NUM_DIMENSIONS as usize;

/// Number of points in one Sobol sequence.
pub const MAX_POINTS: u64 = 1 << 16;

/// A checked sweep with its trials drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// Name of the sweep: the folder of its report and the first argument of many commands.
    pub name: String,
    /// Question that the sweep asks.
    pub question: Option<String>,
    /// Search settings.
    pub search: SearchSettings,
    /// Variants and metrics of the report.
    pub report: ReportSettings,
    /// When the answer about a variant is settled; `None` if the number of seeds is fixed.
    pub decide: Option<DecideSettings>,
    /// Published and re-run baseline.
    pub baseline: Baseline,
    /// Trials without duplicates, in the order in which they were drawn.
    pub trials: Vec<SweepTrial>,
}

/// Largest number of runs of a sweep. The plan is built in memory and needs about 5 KB per run.
pub const MAX_RUNS: usize = 200_000;

impl Sweep {
    /// Returns the number of runs per category, over all trials that the search will have.
    pub fn runs_per_category(&self) -> usize {
        let trials = self.search.strategy.trials().unwrap_or_default().max(self.trials.len());
        trials * self.search.seeds.len()
    }

    /// Returns on how many seeds the chosen trials are compared; `None` if nothing is chosen.
    pub fn confirmation(&self) -> Option<Confirmation> {
        Confirmation::of(&self.search, self.decide)
    }
}

/// On how many seeds the chosen trials are compared with the chosen trial of ST-FPM.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Confirmation {
    /// A fixed number.
    Fixed(usize),
    /// As many as it takes to settle the answer.
    UntilSettled(DecideSettings),
}

impl Confirmation {
    /// Returns what the tables `[search]` and `[decide]` ask for; `None` if nothing is chosen.
    pub fn of(search: &SearchSettings, decide: Option<DecideSettings>) -> Option<Self> {
        match (decide, search.confirm_seeds) {
            (Some(decide), _) => Some(Self::UntilSettled(decide)),
            (None, seeds) => seeds.map(Self::Fixed),
        }
    }
}

/// A trial with its place in the search space and in the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepTrial {
    /// The resolved settings.
    pub trial: Trial,
    /// Values of the searched axes, by dotted name.
    pub axes: BTreeMap<String, serde_json::Value>,
    /// Point of the search space. For a baseline, the point of the first trial with the same protocol. The same file with these values
    /// gives the same trial.
    pub point: BTreeMap<String, serde_json::Value>,
    /// The variant's label, e.g. `skip=concat`, or `ST-FPM` for the baseline.
    pub variant: String,
    /// Whether this is the re-run baseline.
    pub baseline: bool,
}

impl SweepTrial {
    /// Returns whether the search drew it. Otherwise it is ST-FPM: the re-run baseline, or ST-FPM at a point of the search.
    pub fn is_searched(&self) -> bool {
        !self.baseline && self.variant != BASELINE
    }
}

/// Returns the last part of a dotted name, or the complete name if another name in `names` has the same last part.
pub fn short_name<'n, N: AsRef<str>>(name: &'n str, names: &[N]) -> &'n str {
    let last = name.rsplit('.').next().unwrap_or(name);
    let same = names.iter().filter(|other| other.as_ref().rsplit('.').next() == Some(last)).count();
    if same > 1 { name } else { last }
}
