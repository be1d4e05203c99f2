//! The rows of a report.

use std::collections::HashMap;

use super::row::row;
use super::sql::{list, sql};
use super::state::SHOWN_STATE;
use super::{ComparedScore, RunState, Store, StoreError};
use crate::evaluate::ResultName;
use crate::evaluate::Selection;
use crate::stages::{Key, StageKind};

row! {
    /// A sweep.
    #[derive(Debug, Clone, PartialEq)]
    pub struct SweepRow {
        /// Id of the sweep.
        pub id: String,
        /// Name of the sweep.
        pub name: String,
        /// Question that the sweep asks.
        pub question: Option<String>,
        /// Path of the sweep file. `None` for the embedded demo.
        pub file: Option<String>,
        /// Working directory in which the command was started. Relative paths refer to it.
        pub folder: Option<String>,
        /// KEY=VALUE settings from the command line and the environment, as JSON.
        pub overrides: String,
        /// Text of the sweep file.
        pub source: String,
        /// Search, report and baseline settings, as JSON.
        pub resolved: String,
    }
}

row! {
    /// A run of a sweep.
    #[derive(Debug, Clone, PartialEq)]
    pub struct RunRow {
        /// Key of the run.
        pub id: String,
        /// Key of its trial.
        pub trial_id: String,
        /// Category.
        pub category: String,
        /// Seed.
        pub seed: i64,
        /// State.
        pub state: RunState,
        /// Reason why it failed.
        pub reason: Option<String>,
        /// Label of the variant.
        pub variant: String,
        /// Number of the trial in the sweep: 7 for `T07`; see [`crate::plan::trial_id`].
        pub number: i64,
        /// Short id and settings of the trial: `T07 autoencoder=unet, depth=2`.
        pub title: String,
        /// Whether it is the re-run baseline.
        pub baseline: bool,
        /// Searched values, as JSON.
        pub axes: String,
        /// The point at which it was drawn, as JSON; see [`crate::config::SweepTrial::point`].
        pub point: String,
        /// Position of the trial in the sweep.
        pub position: i64,
        /// Key of the protocol.
        pub protocol_id: String,
        /// Protocol, as JSON.
        pub protocol: String,
        /// Settings of the trial, as JSON.
        pub settings: String,
    }
}

row! {
    /// One measured number.
    #[derive(Debug, Clone, PartialEq)]
    pub struct ResultRow {
        /// Key of the run.
        pub run_id: Key,
        /// The weights that were measured.
        pub selection: Selection,
        /// Name of the number.
        pub name: ResultName,
        /// Value, if it is defined.
        pub value: Option<f64>,
        /// Reason why it has no value.
        pub reason: Option<String>,
    }
}

/// A stage of a run. Other runs may share it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunStage {
    /// Key of the run.
    pub run_id: Key,
    /// Key of the stage.
    pub stage_id: Key,
}

row! {
    /// A stage with the cost of the attempt that finished it.
    #[derive(Debug, Clone, PartialEq)]
    pub struct StageRow {
        /// Key of the stage.
        pub id: Key,
        /// Kind of the stage.
        pub kind: StageKind,
        /// Job, as JSON.
        pub job: String,
        /// Total seconds of all its attempts.
        pub seconds: Option<f64>,
        /// Peak memory of the worker, in bytes.
        pub peak_rss_bytes: Option<i64>,
        /// Further costs, as JSON.
        pub costs: Option<String>,
        /// Device that the attempt used.
        pub device: Option<String>,
        /// Who computed its convolutions: `own`, or cuDNN with its version and the GPU.
        pub convolutions: Option<String>,
        /// Version of didact that finished it.
        pub version: Option<String>,
    }
}

row! {
    /// One point of a curve.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Curve {
        /// Key of the stage.
        pub stage_id: String,
        /// Name of the curve.
        pub name: String,
        /// Epoch, from 1.
        pub step: i64,
        /// Value at this epoch, if it is defined.
        pub value: Option<f64>,
    }
}

/// SQL of the id of the sweep with the key `$1`.
const SWEEP: &str = "(SELECT id FROM sweeps WHERE key = $1)";

row! {
    struct ResultColumns {
        run_id: i64,
        selection: Selection,
        name: ResultName,
        value: Option<f64>,
        reason: Option<String>,
    }
}

/// Keys by id. Rows that belong to runs or stages are read with ids: hundreds of thousands of rows would repeat the keys.
type Keys = HashMap<i64, Key>;

impl ResultColumns {
    /// Returns the row with the key of its run; `None` if the run is not among them.
    fn of_run(self, keys: &Keys) -> Option<ResultRow> {
        let Self { run_id, selection, name, value, reason } = self;
        Some(ResultRow { run_id: keys.get(&run_id)?.clone(), selection, name, value, reason })
    }
}

impl Store {
    /// Returns the row of the sweep.
    pub async fn sweep_row(&self, sweep: &str) -> Result<SweepRow, StoreError> {
        sql("SELECT key AS id, name, question, file, folder, overrides, source, resolved FROM sweeps WHERE key = $1")
            .bind(sweep)
            .one(self)
            .await
    }

    /// Returns the runs of a sweep, sorted by trial, category and seed.
    pub async fn run_rows(&self, sweep: &str) -> Result<Vec<RunRow>, StoreError> {
        sql(format!(
            "SELECT r.key AS id, t.key AS trial_id, r.category, r.seed, {SHOWN_STATE} AS state, r.reason, st.variant, st.number, st.title,
                    st.baseline, st.axes, COALESCE(st.point, st.axes) AS point,
                    st.position, p.key AS protocol_id, p.content AS protocol, t.settings
             FROM sweep_runs sr JOIN runs r ON r.id = sr.run_id
             JOIN sweep_trials st ON st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id
             JOIN trials t ON t.id = r.trial_id JOIN protocols p ON p.id = r.protocol_id
             WHERE sr.sweep_id = {SWEEP} ORDER BY st.position, r.category, r.seed, r.key"
        ))
        .bind(sweep)
        .many(self)
        .await
    }

    /// Returns the results with one of these names, run by run, sorted by selection and name.
    pub async fn result_rows(&self, sweep: &str, names: &[ResultName]) -> Result<Vec<ResultRow>, StoreError> {
        let keys = self.run_keys(sweep).await?;
        let rows: Vec<ResultColumns> = sql(format!(
            "SELECT x.run_id, x.selection, x.name, x.value, x.reason FROM sweep_runs sr JOIN results x ON x.run_id = sr.run_id
             WHERE sr.sweep_id = {SWEEP} AND x.name IN ({}) ORDER BY sr.position, x.selection, x.name",
            list(2, names.len())
        ))
        .bind(sweep)
        .bind_all(names.iter().map(ResultName::to_string))
        .many(self)
        .await?;
        Ok(rows.into_iter().filter_map(|row| row.of_run(&keys)).collect())
    }

    /// Returns the results of these trials' runs in the sweep on single kinds of defects, at the selected epoch, run by run.
    pub async fn kind_rows(&self, sweep: &str, trials: &[String]) -> Result<Vec<ResultRow>, StoreError> {
        let keys = self.run_keys(sweep).await?;
        let rows: Vec<ResultColumns> = sql(format!(
            "SELECT x.run_id, x.selection, x.name, x.value, x.reason FROM trials t JOIN runs r ON r.trial_id = t.id
             JOIN sweep_runs sr ON sr.run_id = r.id AND sr.sweep_id = {SWEEP} JOIN results x ON x.run_id = r.id
             WHERE t.key IN ({}) AND x.selection = 'selected' AND x.name LIKE '%:%' ORDER BY sr.position, x.name",
            list(2, trials.len())
        ))
        .bind(sweep)
        .bind_all(trials)
        .many(self)
        .await?;
        // The name of a lighting may contain a colon, too.
        let rows = rows.into_iter().filter_map(|row| row.of_run(&keys));
        Ok(rows.filter(|row| matches!(row.name, ResultName::OfKind(..))).collect())
    }

    /// Returns the keys of a sweep's runs.
    async fn run_keys(&self, sweep: &str) -> Result<Keys, StoreError> {
        let rows: Vec<(i64, Key)> = sql(format!(
            "SELECT r.id, r.key FROM sweep_runs sr JOIN runs r ON r.id = sr.run_id WHERE sr.sweep_id = {SWEEP}"
        ))
        .bind(sweep)
        .many(self)
        .await?;
        Ok(rows.into_iter().collect())
    }

    /// Returns the image scores of the sweep's runs at the selected epoch, run by run.
    pub async fn score_rows(&self, sweep: &str) -> Result<Vec<ComparedScore>, StoreError> {
        let keys = self.run_keys(sweep).await?;
        let rows: Vec<(i64, String, bool, f64)> = sql(format!(
            "SELECT x.run_id, x.image, x.label, x.score FROM sweep_runs sr JOIN image_scores x ON x.run_id = sr.run_id
             WHERE sr.sweep_id = {SWEEP} AND x.selection = 'selected' ORDER BY sr.position, x.image"
        ))
        .bind(sweep)
        .many(self)
        .await?;
        let score =
            |(run, image, label, score)| Some(ComparedScore { run_id: keys.get(&run)?.clone(), image, label, score });
        Ok(rows.into_iter().filter_map(score).collect())
    }

    /// Returns the stages of each run of the sweep, run by run, in the order of execution.
    pub async fn run_stage_rows(&self, sweep: &str) -> Result<Vec<RunStage>, StoreError> {
        let keys = self.run_keys(sweep).await?;
        let stages: Vec<(i64, Key)> = sql(format!(
            "SELECT s.id, s.key FROM sweep_stages ss JOIN stages s ON s.id = ss.stage_id WHERE ss.sweep_id = {SWEEP}"
        ))
        .bind(sweep)
        .many(self)
        .await?;
        let stages: Keys = stages.into_iter().collect();
        let rows: Vec<(i64, i64)> = sql(format!(
            "SELECT rs.run_id, rs.stage_id FROM sweep_runs sr JOIN run_stages rs ON rs.run_id = sr.run_id
             WHERE sr.sweep_id = {SWEEP} ORDER BY sr.position, rs.position"
        ))
        .bind(sweep)
        .many(self)
        .await?;
        let stage =
            |(run, stage)| Some(RunStage { run_id: keys.get(&run)?.clone(), stage_id: stages.get(&stage)?.clone() });
        Ok(rows.into_iter().filter_map(stage).collect())
    }

    /// Returns each stage of the sweep's runs once, with the attempt that finished it.
    pub async fn stage_rows(&self, sweep: &str) -> Result<Vec<StageRow>, StoreError> {
        // If the outer query filtered by attempt state, SQLite would scan all attempts in that state.
        sql(format!(
            "SELECT s.key AS id, s.kind, j.job,
                    (SELECT SUM(d.seconds) FROM attempts d WHERE d.stage_id = s.id) AS seconds, a.peak_rss_bytes, a.costs, a.device,
                    a.convolutions, a.version
             FROM sweep_stages ss JOIN stages s ON s.id = ss.stage_id JOIN stage_jobs j ON j.stage_id = s.id
             LEFT JOIN attempts a ON a.state = 'done' AND a.id = (
                 SELECT id FROM attempts d WHERE d.stage_id = s.id
                 ORDER BY CASE WHEN d.state = 'done' THEN 0 ELSE 1 END, d.number DESC LIMIT 1)
             WHERE ss.sweep_id = {SWEEP}"
        ))
        .bind(sweep)
        .many(self)
        .await
    }

    /// Returns the curves of the joint stages of these trials' runs in the sweep, sorted by stage, name and epoch.
    pub async fn curve_rows(&self, sweep: &str, trials: &[String]) -> Result<Vec<Curve>, StoreError> {
        sql(format!(
            "SELECT s.key AS stage_id, m.name, m.step, m.value FROM stages s JOIN metrics m ON m.stage_id = s.id
             WHERE s.kind = 'joint' AND s.id IN (
                 SELECT rs.stage_id FROM trials t JOIN runs r ON r.trial_id = t.id
                 JOIN sweep_runs sr ON sr.run_id = r.id AND sr.sweep_id = {SWEEP} JOIN run_stages rs ON rs.run_id = r.id
                 WHERE t.key IN ({}))
             ORDER BY s.key, m.name, m.step",
            list(2, trials.len())
        ))
        .bind(sweep)
        .bind_all(trials)
        .many(self)
        .await
    }
}
