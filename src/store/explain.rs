//! Explains the state of a run, a stage or a trial (`didact why`).

use super::row::row;
use super::sql::{At, Column, Read, Row, sql};
use super::state::{SHOWN_STATE, StageColumns};
use super::{AttemptState, FailureClass, Named, RunState, StageState, Store, StoreError};
use crate::stages::StageKind;

/// A stage in an explanation.
#[derive(Debug, Clone, PartialEq)]
pub struct StageExplanation {
    /// Key of the stage.
    pub id: String,
    /// Kind of the stage.
    pub kind: StageKind,
    /// State of the stage.
    pub state: StageState,
    /// Number of attempts so far.
    pub attempts: i64,
    /// Number of runs that need the stage.
    pub shared_by: i64,
}

row! {
    /// One attempt of a stage.
    #[derive(Debug, Clone, PartialEq)]
    pub struct AttemptRow {
        /// Number of the attempt, from 1.
        pub number: i64,
        /// State of the attempt.
        pub state: AttemptState,
        /// Failure class, if it failed.
        pub class: Option<FailureClass>,
        /// Reason of the failure, as text.
        pub reason: Option<String>,
        /// Host of the worker.
        pub host: String,
        /// Process id of the worker.
        pub pid: i64,
        /// Start time, UTC.
        pub started_at: String,
        /// Duration in seconds.
        pub seconds: Option<f64>,
        /// Path of its log, below the artifacts folder.
        pub log: Option<String>,
    }
}

row! {
    /// A run, with the names that its sweep gives it.
    #[derive(Debug, Clone, PartialEq)]
    pub struct RunFacts {
        /// Key of the run.
        pub id: String,
        /// Key of its trial.
        pub trial_id: String,
        /// Category.
        pub category: String,
        /// Short id and settings of the trial in the sweep.
        pub trial: String,
        /// Label of the trial's variant.
        pub variant: String,
        /// Whether it is the re-run baseline.
        pub baseline: bool,
        /// Number of the trial in the sweep.
        pub number: i64,
        /// The point at which the trial was drawn, as JSON; see [`crate::config::SweepTrial::point`].
        pub point: String,
        /// Settings of the trial, as JSON.
        pub settings: String,
        /// Seed.
        pub seed: i64,
        /// State.
        pub state: RunState,
        /// Reason why it failed, was pruned or was cancelled.
        pub reason: Option<String>,
        /// Name of a sweep that contains the run.
        pub sweep: String,
        /// Id of that sweep.
        pub sweep_id: String,
        /// Number of pending or running runs that come before it in that sweep.
        pub before: i64,
    }
}

/// The explanation that `didact why` shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Explanation {
    /// A run with its stages.
    Run(RunFacts, Vec<StageExplanation>),
    /// A stage, the stages that it needs, its attempts, and some of the runs that share it.
    Stage(StageExplanation, Vec<StageExplanation>, Vec<AttemptRow>, Vec<RunFacts>),
    /// The runs of a trial.
    Trial(Vec<RunFacts>),
}

struct ExplainedStageRow {
    id: String,
    kind: StageKind,
    attempts: i64,
    shared_by: i64,
    columns: StageColumns,
}

impl Read for ExplainedStageRow {
    fn read(row: Row<'_>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: Column::of(row, At::Name("id"))?,
            kind: Column::of(row, At::Name("kind"))?,
            attempts: Column::of(row, At::Name("attempts"))?,
            shared_by: Column::of(row, At::Name("shared_by"))?,
            columns: StageColumns::read(row)?,
        })
    }
}

impl From<ExplainedStageRow> for StageExplanation {
    fn from(row: ExplainedStageRow) -> Self {
        let ExplainedStageRow { id, kind, attempts, shared_by, columns } = row;
        Self { id, kind, state: columns.into(), attempts, shared_by }
    }
}

const STAGE: &str =
    "SELECT s.key AS id, s.kind, s.state, s.reason, s.failure_class, s.token, s.lease_until, s.not_before,
    s.finished_at, (SELECT COUNT(*) FROM attempts a WHERE a.stage_id = s.id) AS attempts,
    (SELECT COUNT(*) FROM run_stages x WHERE x.stage_id = s.id) AS shared_by FROM stages s";

/// SQL of runs `r` and their trials in sweeps `w`.
fn runs() -> String {
    format!(
        "SELECT r.key AS id, t.key AS trial_id, r.category, st.title AS trial, st.variant, st.baseline,
             st.number, COALESCE(st.point, st.axes) AS point, t.settings, r.seed, {SHOWN_STATE} AS state, r.reason, w.name AS sweep,
             w.key AS sweep_id,
             (SELECT COUNT(*) FROM sweep_runs b JOIN runs o ON o.id = b.run_id
              WHERE b.sweep_id = sr.sweep_id AND b.position < sr.position AND o.state = 'pending') AS before
         FROM runs r JOIN sweep_runs sr ON sr.run_id = r.id JOIN sweeps w ON w.id = sr.sweep_id
         JOIN sweep_trials st ON st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id JOIN trials t ON t.id = r.trial_id"
    )
}

impl Store {
    /// Explains what an id refers to. Returns `None` for a sweep: `didact status` reports on sweeps.
    pub async fn explain(&self, named: &Named) -> Result<Option<Explanation>, StoreError> {
        match named {
            Named::Sweep(..) => Ok(None),
            Named::Run(id) => {
                let runs = self.run_facts("r.key = $1 ORDER BY w.updated_at DESC LIMIT 1", &[id]).await?;
                let missing = || StoreError::Row(format!("run {id} no longer belongs to a sweep").into());
                let run = runs.into_iter().next().ok_or_else(missing)?;
                let stages =
                    "JOIN run_stages rs ON rs.stage_id = s.id WHERE rs.run_id = (SELECT id FROM runs WHERE key = $1)
                              ORDER BY rs.position";
                Ok(Some(Explanation::Run(run, self.stage_facts(stages, id).await?)))
            }
            Named::Trial(id) => {
                let runs = "t.key = $1 ORDER BY w.updated_at DESC, sr.position LIMIT 50";
                Ok(Some(Explanation::Trial(self.run_facts(runs, &[id]).await?)))
            }
            Named::TrialOf { sweep, trial, .. } => {
                let runs = "w.key = $1 AND t.key = $2 ORDER BY sr.position LIMIT 1000";
                Ok(Some(Explanation::Trial(self.run_facts(runs, &[sweep, trial]).await?)))
            }
            Named::Stage(id) => {
                let missing = || StoreError::Row(format!("stage {id} no longer exists").into());
                let stage = self.stage_facts("WHERE s.key = $1", id).await?.into_iter().next().ok_or_else(missing)?;
                let needs = "JOIN stage_dependencies d ON d.needs_id = s.id
                             WHERE d.stage_id = (SELECT id FROM stages WHERE key = $1) ORDER BY s.kind";
                let needs = self.stage_facts(needs, id).await?;
                let attempts =
                    sql("SELECT number, state, failure_class AS class, reason, host, pid, started_at, seconds, log
                     FROM attempts WHERE stage_id = (SELECT id FROM stages WHERE key = $1) ORDER BY number")
                    .bind(id)
                    .all(self)
                    .await?;
                let sharing =
                    "r.id IN (SELECT rs.run_id FROM stages s JOIN run_stages rs ON rs.stage_id = s.id WHERE s.key = $1)
                               ORDER BY sr.position LIMIT 5";
                Ok(Some(Explanation::Stage(stage, needs, attempts, self.run_facts(sharing, &[id]).await?)))
            }
        }
    }

    async fn stage_facts(&self, condition: &str, id: &str) -> Result<Vec<StageExplanation>, StoreError> {
        let rows: Vec<ExplainedStageRow> = sql(format!("{STAGE} {condition}")).bind(id).all(self).await?;
        Ok(rows.into_iter().map(StageExplanation::from).collect())
    }

    async fn run_facts(&self, condition: &str, ids: &[&String]) -> Result<Vec<RunFacts>, StoreError> {
        sql(format!("{} WHERE {condition}", runs())).bind_all(ids.iter().copied()).all(self).await
    }
}
