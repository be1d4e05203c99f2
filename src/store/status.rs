//! What `didact status` tells.

use serde::Serialize;

use super::claim::WANTED;
use super::row::row;
use super::{FailureClass, RunState, SearchStatus, StageStatus, Store, StoreError, Wanted, WorkerRow};
use crate::stages::StageKind;
use crate::tensor::Numerics;

row! {
    /// How many stages of a kind are in a state.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct StageCount {
        /// Kind of stage.
        pub kind: StageKind,
        /// State.
        pub state: StageStatus,
        /// How many.
        pub count: i64,
    }
}

row! {
    /// Runs of one category and variant, by state.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct RunStates {
        /// Category.
        pub category: String,
        /// Variant.
        pub variant: String,
        /// The trial's id and settings.
        pub trial: String,
        /// State.
        pub state: RunState,
        /// How many.
        pub count: i64,
    }
}

row! {
    /// A stage that failed for good, and how many runs it took with it.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Failure {
        /// The stage's key.
        pub stage: String,
        /// Its kind.
        pub kind: StageKind,
        /// Failure class.
        pub class: Option<FailureClass>,
        /// In words.
        pub reason: Option<String>,
        /// The first run that wants it.
        pub run: String,
        /// Category of that run.
        pub category: String,
        /// Its variant.
        pub variant: String,
        /// Its trial's id and settings.
        pub trial: String,
        /// Its seed.
        pub seed: i64,
        /// Runs that failed with it.
        pub runs: i64,
        /// Attempts.
        pub attempts: i64,
        /// Log of the last attempt, below the artifacts folder.
        pub log: Option<String>,
    }
}

row! {
    /// Something that happened to the sweep as a whole.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Event {
        /// When, UTC.
        pub at: String,
        /// What kind of thing.
        pub kind: String,
        /// In words.
        pub message: String,
    }
}

/// One sweep's state.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SweepStatus {
    /// Its name.
    pub name: String,
    /// Stages by kind and state.
    pub stages: Vec<StageCount>,
    /// How its search stands; none where nothing is searched for.
    pub search: Option<SearchStatus>,
    /// Runs by category, trial and state.
    pub runs: Vec<RunStates>,
    /// Stages that failed for good.
    pub failures: Vec<Failure>,
    /// Workers that have not left, as far as the store knows.
    pub workers: Vec<WorkerRow>,
    /// Stages of processes that are gone, which wait for whoever takes them up; see [`SweepStatus::without_gone`].
    pub gone_stages: i64,
    /// Thread-seconds that are left; none while a kind of stage is open that was never done.
    pub thread_seconds_left: Option<f64>,
    /// The latest events.
    pub events: Vec<Event>,
}

impl SweepStatus {
    /// Runs in a state.
    pub fn runs_in(&self, state: RunState) -> i64 {
        self.runs.iter().filter(|row| row.state == state).map(|row| row.count).sum()
    }

    /// All runs.
    pub fn total_runs(&self) -> i64 {
        self.runs.iter().map(|row| row.count).sum()
    }
}

row! {
    /// Runs of a sweep by what became of them.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct RunCounts {
        /// All.
        pub total: i64,
        /// With every number.
        pub done: i64,
        /// Failed.
        pub failed: i64,
        /// Pruned or cancelled.
        pub given_up: i64,
    }
}

impl RunCounts {
    /// Runs that are not over.
    pub fn open(&self) -> i64 {
        self.total - self.done - self.failed - self.given_up
    }
}

impl Store {
    /// Id and name of a sweep; without a name, of the one that was planned last.
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
                true => "none yet".to_owned(),
                false => names.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", "),
            },
        })
    }

    /// How exactly a sweep's networks are computed: what the protocol of its runs says.
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

    /// How many runs are done, failed, given up.
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

    /// The state of a sweep.
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

    /// Stages of a sweep that failed for good, in the order of their runs.
    ///
    /// Failed stages are few: the joins begin with them, in the order in which they are written (SQLite reorders no CROSS JOIN;
    /// left to itself it looked for the failures once for each run).
    pub async fn failures(&self, sweep: &str) -> Result<Vec<Failure>, StoreError> {
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
