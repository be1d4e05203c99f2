//! What the search was guided by, and whether numbers are selected on test for that.

use crate::config::Objective;
use crate::store::SweepRow;

/// What the search of a sweep maximised.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Guidance(Option<Objective>);

impl Guidance {
    /// Read back from the sweep's resolved settings.
    pub(crate) fn of(sweep: &SweepRow) -> Self {
        let resolved: serde_json::Value = serde_json::from_str(&sweep.resolved).unwrap_or_default();
        let objective = resolved.get("search").and_then(|search| search.get("objective")).cloned();
        Self(objective.and_then(|objective| serde_json::from_value(objective).ok()).unwrap_or_default())
    }

    /// What every table and figure carries where the search saw the test images.
    pub(crate) fn mark(&self) -> Option<&'static str> {
        self.0.is_some_and(Objective::is_on_test).then_some("selected on test")
    }

    /// What the search maximised, if anything.
    pub(crate) fn objective(&self) -> Option<Objective> {
        self.0
    }
}
