//! Strategies that draw points from the search space.

use super::MAX_POINTS;
use crate::settings::{DefaultValue, Field, Settings, choices, documented, settings};

choices! {
    /// Strategy that draws points from the search space.
    pub enum Strategy by StrategyKind {
        /// Every combination once.
        Grid = "grid",
        /// Independent draws.
        Random(Draws) = "random",
        /// A scrambled Sobol sequence: fills the space evenly.
        Sobol(Draws) = "sobol",
        /// A tree-structured Parzen estimator. It learns from the objective of earlier trials; failed trials count as the worst.
        Tpe(Draws) = "tpe",
    }
}

settings! {
    /// Number of points to draw, and seed of the draws.
    pub struct Draws: Copy Eq (max: u64) {
        /// Total number of trials. After the file is edited, trials that are still in the space are kept and counted.
        pub trials: usize = integer(1, 1..=max as usize),
        /// Seed of the draws.
        pub seed: u64 = integer(0, 0..=u64::MAX),
    }
}

impl Strategy {
    /// Returns the requested number of trials. Returns `None` for a grid, which has one trial per point.
    pub fn trials(&self) -> Option<usize> {
        match self {
            Self::Grid => None,
            Self::Random(draws) | Self::Sobol(draws) | Self::Tpe(draws) => Some(draws.trials),
        }
    }

    /// Returns whether points are proposed while the sweep runs, from the results of earlier points.
    pub fn learns(&self) -> bool {
        matches!(self, Self::Tpe(_))
    }

    /// Reads the strategy with its draws.
    pub(super) fn read(field: Field<'_>) -> Self {
        let reader = field.reader();
        // A misspelt strategy was probably not meant to be the default. Do not report errors that apply to a grid only.
        let fallback = if field.is_given() { StrategyKind::Random } else { StrategyKind::Grid };
        let kind = field.one_of(documented, DefaultValue::Value(StrategyKind::Grid.name().into())).unwrap_or(fallback);
        if kind == StrategyKind::Grid {
            for key in ["trials", "seed"] {
                reader.mark_known(key);
                if reader.is_given(key) {
                    let help =
                        "a grid has one trial per point; trials and seed are for \"random\", \"sobol\" and \"tpe\"";
                    reader.refuse(key, format!("a grid does not accept `search.{key}`"), help);
                }
            }
            return Self::Grid;
        }
        if !reader.is_given("trials") {
            reader.problems().add(reader.place(), "`search.trials` is missing", "set the number of trials to draw");
        }
        // At most half of the Sobol sequence, because points that were drawn before are skipped.
        let max = if kind == StrategyKind::Random { 1_000_000 } else { MAX_POINTS / 2 };
        let draws = Draws::read(reader, max);
        match kind {
            StrategyKind::Grid => Self::Grid,
            StrategyKind::Random => Self::Random(draws),
            StrategyKind::Sobol => Self::Sobol(draws),
            StrategyKind::Tpe => Self::Tpe(draws),
        }
    }
}
