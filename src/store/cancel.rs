//! Cancels a sweep, a trial or a run.

use super::{RunState, Store, StoreError};
use crate::plan::{trial_id, trial_number};

/// What an id refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A sweep: id and name.
    Sweep(String, String),
    /// A trial's key. It refers to the trial in every sweep that contains it.
    Trial(String),
    /// A trial of one sweep, by its short id.
    TrialOf {
        /// The sweep's id.
        sweep: String,
        /// The sweep's name.
        name: String,
        /// The trial's key.
        trial: String,
        /// The trial's number: 7 for `T07`.
        number: i64,
    },
    /// A run's key.
    Run(String),
    /// A stage's key.
    Stage(String),
}

/// Reason stored with a cancelled run.
const CANCELLED: &str = "cancelled by the user";

/// SQL condition for runs of the trial `?1` that belong to this sweep and to no other.
fn not_shared(sweep: &str) -> String {
    format!(
        "trial_id = ?1 AND id IN (SELECT run_id FROM sweep_run WHERE sweep_id = '{sweep}')
         AND NOT EXISTS (SELECT 1 FROM sweep_run o WHERE o.run_id = run.id AND o.sweep_id <> '{sweep}')"
    )
}

/// SQL condition for runs that are pending or running.
const OPEN: &str = "state IN ('pending', 'running')";

impl Store {
    /// Resolves an id: a sweep's name, a trial's short id (`T07` or `SWEEP:T07`), or the first digits of a key.
    ///
    /// # Errors
    /// [`StoreError::NoId`], [`StoreError::Ambiguous`], [`StoreError::AmbiguousTrial`], [`StoreError::NoTrial`].
    pub async fn find(&self, id: &str) -> Result<Named, StoreError> {
        if let Ok((sweep, name)) = self.find_sweep(Some(id)).await {
            return Ok(Named::Sweep(sweep, name));
        }
        if let Some((sweep, number)) = id.split_once(':').and_then(|(sweep, id)| Some((sweep, trial_number(id)?))) {
            let (sweep, name) = self.find_sweep(Some(sweep)).await?;
            return self.trial_of(&sweep, &name, number).await;
        }
        if let Some(number) = trial_number(id) {
            return self.trial_anywhere(number).await;
        }
        let missing = || StoreError::NoId { id: id.to_owned() };
        if id.len() < 4 || !id.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(missing());
        }
        let pattern = format!("{}%", id.to_lowercase());
        let mut found = Vec::new();
        for table in ["run", "trial", "stage"] {
            let rows: Vec<(String,)> =
                sqlx::query_as(sqlx::AssertSqlSafe(format!("SELECT id FROM {table} WHERE id LIKE ? LIMIT 3")))
                    .bind(&pattern)
                    .fetch_all(&self.pool)
                    .await?;
            found.extend(rows.into_iter().map(|(id,)| match table {
                "run" => Named::Run(id),
                "trial" => Named::Trial(id),
                _ => Named::Stage(id),
            }));
        }
        match found.len() {
            0 => Err(missing()),
            1 => Ok(found.remove(0)),
            count => Err(StoreError::Ambiguous { id: id.to_owned(), count }),
        }
    }

    /// Resolves an id within a sweep. A trial's short id refers to the trials of that sweep.
    ///
    /// # Errors
    /// The same as [`Store::find`].
    pub async fn find_in(&self, sweep: &str, name: &str, id: &str) -> Result<Named, StoreError> {
        match trial_number(id) {
            Some(number) => self.trial_of(sweep, name, number).await,
            None => self.find(id).await,
        }
    }

    async fn trial_of(&self, sweep: &str, name: &str, number: i64) -> Result<Named, StoreError> {
        let trial: Option<(String,)> =
            sqlx::query_as("SELECT trial_id FROM trial_number WHERE sweep_id = ? AND number = ?")
                .bind(sweep)
                .bind(number)
                .fetch_optional(&self.pool)
                .await?;
        match trial {
            Some((trial,)) => Ok(Named::TrialOf { sweep: sweep.to_owned(), name: name.to_owned(), trial, number }),
            None => {
                let (last,): (Option<i64>,) = sqlx::query_as("SELECT MAX(number) FROM trial_number WHERE sweep_id = ?")
                    .bind(sweep)
                    .fetch_one(&self.pool)
                    .await?;
                let last = last.map_or_else(|| "none".to_owned(), trial_id);
                Err(StoreError::NoTrial { id: trial_id(number), sweep: name.to_owned(), last })
            }
        }
    }

    /// Resolves a trial number without a sweep. Fails unless exactly one sweep has a trial with this number.
    async fn trial_anywhere(&self, number: i64) -> Result<Named, StoreError> {
        let mut found: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT s.id, s.name, n.trial_id FROM trial_number n JOIN sweep s ON s.id = n.sweep_id WHERE n.number = ?
             ORDER BY s.updated_at DESC, s.name",
        )
        .bind(number)
        .fetch_all(&self.pool)
        .await?;
        let id = trial_id(number);
        match found.len() {
            0 => Err(StoreError::NoId { id }),
            1 => {
                let (sweep, name, trial) = found.remove(0);
                Ok(Named::TrialOf { sweep, name, trial, number })
            }
            _ => {
                let names: Vec<String> = found.iter().map(|(_, name, _)| format!("{name}:{id}")).collect();
                Err(StoreError::AmbiguousTrial { id, names: names.join(", ") })
            }
        }
    }

    /// Returns the first run that needs a stage.
    pub async fn first_run_of(&self, stage: &str) -> Result<Option<String>, StoreError> {
        let run: Option<(String,)> = sqlx::query_as(
            "SELECT rs.run_id FROM run_stage rs JOIN sweep_run sr ON sr.run_id = rs.run_id WHERE rs.stage_id = ?
             ORDER BY sr.position LIMIT 1",
        )
        .bind(stage)
        .fetch_optional(&self.pool)
        .await?;
        Ok(run.map(|(run,)| run))
    }

    /// Cancels the pending and running runs of a sweep, of a trial, or one run. Runs that another sweep also needs are not cancelled
    /// with a sweep. Returns the number of cancelled runs.
    ///
    /// Workers notice within a second, write a checkpoint and continue with other stages. Planning the sweep again revives the runs.
    pub async fn cancel(&self, named: &Named) -> Result<u64, StoreError> {
        let (which, id) = match named {
            Named::TrialOf { sweep, trial, .. } => {
                return self.end_runs(RunState::Cancelled, CANCELLED, &not_shared(sweep), trial).await;
            }
            Named::Sweep(id, _) => (
                "id IN (SELECT run_id FROM sweep_run WHERE sweep_id = ?1)
                 AND NOT EXISTS (SELECT 1 FROM sweep_run o WHERE o.run_id = run.id AND o.sweep_id <> ?1)",
                id,
            ),
            Named::Trial(id) => ("trial_id = ?1", id),
            Named::Run(id) => ("id = ?1", id),
            Named::Stage(id) => ("id IN (SELECT run_id FROM run_stage WHERE stage_id = ?1)", id),
        };
        self.end_runs(RunState::Cancelled, CANCELLED, which, id).await
    }

    /// Stops the runs of a trial that the search has pruned. Runs that another sweep also needs continue.
    pub async fn prune(&self, sweep: &str, trial: &str, reason: &str) -> Result<u64, StoreError> {
        self.end_runs(RunState::Pruned, reason, &not_shared(sweep), trial).await
    }

    async fn end_runs(&self, state: RunState, reason: &str, which: &str, id: &str) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let ended = sqlx::query(sqlx::AssertSqlSafe(format!(
            "UPDATE run SET state = '{state}', reason = ?2 WHERE {OPEN} AND {which}"
        )))
        .bind(id)
        .bind(reason)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(ended.rows_affected())
    }
}
