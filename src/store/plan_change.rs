//! What a changed sweep file changes.

use std::collections::HashSet;

use super::open::Tx;
use super::{Store, StoreError};
use crate::plan::{Plan, PlannedTrial, trial_settings};

/// Trials of a sweep that come, go and stay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanChange {
    /// Trials that were not there: their settings, behind their ids once these are given.
    pub added: Vec<String>,
    /// Trials that are no longer wanted, with their ids; their results stay in the store.
    pub removed: Vec<String>,
    /// Trials that stay.
    pub kept: usize,
}

impl Store {
    /// What a plan changes against the sweep as it stands; none if there is no such sweep, or nothing changes.
    pub async fn change(&self, name: &str, plan: &Plan) -> Result<Option<PlanChange>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT st.trial_id, st.title FROM sweep_trial st JOIN sweep s ON s.id = st.sweep_id WHERE s.name = ?
             ORDER BY st.position",
        )
        .bind(name)
        .fetch_all(&self.pool)
        .await?;
        Ok(change(&rows, &plan.trials, |trial| trial_settings(&trial.trial.variant, &trial.trial.axes)))
    }
}

/// Key and title of the trials of a sweep, in their order.
pub(super) async fn linked_trials(tx: &mut Tx, sweep: &str) -> Result<Vec<(String, String)>, StoreError> {
    Ok(sqlx::query_as("SELECT trial_id, title FROM sweep_trial WHERE sweep_id = ? ORDER BY position")
        .bind(sweep)
        .fetch_all(&mut **tx)
        .await?)
}

/// What a plan's trials change against those that were there; none if there were none, or nothing changes. Another order is no
/// change.
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
