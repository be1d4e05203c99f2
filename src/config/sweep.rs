//! A sweep with every setting in place: what the rest of the house works with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::objective::Objective;
use crate::data::DataSettings;
use crate::evaluate::EvaluateSettings;
use crate::evaluate::metrics::{AUPRO, IMAGE_AUROC, Metric, PIXEL_AUROC};
use crate::model::{AutoEncoder, TeacherSettings};
use crate::tensor::Numerics;
use crate::training::{JointSettings, PretrainSettings};

/// One point of the search space, canonical: settings that do not apply are absent.
///
/// Two trials with equal values train the same networks; neither category nor seed is part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Images.
    pub data: DataSettings,
    /// Frozen teacher.
    pub teacher: TeacherSettings,
    /// Auto-encoders, or none (ST-FPM).
    pub model: AutoEncoder,
    /// Phase 1; absent without auto-encoders or with zero epochs.
    pub pretrain: Option<PretrainSettings>,
    /// Phase 2.
    pub joint: JointSettings,
    /// Map rule.
    pub evaluate: EvaluateSettings,
    /// How exactly the networks are computed; the same in all trials of a sweep.
    #[serde(default, skip_serializing_if = "Numerics::is_f32")]
    pub numerics: Numerics,
}

impl Trial {
    /// About the memory that a worker needs for it, bytes: joint steps on three U-Nets took 632 MB at batch 8 and 256 px; larger
    /// networks need more.
    pub fn peak_bytes(&self) -> u64 {
        const NETWORKS: usize = 200_000_000;
        const OF_A_PIXEL: usize = 1200;
        let batch = self.pretrain.as_ref().map_or(0, |pretrain| pretrain.batch_size).max(self.joint.batch_size);
        (NETWORKS + OF_A_PIXEL * batch * self.data.image_size.pow(2)) as u64
    }
}

/// How points are drawn from the search space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Every combination once.
    Grid,
    /// Independent draws.
    Random {
        /// How many.
        trials: usize,
        /// Seed of the draws.
        seed: u64,
    },
    /// A scrambled Sobol sequence: fills the space evenly.
    Sobol {
        /// How many.
        trials: usize,
        /// Seed of the scrambling.
        seed: u64,
    },
    /// A tree-structured Parzen estimator, which learns from the objective of earlier trials.
    Tpe {
        /// How many.
        trials: usize,
        /// Seed of the draws.
        seed: u64,
    },
}

impl Strategy {
    /// How many trials were asked for; a grid has as many as points.
    pub fn trials(&self) -> Option<usize> {
        match *self {
            Self::Grid => None,
            Self::Random { trials, .. } | Self::Sobol { trials, .. } | Self::Tpe { trials, .. } => Some(trials),
        }
    }

    /// Whether points are proposed while the sweep runs, from the results of earlier ones.
    pub fn learns(&self) -> bool {
        matches!(self, Self::Tpe { .. })
    }
}

/// What stops trials that are not worth going on with. A trial's runs (category × seed, in the order of the sweep) are the
/// resource: after each, trials are compared on the runs that they have both finished.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pruner {
    /// Asynchronous successive halving (Li et al. 2020): at rungs of `min_runs`·η^k runs the best 1/η go on.
    Asha {
        /// Runs before the first rung.
        min_runs: usize,
        /// The fraction that goes on is 1/η.
        eta: usize,
    },
    /// A trial below the median of the others' means over the same runs is stopped.
    Median {
        /// Runs before a trial can be stopped.
        min_runs: usize,
        /// Finished trials before any can be stopped.
        startup_trials: usize,
    },
    /// A trial that a Wilcoxon signed-rank test, paired by run, finds worse than the best one is stopped.
    Wilcoxon {
        /// One-sided level of the test.
        p: f64,
        /// Pairs before a trial can be stopped.
        min_runs: usize,
    },
}

/// The most axes that the sequence has dimensions for.
pub const MAX_AXES: usize = sobol_burley::NUM_DIMENSIONS as usize;

/// The number of points of one sequence.
pub const MAX_POINTS: u64 = 1 << 16;

/// The search of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchSettings {
    /// Sampler.
    pub strategy: Strategy,
    /// Seeds of the runs.
    pub seeds: Vec<u64>,
    /// What the search maximises; absent where nothing learns from results and none was asked for.
    pub objective: Option<Objective>,
    /// What stops trials early.
    pub pruner: Option<Pruner>,
}

/// What the report compares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportSettings {
    /// Dotted names of the axes whose values make a variant.
    pub variants: Vec<String>,
    /// The metrics that are shown, at least one; the first is that of the headline.
    pub metrics: Vec<Metric>,
}

impl ReportSettings {
    /// The metrics that are shown unless others are asked for.
    pub const METRICS: [Metric; 3] = [PIXEL_AUROC, IMAGE_AUROC, AUPRO];
}

/// ST-FPM, published and re-run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Name of a table in `experiments/baselines`.
    pub published: Option<String>,
    /// Whether plain ST-FPM is trained under the same protocol.
    pub rerun: Rerun,
}

/// Whether plain ST-FPM is trained under the protocols of a sweep's trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rerun {
    /// Beside them.
    Yes,
    /// Not at all.
    No,
    /// In their place.
    Only,
}

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
