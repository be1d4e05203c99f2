//! The changes that an edited sweep file makes to a sweep.

use std::collections::HashSet;

use super::database::Tx;
use super::sql::sql;
use super::{Store, StoreError};
use crate::plan::{Plan, PlannedTrial, trial_settings};

/// Trials that a new plan adds, removes and keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanChange {
    /// Added trials: their settings, preceded by their short ids once these are assigned.
    pub added: Vec<String>,
    /// Removed trials, with their short ids. Their results stay in the store.
    pub removed: Vec<String>,
    /// Number of trials that stay.
    pub kept: usize,
}

impl Store {
    /// Compares a plan with the stored sweep. Returns `None` if there is no such sweep or nothing changes.
    pub async fn change(&self, name: &str, plan: &Plan) -> Result<Option<PlanChange>, StoreError> {
        let rows: Vec<(String, String)> = sql(
            "SELECT t.key, st.title FROM sweep_trials st JOIN sweeps w ON w.id = st.sweep_id JOIN trials t ON t.id = st.trial_id
             WHERE w.name = $1 ORDER BY st.position",
        )
        .bind(name)
        .all(self)
        .await?;
        Ok(change(&rows, &plan.trials, |trial| trial_settings(&trial.trial.variant, &trial.trial.axes)))
    }
}

/// Returns the key and the title of each trial of a sweep, in order.
pub(super) async fn linked_trials(tx: &mut Tx, sweep: i64) -> Result<Vec<(String, String)>, StoreError> {
    sql("SELECT t.key, st.title FROM sweep_trials st JOIN trials t ON t.id = st.trial_id WHERE st.sweep_id = $1 ORDER BY st.position")
        .bind(sweep)
        .all(tx)
        .await
}

/// Compares a plan's trials with the previous trials. Returns `None` if there were no trials or nothing changes. A different order
/// is not a change.
pub(super) fn change(
    before: &[(String, String)],
    trials: &[PlannedTrial],
    title: impl Fn(&PlannedTrial) -> String,
) -> Option<PlanChange> {
    let known: HashSet<&str> = before.iter().map(|(id, _)| id.as_str()).collect();
    let wanted: HashSet<&str> = trials.iter().map(|trial| trial.key.as_str()).collect();
    let change = PlanChange {
        added: trials.iter().filter(|trial| !known.contains(trial.key.as_str())).map(title).collect(),
        removed: before
            .iter()
            .filter(|(id, _)| !wanted.contains(id.as_str()))
            .map(|(_, label)| label.clone())
            .collect(),
        kept: before.iter().filter(|(id, _)| wanted.contains(id.as_str())).count(),
    };
    (!before.is_empty() && (!change.added.is_empty() || !change.removed.is_empty())).then_some(change)
}
