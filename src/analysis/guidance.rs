//! How the search chose its points, and whether numbers count as selected on test because of it.

use crate::config::{Objective, Strategy};
use crate::store::SweepRow;

/// How the search of a sweep chose its points.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Guidance {
    /// What it maximised, if anything.
    objective: Option<Objective>,
    /// Whether it drew points instead of taking every combination.
    draws: bool,
}

impl Guidance {
    /// Reads objective and strategy from the sweep's resolved settings.
    pub(crate) fn of(sweep: &SweepRow) -> Self {
        let resolved: serde_json::Value = serde_json::from_str(&sweep.resolved).unwrap_or_default();
        let of_search = |name: &str| resolved.get("search").and_then(|search| search.get(name)).cloned();
        let objective = of_search("objective").and_then(|objective| serde_json::from_value(objective).ok());
        let strategy = of_search("strategy").and_then(|strategy| serde_json::from_value(strategy).ok());
        Self {
            objective: objective.unwrap_or_default(),
            draws: strategy.is_some_and(|strategy: Strategy| strategy != Strategy::Grid),
        }
    }

    /// Returns the mark that every table and figure carries if the search saw the test images.
    pub(crate) fn mark(&self) -> Option<&'static str> {
        self.objective.is_some_and(Objective::is_on_test).then_some("selected on test")
    }

    /// Returns the objective that the search maximised, if any.
    pub(crate) fn objective(&self) -> Option<Objective> {
        self.objective
    }

    /// Returns whether the search drew its points. If not, it took every combination.
    pub(crate) fn draws(&self) -> bool {
        self.draws
    }
}
