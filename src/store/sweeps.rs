//! Lists, renames and deletes the sweeps of a store.

use serde::Serialize;

use super::database::Tx;
use super::remarks::{NOTE, TAGS};
use super::row::row;
use super::sql::{ROWS_PER_STATEMENT, list, sql};
use super::{NOW, Store, StoreError, SweepState, Tags};
use crate::text::counted;

row! {
    /// A sweep in the list of sweeps.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct ListedSweep {
        /// Name of the sweep.
        pub name: String,
        /// Absolute path of its file. `None` for the embedded demo.
        pub file: Option<String>,
        /// Time at which it was first planned, UTC.
        pub created_at: String,
        /// Time at which it was last planned, UTC.
        pub updated_at: String,
        /// Number of trials.
        pub trials: i64,
        /// Number of runs.
        pub runs: i64,
        /// Number of runs that are done.
        pub done: i64,
        /// Number of runs that failed.
        pub failed: i64,
        /// Number of runs that a search pruned.
        pub pruned: i64,
        /// Number of runs that a person cancelled.
        pub cancelled: i64,
        /// Number of workers that have not stopped.
        pub workers: i64,
        /// Tags.
        pub tags: Tags,
        /// Note.
        pub note: Option<String>,
    }
}

impl ListedSweep {
    /// Returns the state of the sweep.
    pub fn state(&self) -> SweepState {
        let open = self.runs - self.done - self.failed - self.pruned - self.cancelled;
        SweepState::of(self.workers, open, self.failed, self.cancelled)
    }
}

/// What deleting a sweep removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletionCounts {
    /// Number of runs that only this sweep contains. They are deleted with their numbers.
    pub runs: i64,
    /// Number of runs that other sweeps also contain. They stay.
    pub shared: i64,
}

impl Store {
    /// Returns all sweeps, the most recently planned first.
    pub async fn list(&self) -> Result<Vec<ListedSweep>, StoreError> {
        sql(format!(
            "SELECT w.name, COALESCE(NULLIF(w.origin, 'the embedded demo'), w.file) AS file, w.created_at, w.updated_at,
                    (SELECT COUNT(*) FROM sweep_trials st WHERE st.sweep_id = w.id) AS trials,
                    COUNT(r.id) AS runs, COUNT(*) FILTER (WHERE r.state = 'done') AS done,
                    COUNT(*) FILTER (WHERE r.state = 'failed') AS failed, COUNT(*) FILTER (WHERE r.state = 'pruned') AS pruned,
                    COUNT(*) FILTER (WHERE r.state = 'cancelled') AS cancelled,
                    (SELECT COUNT(*) FROM workers o WHERE o.sweep_id = w.id AND o.stopped_at IS NULL) AS workers,
                    {TAGS} AS tags, {NOTE} AS note
             FROM sweeps w LEFT JOIN sweep_runs sr ON sr.sweep_id = w.id LEFT JOIN runs r ON r.id = sr.run_id
             GROUP BY w.id ORDER BY w.updated_at DESC, w.name"
        ))
        .all(self)
        .await
    }

    /// Returns what deleting a sweep would remove.
    pub async fn would_delete(&self, sweep: &str) -> Result<DeletionCounts, StoreError> {
        let (runs, shared): (i64, i64) = sql(
            "SELECT COUNT(*) FILTER (WHERE NOT o.shared), COUNT(*) FILTER (WHERE o.shared) FROM (
                 SELECT EXISTS (SELECT 1 FROM sweep_runs o WHERE o.run_id = sr.run_id AND o.sweep_id <> sr.sweep_id) AS shared
                 FROM sweep_runs sr WHERE sr.sweep_id = (SELECT id FROM sweeps WHERE key = $1)) o",
        )
        .bind(sweep)
        .one(self)
        .await?;
        Ok(DeletionCounts { runs, shared })
    }

    /// Deletes a sweep, the runs that no other sweep contains, and their numbers. Artifacts that no sweep needs then stay until
    /// `didact gc` removes them.
    ///
    /// # Errors
    /// [`StoreError::Running`] if workers are running the sweep.
    pub async fn delete(&self, sweep: &str, name: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        refuse_running(&mut tx, sweep, name).await?;
        let id: i64 = sql("SELECT id FROM sweeps WHERE key = $1").bind(sweep).value(&mut tx).await?;
        const OWN: &str = "SELECT sr.run_id FROM sweep_runs sr WHERE sr.sweep_id = $1 AND NOT EXISTS (
            SELECT 1 FROM sweep_runs o WHERE o.run_id = sr.run_id AND o.sweep_id <> $1)";
        for table in ["results", "image_scores", "run_stages"] {
            sql(format!("DELETE FROM {table} WHERE run_id IN ({OWN})")).bind(id).execute(&mut tx).await?;
        }
        // The links are deleted after the rows above, because they determine which runs belong only to this sweep.
        let own: Vec<i64> = sql(OWN).bind(id).column(&mut tx).await?;
        sql("DELETE FROM sweep_runs WHERE sweep_id = $1").bind(id).execute(&mut tx).await?;
        for runs in own.chunks(ROWS_PER_STATEMENT) {
            let delete = format!("DELETE FROM runs WHERE id IN ({})", list(1, runs.len()));
            sql(delete).bind_all(runs.iter().copied()).execute(&mut tx).await?;
        }
        sql("DELETE FROM event WHERE sweep_id = $1").bind(sweep).execute(&mut tx).await?;
        for table in ["workers", "slurm_arrays"] {
            sql(format!("DELETE FROM {table} WHERE sweep_id = $1")).bind(id).execute(&mut tx).await?;
        }
        sql("DELETE FROM sweeps WHERE id = $1").bind(id).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Renames a sweep.
    ///
    /// # Errors
    /// [`StoreError::Running`] if workers are running the sweep, [`StoreError::NameTaken`] if the new name exists.
    pub async fn rename(&self, sweep: &str, name: &str, to: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        refuse_running(&mut tx, sweep, name).await?;
        let taken: bool = sql("SELECT EXISTS (SELECT 1 FROM sweeps WHERE name = $1)").bind(to).value(&mut tx).await?;
        if taken {
            return Err(StoreError::NameTaken { name: to.to_owned() });
        }
        sql("UPDATE sweeps SET name = $1 WHERE key = $2").bind(to).bind(sweep).execute(&mut tx).await?;
        sql(format!("INSERT INTO event (at, kind, sweep_id, message) VALUES ({NOW}, 'renamed', $1, $2)"))
            .bind(sweep)
            .bind(format!("its previous name was {name}"))
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

async fn refuse_running(tx: &mut Tx, sweep: &str, name: &str) -> Result<(), StoreError> {
    let workers: Vec<(i64, String)> = sql(
        "SELECT o.pid, o.host FROM workers o JOIN sweeps w ON w.id = o.sweep_id WHERE w.key = $1 AND o.stopped_at IS NULL
         ORDER BY o.started_at",
    )
    .bind(sweep)
    .all(tx)
    .await?;
    match workers.first() {
        None => Ok(()),
        Some((pid, host)) => {
            let who = format!("{}, the first is process {pid} on {host}", counted(workers.len(), "worker"));
            Err(StoreError::Running { name: name.to_owned(), who })
        }
    }
}
