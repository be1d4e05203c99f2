//! Cancels a sweep, a trial or a run.

use super::sql::{Sql, sql};
use super::{RunState, Store, StoreError, settle};
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

/// SQL condition for a run `r` that no sweep but `$1` contains.
const NOT_SHARED: &str = "r.id IN (SELECT run_id FROM sweep_runs WHERE sweep_id = (SELECT id FROM sweeps WHERE key = $1))
     AND NOT EXISTS (SELECT 1 FROM sweep_runs o WHERE o.run_id = r.id AND o.sweep_id <> (SELECT id FROM sweeps WHERE key = $1))";

/// SQL condition for a run `r` of trial `$2`.
const OF_TRIAL: &str = "r.trial_id = (SELECT id FROM trials WHERE key = $2)";

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
        let first = id.to_lowercase();
        let mut found = Vec::new();
        for table in ["runs", "trials", "stages"] {
            // A range, because an index serves no LIKE.
            let keys: Vec<String> =
                sql(format!("SELECT key FROM {table} WHERE key >= $1 AND key < $2 ORDER BY key LIMIT 3"))
                    .bind(&first)
                    .bind(format!("{first}g"))
                    .column(self)
                    .await?;
            found.extend(keys.into_iter().map(|id| match table {
                "runs" => Named::Run(id),
                "trials" => Named::Trial(id),
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
        let trial: Option<(String,)> = sql("SELECT t.key FROM trial_numbers n JOIN trials t ON t.id = n.trial_id
             WHERE n.sweep_id = (SELECT id FROM sweeps WHERE key = $1) AND n.number = $2")
        .bind(sweep)
        .bind(number)
        .optional(self)
        .await?;
        match trial {
            Some((trial,)) => Ok(Named::TrialOf { sweep: sweep.to_owned(), name: name.to_owned(), trial, number }),
            None => {
                let last: Option<i64> = sql(
                    "SELECT MAX(number) FROM trial_numbers WHERE sweep_id = (SELECT id FROM sweeps WHERE key = $1)",
                )
                .bind(sweep)
                .value(self)
                .await?;
                let last = last.map_or_else(|| "none".to_owned(), trial_id);
                Err(StoreError::NoTrial { id: trial_id(number), sweep: name.to_owned(), last })
            }
        }
    }

    /// Resolves a trial number without a sweep. Fails unless exactly one sweep has a trial with this number.
    async fn trial_anywhere(&self, number: i64) -> Result<Named, StoreError> {
        let mut found: Vec<(String, String, String)> = sql(
            "SELECT w.key, w.name, t.key FROM trial_numbers n JOIN sweeps w ON w.id = n.sweep_id JOIN trials t ON t.id = n.trial_id
             WHERE n.number = $1 ORDER BY w.updated_at DESC, w.name",
        )
        .bind(number)
        .all(self)
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
        let run: Option<(String,)> =
            sql("SELECT r.key FROM stages s JOIN run_stages rs ON rs.stage_id = s.id JOIN runs r ON r.id = rs.run_id
             JOIN sweep_runs sr ON sr.run_id = r.id WHERE s.key = $1 ORDER BY sr.position LIMIT 1")
            .bind(stage)
            .optional(self)
            .await?;
        Ok(run.map(|(run,)| run))
    }

    /// Cancels the pending and running runs of a sweep, of a trial, or one run. Runs that another sweep also needs are not cancelled
    /// with a sweep. Returns the number of cancelled runs.
    ///
    /// Workers notice within a second, write a checkpoint and continue with other stages. Planning the sweep again revives the runs.
    pub async fn cancel(&self, named: &Named) -> Result<u64, StoreError> {
        let runs = match named {
            Named::TrialOf { sweep, trial, .. } => {
                open_runs(&format!("{NOT_SHARED} AND {OF_TRIAL}")).bind(sweep).bind(trial)
            }
            Named::Sweep(id, _) => open_runs(NOT_SHARED).bind(id),
            Named::Trial(id) => open_runs("r.trial_id = (SELECT id FROM trials WHERE key = $1)").bind(id),
            Named::Run(id) => open_runs("r.key = $1").bind(id),
            Named::Stage(id) => open_runs(
                "r.id IN (SELECT rs.run_id FROM stages s JOIN run_stages rs ON rs.stage_id = s.id WHERE s.key = $1)",
            )
            .bind(id),
        };
        self.end_runs(RunState::Cancelled, CANCELLED, runs).await
    }

    /// Stops the runs of a trial that the search has pruned. Runs that another sweep also needs continue.
    pub async fn prune(&self, sweep: &str, trial: &str, reason: &str) -> Result<u64, StoreError> {
        let runs = open_runs(&format!("{NOT_SHARED} AND {OF_TRIAL}")).bind(sweep).bind(trial);
        self.end_runs(RunState::Pruned, reason, runs).await
    }

    async fn end_runs(&self, state: RunState, reason: &str, runs: Sql) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let runs: Vec<i64> = runs.column(&mut tx).await?;
        settle::set_states(&mut tx, &runs, state, Some(reason)).await?;
        tx.commit().await?;
        Ok(runs.len() as u64)
    }
}

/// Returns a query of the open runs `r` that satisfy a condition.
fn open_runs(condition: &str) -> Sql {
    sql(format!("SELECT r.id FROM runs r WHERE r.state = 'pending' AND {condition}"))
}
