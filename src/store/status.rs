//! The data that `didact status` shows.

use serde::Serialize;

use super::claim::ONLY;
use super::row::row;
use super::sql::sql;
use super::state::SHOWN_STATE;
use super::{FailureClass, Remarks, RunState, SearchStatus, StageStatus, Store, StoreError, Wanted, WorkerRow};
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
    /// Tags and note.
    #[serde(flatten)]
    pub remarks: Remarks,
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
            sql("SELECT key, name FROM sweeps ORDER BY updated_at DESC, name").all(self).await?;
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
        let protocol: Option<(String,)> = sql(
            "SELECT p.content FROM sweep_runs sr JOIN runs r ON r.id = sr.run_id JOIN protocols p ON p.id = r.protocol_id
             WHERE sr.sweep_id = (SELECT id FROM sweeps WHERE key = $1) LIMIT 1",
        )
        .bind(sweep)
        .optional(self)
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
        const COUNTS: &str = "SELECT COUNT(*) AS total, COUNT(*) FILTER (WHERE r.state = 'done') AS done,
            COUNT(*) FILTER (WHERE r.state = 'failed') AS failed,
            COUNT(*) FILTER (WHERE r.state IN ('pruned', 'cancelled')) AS given_up";
        match &wanted.only {
            None => sql(format!(
                "{COUNTS} FROM sweep_runs sr JOIN runs r ON r.id = sr.run_id
                 WHERE sr.sweep_id = (SELECT id FROM sweeps WHERE key = $1)"
            ))
            .bind(&wanted.sweep),
            Some(only) => sql(format!("{COUNTS} FROM {ONLY}")).bind(&wanted.sweep).bind(only),
        }
        .one(self)
        .await
    }

    /// Returns the status of a sweep.
    pub async fn status(&self, sweep: &str, name: &str) -> Result<SweepStatus, StoreError> {
        let stages = sql(
            "SELECT c.kind, c.state, CAST(SUM(c.stages) AS BIGINT) AS count FROM stage_counts c JOIN sweeps w ON w.id = c.sweep_id
             WHERE w.key = $1 GROUP BY c.kind, c.state HAVING SUM(c.stages) > 0 ORDER BY c.kind, c.state",
        )
        .bind(sweep)
        .all(self)
        .await?;
        let runs = sql(format!(
            "SELECT c.category, st.variant, st.title AS trial, c.state, c.count
             FROM (SELECT sr.sweep_id, r.trial_id, r.category, {SHOWN_STATE} AS state, COUNT(*) AS count
                   FROM sweep_runs sr JOIN runs r ON r.id = sr.run_id
                   WHERE sr.sweep_id = (SELECT id FROM sweeps WHERE key = $1)
                   GROUP BY sr.sweep_id, r.trial_id, r.category, {SHOWN_STATE}) c
             JOIN sweep_trials st ON st.sweep_id = c.sweep_id AND st.trial_id = c.trial_id
             ORDER BY c.category, st.position, c.state"
        ))
        .bind(sweep)
        .all(self)
        .await?;
        let events = sql(
            "SELECT at, kind, message FROM (SELECT id, at, kind, message FROM event WHERE sweep_id = $1 ORDER BY id DESC LIMIT 5) e
             ORDER BY id",
        )
        .bind(sweep)
        .all(self)
        .await?;
        Ok(SweepStatus {
            name: name.to_owned(),
            remarks: self.remarks(sweep).await?,
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
        sql("SELECT f.stage, f.kind, f.class, f.reason, r.key AS run, r.category, st.variant, st.title AS trial, r.seed, f.runs, f.attempts,
                    (SELECT a.log FROM attempts a WHERE a.stage_id = f.id ORDER BY a.number DESC LIMIT 1) AS log
             FROM (SELECT s.id, s.key AS stage, s.kind, s.failure_class AS class, s.reason, s.attempts, COUNT(*) AS runs,
                          MIN(sr.position) AS position, sr.sweep_id
                   FROM stages s CROSS JOIN run_stages rs CROSS JOIN sweep_runs sr
                   WHERE s.state = 'failed' AND rs.stage_id = s.id AND sr.run_id = rs.run_id
                     AND sr.sweep_id = (SELECT id FROM sweeps WHERE key = $1)
                   GROUP BY s.id, sr.sweep_id) f
             JOIN sweep_runs sr ON sr.sweep_id = f.sweep_id AND sr.position = f.position
             JOIN runs r ON r.id = sr.run_id
             JOIN sweep_trials st ON st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id
             ORDER BY f.position, f.stage")
        .bind(sweep)
        .all(self)
        .await
    }
}
