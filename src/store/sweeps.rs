//! Lists, renames and deletes the sweeps of a store.

use serde::Serialize;

use super::open::Tx;
use super::row::row;
use super::{NOW, Store, StoreError};

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
        Ok(sqlx::query_as(
            "SELECT s.name, COALESCE(NULLIF(s.origin, 'the embedded demo'), s.file) AS file, s.created_at, s.updated_at,
                    (SELECT COUNT(*) FROM sweep_trial st WHERE st.sweep_id = s.id) AS trials,
                    COUNT(r.id) AS runs, COALESCE(SUM(r.state = 'done'), 0) AS done,
                    COALESCE(SUM(r.state = 'failed'), 0) AS failed, COALESCE(SUM(r.state = 'pruned'), 0) AS pruned,
                    COALESCE(SUM(r.state = 'cancelled'), 0) AS cancelled,
                    (SELECT COUNT(*) FROM worker w WHERE w.sweep_id = s.id AND w.stopped_at IS NULL) AS workers
             FROM sweep s LEFT JOIN sweep_run sr ON sr.sweep_id = s.id LEFT JOIN run r ON r.id = sr.run_id
             GROUP BY s.id ORDER BY s.updated_at DESC, s.name",
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// Returns what deleting a sweep would remove.
    pub async fn would_delete(&self, sweep: &str) -> Result<DeletionCounts, StoreError> {
        let (runs, shared): (i64, i64) = sqlx::query_as(
            "SELECT COALESCE(SUM(1 - shared), 0), COALESCE(SUM(shared), 0) FROM (
                 SELECT EXISTS (SELECT 1 FROM sweep_run o WHERE o.run_id = sr.run_id AND o.sweep_id <> sr.sweep_id) AS shared
                 FROM sweep_run sr WHERE sr.sweep_id = ?)",
        )
        .bind(sweep)
        .fetch_one(&self.pool)
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
        const OWN: &str = "run_id IN (SELECT sr.run_id FROM sweep_run sr WHERE sr.sweep_id = ?1 AND NOT EXISTS (
            SELECT 1 FROM sweep_run o WHERE o.run_id = sr.run_id AND o.sweep_id <> ?1))";
        for table in ["result", "image_score", "run_stage"] {
            execute(&mut tx, &format!("DELETE FROM {table} WHERE {OWN}"), sweep).await?;
        }
        // The links are deleted after the rows above, because they determine which runs belong only to this sweep.
        let own: Vec<(String,)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("SELECT run_id FROM sweep_run WHERE {OWN}")))
                .bind(sweep)
                .fetch_all(&mut *tx)
                .await?;
        execute(&mut tx, "DELETE FROM sweep_run WHERE sweep_id = ?1", sweep).await?;
        for (run,) in own {
            sqlx::query("DELETE FROM run WHERE id = ?").bind(run).execute(&mut *tx).await?;
        }
        for statement in [
            "DELETE FROM worker WHERE sweep_id = ?1",
            "DELETE FROM event WHERE sweep_id = ?1",
            "DELETE FROM sweep WHERE id = ?1",
        ] {
            execute(&mut tx, statement, sweep).await?;
        }
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
        let (taken,): (bool,) =
            sqlx::query_as("SELECT EXISTS (SELECT 1 FROM sweep WHERE name = ?)").bind(to).fetch_one(&mut *tx).await?;
        if taken {
            return Err(StoreError::NameTaken { name: to.to_owned() });
        }
        sqlx::query("UPDATE sweep SET name = ? WHERE id = ?").bind(to).bind(sweep).execute(&mut *tx).await?;
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "INSERT INTO event (at, kind, sweep_id, message) VALUES ({NOW}, 'renamed', ?, ?)"
        )))
        .bind(sweep)
        .bind(format!("its previous name was {name}"))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}

async fn execute(tx: &mut Tx, statement: &str, sweep: &str) -> Result<(), StoreError> {
    sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).bind(sweep).execute(&mut **tx).await?;
    Ok(())
}

async fn refuse_running(tx: &mut Tx, sweep: &str, name: &str) -> Result<(), StoreError> {
    let workers: Vec<(i64, String)> =
        sqlx::query_as("SELECT pid, host FROM worker WHERE sweep_id = ? AND stopped_at IS NULL ORDER BY started_at")
            .bind(sweep)
            .fetch_all(&mut **tx)
            .await?;
    match workers.first() {
        None => Ok(()),
        Some((pid, host)) => {
            let who = format!("{} worker(s), the first is process {pid} on {host}", workers.len());
            Err(StoreError::Running { name: name.to_owned(), who })
        }
    }
}
