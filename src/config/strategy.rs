//! How points are drawn from the search space.

use super::MAX_POINTS;
use crate::settings::{Field, Named, Settings, Usual, choices, documented, settings};

choices! {
    /// How points are drawn from the search space.
    pub enum Strategy by StrategyKind {
        /// Every combination once.
        Grid = "grid",
        /// Independent draws.
        Random(Draws) = "random",
        /// A scrambled Sobol sequence: fills the space evenly.
        Sobol(Draws) = "sobol",
        /// A tree-structured Parzen estimator, which learns from the objective of earlier trials; failed ones count as the worst.
        Tpe(Draws) = "tpe",
    }
}

settings! {
    /// How many points are drawn, and from which seed.
    pub struct Draws: Copy Eq (most: u64) {
        /// Total number of trials: when the file is edited, trials that are still in the space count and stay.
        pub trials: usize = integer(1, 1..=most as usize),
        /// Seed of the draws.
        pub seed: u64 = integer(0, 0..=u64::MAX),
    }
}

impl Strategy {
    /// How many trials were asked for; a grid has as many as points.
    pub fn trials(&self) -> Option<usize> {
        match self {
            Self::Grid => None,
            Self::Random(draws) | Self::Sobol(draws) | Self::Tpe(draws) => Some(draws.trials),
        }
    }

    /// Whether points are proposed while the sweep runs, from the results of earlier ones.
    pub fn learns(&self) -> bool {
        matches!(self, Self::Tpe(_))
    }

    /// Reads the strategy with its draws.
    pub(super) fn read(field: Field<'_>) -> Self {
        let reader = field.reader();
        // A misspelt strategy was meant to be something other than the default: no more is said of what would go with a grid.
        let otherwise = if field.is_given() { StrategyKind::Random } else { StrategyKind::Grid };
        let kind = field.one_of(documented, Usual::Value(StrategyKind::Grid.name().into())).unwrap_or(otherwise);
        if kind == StrategyKind::Grid {
            for key in ["trials", "seed"] {
                reader.know(key);
                if reader.is_given(key) {
                    let help =
                        "a grid has as many trials as points; \"random\", \"sobol\" and \"tpe\" take trials and seed";
                    reader.refuse(key, format!("`search.{key}` does not go with a grid"), help);
                }
            }
            return Self::Grid;
        }
        if !reader.is_given("trials") {
            reader.problems().add(
                reader.place(),
                "`search.trials` is missing",
                "expected the number of trials to draw",
            );
        }
        // Half the Sobol sequence, for points that were drawn before are passed over.
        let most = if kind == StrategyKind::Random { 1_000_000 } else { MAX_POINTS / 2 };
        let draws = Draws::read(reader, most);
        match kind {
            StrategyKind::Grid => Self::Grid,
            StrategyKind::Random => Self::Random(draws),
            StrategyKind::Sobol => Self::Sobol(draws),
            StrategyKind::Tpe => Self::Tpe(draws),
        }
    }
}
