//! The data that `didact status` shows.

use serde::Serialize;

use super::claim::WANTED;
use super::row::row;
use super::{FailureClass, RunState, SearchStatus, StageStatus, Store, StoreError, Wanted, WorkerRow};
use crate::stages::StageKind;
use crate::tensor::Numerics;

row! {
    /// Number of stages of one kind in one state.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct StageCount {
        /// Kind of stage.
        pub kind: StageKind,
        /// State.
        pub state: StageStatus,
        /// Number of stages.
        pub count: i64,
    }
}

row! {
    /// Number of runs of one category and trial in one state.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct RunStates {
        /// Category of the runs.
        pub category: String,
        /// Label of the variant.
        pub variant: String,
        /// Short id and settings of the trial.
        pub trial: String,
        /// State.
        pub state: RunState,
        /// Number of runs.
        pub count: i64,
    }
}

row! {
    /// A stage that failed for good, with the number of runs that failed because of it.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct FailedStage {
        /// Key of the stage.
        pub stage: String,
        /// Kind of the stage.
        pub kind: StageKind,
        /// Failure class.
        pub class: Option<FailureClass>,
        /// Reason, as text.
        pub reason: Option<String>,
        /// Key of the first run that needs the stage.
        pub run: String,
        /// Category of that run.
        pub category: String,
        /// Label of that run's variant.
        pub variant: String,
        /// Short id and settings of that run's trial.
        pub trial: String,
        /// Seed of that run.
        pub seed: i64,
        /// Number of runs that failed because of the stage.
        pub runs: i64,
        /// Number of attempts.
        pub attempts: i64,
        /// Path of the last attempt's log, below the artifacts folder.
        pub log: Option<String>,
    }
}

row! {
    /// An event that concerns the whole sweep.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Event {
        /// Time, UTC.
        pub at: String,
        /// Kind of event.
        pub kind: String,
        /// Message for people.
        pub message: String,
    }
}

/// Status of one sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepStatus {
    /// Name of the sweep.
    pub name: String,
    /// Stages, counted by kind and state.
    pub stages: Vec<StageCount>,
    /// Progress of the search. `None` if the sweep does not search.
    pub search: Option<SearchStatus>,
    /// Runs, counted by category, trial and state.
    pub runs: Vec<RunStates>,
    /// Stages that failed for good.
    pub failures: Vec<FailedStage>,
    /// Workers that have not stopped, as far as the store knows.
    pub workers: Vec<WorkerRow>,
    /// Number of stages held by processes that no longer exist. Another worker can take them over; see [`SweepStatus::show_ended_as_pending`].
    pub gone_stages: i64,
    /// Estimated thread-seconds that remain. `None` if no stage of one of the open kinds has ever been done.
    pub thread_seconds_left: Option<f64>,
    /// The most recent events.
    pub events: Vec<Event>,
}

impl SweepStatus {
    /// Returns the number of runs in a state.
    pub fn runs_in(&self, state: RunState) -> i64 {
        self.runs.iter().filter(|row| row.state == state).map(|row| row.count).sum()
    }

    /// Returns the number of all runs.
    pub fn total_runs(&self) -> i64 {
        self.runs.iter().map(|row| row.count).sum()
    }
}

row! {
    /// Number of runs of a sweep, by state.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct RunCounts {
        /// All runs.
        pub total: i64,
        /// Runs that are done.
        pub done: i64,
        /// Runs that failed.
        pub failed: i64,
        /// Runs that were pruned or cancelled.
        pub given_up: i64,
    }
}

impl RunCounts {
    /// Returns the number of pending and running runs.
    pub fn open(&self) -> i64 {
        self.total - self.done - self.failed - self.given_up
    }
}

impl Store {
    /// Returns the id and name of a sweep. Without a name, returns the sweep that was planned last.
    pub async fn find_sweep(&self, name: Option<&str>) -> Result<(String, String), StoreError> {
        let names: Vec<(String, String)> =
            sqlx::query_as("SELECT id, name FROM sweep ORDER BY updated_at DESC, name").fetch_all(&self.pool).await?;
        let found = match name {
            None => names.first(),
            Some(name) => names.iter().find(|(id, known)| known == name || id == name),
        };
        found.cloned().ok_or_else(|| StoreError::NoSweep {
            name: name.unwrap_or("(latest)").to_owned(),
            known: match names.is_empty() {
                true => "no sweep yet".to_owned(),
                false => names.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", "),
            },
        })
    }

    /// Returns the numerical precision of a sweep's networks, as stated in the protocol of its runs.
    pub async fn numerics(&self, sweep: &str) -> Result<Numerics, StoreError> {
        let protocol: Option<(String,)> = sqlx::query_as(
            "SELECT p.content FROM sweep_run sr JOIN run r ON r.id = sr.run_id JOIN protocol p ON p.id = r.protocol_id
             WHERE sr.sweep_id = ? LIMIT 1",
        )
        .bind(sweep)
        .fetch_optional(&self.pool)
        .await?;
        let Some((content,)) = protocol else { return Ok(Numerics::F32) };
        #[derive(serde::Deserialize)]
        struct Protocol {
            numerics: Numerics,
        }
        Ok(serde_json::from_str::<Protocol>(&content)?.numerics)
    }

    /// Returns how many runs are done, failed, and pruned or cancelled.
    pub async fn run_counts(&self, wanted: &Wanted) -> Result<RunCounts, StoreError> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT COUNT(*) AS total, COALESCE(SUM(r.state = 'done'), 0) AS done,
                    COALESCE(SUM(r.state = 'failed'), 0) AS failed,
                    COALESCE(SUM(r.state IN ('pruned', 'cancelled')), 0) AS given_up
             FROM sweep_run sr JOIN run r ON r.id = sr.run_id
             WHERE {WANTED}"
        )))
        .bind(&wanted.sweep)
        .bind(&wanted.only)
        .fetch_one(&self.pool)
        .await?)
    }

    /// Returns the status of a sweep.
    pub async fn status(&self, sweep: &str, name: &str) -> Result<SweepStatus, StoreError> {
        let stages = sqlx::query_as(
            "SELECT kind, state, COUNT(*) AS count FROM stage WHERE id IN (
                 SELECT rs.stage_id FROM run_stage rs JOIN sweep_run sr ON sr.run_id = rs.run_id WHERE sr.sweep_id = ?)
             GROUP BY kind, state ORDER BY kind, state",
        )
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?;
        let runs = sqlx::query_as(
            "SELECT r.category, st.variant, st.title AS trial, r.state, COUNT(*) AS count
             FROM sweep_run sr JOIN run r ON r.id = sr.run_id
             JOIN sweep_trial st ON st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id
             WHERE sr.sweep_id = ? GROUP BY r.category, st.trial_id, r.state ORDER BY r.category, st.position, r.state",
        )
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?;
        let events = sqlx::query_as(
            "SELECT at, kind, message FROM (SELECT id, at, kind, message FROM event WHERE sweep_id = ? ORDER BY id DESC LIMIT 5)
             ORDER BY id",
        )
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?;
        Ok(SweepStatus {
            name: name.to_owned(),
            search: self.search_status(sweep).await?,
            stages,
            runs,
            failures: self.failures(sweep).await?,
            workers: self.workers(sweep).await?,
            gone_stages: 0,
            thread_seconds_left: self.thread_seconds_left(&Wanted { sweep: sweep.to_owned(), only: None }).await?,
            events,
        })
    }

    /// Returns the stages of a sweep that failed for good, in the order of their runs.
    ///
    /// Few stages fail, so the joins start with failed stages and keep the written order (SQLite does not reorder a CROSS JOIN). With plain
    /// joins, SQLite searched for the failures once per run.
    pub async fn failures(&self, sweep: &str) -> Result<Vec<FailedStage>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT f.stage, f.kind, f.class, f.reason, r.id AS run, r.category, st.variant, st.title AS trial, r.seed, f.runs, f.attempts,
                    (SELECT a.log FROM attempt a WHERE a.stage_id = f.stage ORDER BY a.number DESC LIMIT 1) AS log
             FROM (SELECT s.id AS stage, s.kind, s.failure_class AS class, s.reason, s.attempts, COUNT(*) AS runs,
                          MIN(sr.position) AS position
                   FROM stage s CROSS JOIN run_stage rs CROSS JOIN sweep_run sr
                   WHERE s.state = 'failed' AND rs.stage_id = s.id AND sr.run_id = rs.run_id AND sr.sweep_id = ?1
                   GROUP BY s.id) f
             CROSS JOIN sweep_run sr
             JOIN run r ON r.id = sr.run_id
             JOIN sweep_trial st ON st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id
             WHERE sr.sweep_id = ?1 AND sr.position = f.position
             ORDER BY f.position, f.stage",
        )
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?)
    }
}
