//! No more of a sweep, a trial or a run.

use super::{Store, StoreError};

/// What an id names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A sweep: id and name.
    Sweep(String, String),
    /// A trial's key.
    Trial(String),
    /// A run's key.
    Run(String),
    /// A stage's key.
    Stage(String),
}

/// Runs that are not over.
const OPEN: &str = "state IN ('pending', 'running')";

impl Store {
    /// Finds what a sweep's name, or the first digits of a key, stand for.
    ///
    /// # Errors
    /// [`StoreError::NoId`], [`StoreError::Ambiguous`].
    pub async fn find(&self, id: &str) -> Result<Named, StoreError> {
        if let Ok((sweep, name)) = self.find_sweep(Some(id)).await {
            return Ok(Named::Sweep(sweep, name));
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

    /// The first run that wants a stage.
    pub async fn a_run_of(&self, stage: &str) -> Result<Option<String>, StoreError> {
        let run: Option<(String,)> = sqlx::query_as(
            "SELECT rs.run_id FROM run_stage rs JOIN sweep_run sr ON sr.run_id = rs.run_id WHERE rs.stage_id = ?
             ORDER BY sr.position LIMIT 1",
        )
        .bind(stage)
        .fetch_optional(&self.pool)
        .await?;
        Ok(run.map(|(run,)| run))
    }

    /// Cancels the runs that are not over: of a sweep, but for those that another sweep wants, too; of a trial; or one. Returns
    /// how many. Their workers notice within a second, write a checkpoint and go on with something else. Planning the sweep
    /// again revives them.
    pub async fn cancel(&self, named: &Named) -> Result<u64, StoreError> {
        let (which, id) = match named {
            Named::Sweep(id, _) => (
                "id IN (SELECT run_id FROM sweep_run WHERE sweep_id = ?1)
                 AND NOT EXISTS (SELECT 1 FROM sweep_run o WHERE o.run_id = run.id AND o.sweep_id <> ?1)",
                id,
            ),
            Named::Trial(id) => ("trial_id = ?1", id),
            Named::Run(id) => ("id = ?1", id),
            Named::Stage(id) => ("id IN (SELECT run_id FROM run_stage WHERE stage_id = ?1)", id),
        };
        self.end_runs("cancelled", "cancelled by the user", which, id).await
    }

    /// Stops the runs of a trial that a search has given up, but for those that another sweep wants, too.
    pub async fn prune(&self, sweep: &str, trial: &str, reason: &str) -> Result<u64, StoreError> {
        let which = format!(
            "trial_id = ?1 AND id IN (SELECT run_id FROM sweep_run WHERE sweep_id = '{sweep}')
             AND NOT EXISTS (SELECT 1 FROM sweep_run o WHERE o.run_id = run.id AND o.sweep_id <> '{sweep}')"
        );
        self.end_runs("pruned", reason, &which, trial).await
    }

    async fn end_runs(&self, state: &str, reason: &str, which: &str, id: &str) -> Result<u64, StoreError> {
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
