//! What guided the search, and whether numbers count as selected on test because of it.

use crate::config::Objective;
use crate::store::SweepRow;

/// The objective that the search of a sweep maximised, if any.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Guidance(Option<Objective>);

impl Guidance {
    /// Reads the objective from the sweep's resolved settings.
    pub(crate) fn of(sweep: &SweepRow) -> Self {
        let resolved: serde_json::Value = serde_json::from_str(&sweep.resolved).unwrap_or_default();
        let objective = resolved.get("search").and_then(|search| search.get("objective")).cloned();
        Self(objective.and_then(|objective| serde_json::from_value(objective).ok()).unwrap_or_default())
    }

    /// Returns the mark that every table and figure carries if the search saw the test images.
    pub(crate) fn mark(&self) -> Option<&'static str> {
        self.0.is_some_and(Objective::is_on_test).then_some("selected on test")
    }

    /// Returns the objective that the search maximised, if any.
    pub(crate) fn objective(&self) -> Option<Objective> {
        self.0
    }
}
