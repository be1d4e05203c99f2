//! The rows of a report.

use super::placeholders::placeholders;
use super::row::row;
use super::{ComparedScore, RunState, Store, StoreError};
use crate::evaluate::ResultName;
use crate::evaluate::Selection;
use crate::stages::StageKind;

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
        pub run_id: String,
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

row! {
    /// A stage of a run. Other runs may share it.
    #[derive(Debug, Clone, PartialEq)]
    pub struct RunStage {
        /// Key of the run.
        pub run_id: String,
        /// Key of the stage.
        pub stage_id: String,
    }
}

row! {
    /// A stage with the cost of the attempt that finished it.
    #[derive(Debug, Clone, PartialEq)]
    pub struct StageRow {
        /// Key of the stage.
        pub id: String,
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

impl Store {
    /// Returns the row of the sweep.
    pub async fn sweep_row(&self, sweep: &str) -> Result<SweepRow, StoreError> {
        Ok(sqlx::query_as(
            "SELECT id, name, question, file, folder, overrides, source, resolved FROM sweep WHERE id = ?",
        )
        .bind(sweep)
        .fetch_one(&self.pool)
        .await?)
    }

    /// Returns the runs of a sweep, sorted by trial, category and seed.
    pub async fn run_rows(&self, sweep: &str) -> Result<Vec<RunRow>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT r.id, r.trial_id, r.category, r.seed, r.state, r.reason, st.variant, st.number, st.title, st.baseline, st.axes,
                    COALESCE(st.point, st.axes) AS point,
                    st.position, r.protocol_id, p.content AS protocol, t.settings
             FROM sweep_run sr JOIN run r ON r.id = sr.run_id
             JOIN sweep_trial st ON st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id
             JOIN trial t ON t.id = r.trial_id JOIN protocol p ON p.id = r.protocol_id
             WHERE sr.sweep_id = ? ORDER BY st.position, r.category, r.seed, r.id",
        )
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Returns the results with one of these names, sorted by run, selection and name.
    pub async fn result_rows(&self, sweep: &str, names: &[ResultName]) -> Result<Vec<ResultRow>, StoreError> {
        let query = format!(
            "SELECT x.run_id, x.selection, x.name, x.value, x.reason FROM result x
             JOIN sweep_run sr ON sr.run_id = x.run_id WHERE sr.sweep_id = ? AND x.name IN ({})
             ORDER BY x.run_id, x.selection, x.name",
            placeholders(names)
        );
        let query = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(sweep);
        Ok(names.iter().fold(query, |query, name| query.bind(name.to_string())).fetch_all(&self.pool).await?)
    }

    /// Returns the image scores of the sweep's runs at the selected epoch.
    pub async fn score_rows(&self, sweep: &str) -> Result<Vec<ComparedScore>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT x.run_id, x.image, x.label, x.score FROM image_score x
             JOIN sweep_run sr ON sr.run_id = x.run_id WHERE sr.sweep_id = ? AND x.selection = 'selected'
             ORDER BY x.run_id, x.image",
        )
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Returns the stages of each run of the sweep, sorted by run and then in the order of execution.
    pub async fn run_stage_rows(&self, sweep: &str) -> Result<Vec<RunStage>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT rs.run_id, rs.stage_id FROM sweep_run sr JOIN run_stage rs ON rs.run_id = sr.run_id
             WHERE sr.sweep_id = ? ORDER BY rs.run_id, rs.position",
        )
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Returns each stage of the sweep's runs once, sorted by key, with the attempt that finished it.
    pub async fn stage_rows(&self, sweep: &str) -> Result<Vec<StageRow>, StoreError> {
        // If the outer query filtered by attempt state, SQLite would scan all attempts in that state.
        Ok(sqlx::query_as(
            "SELECT s.id, s.kind, s.job,
                    (SELECT SUM(d.seconds) FROM attempt d WHERE d.stage_id = s.id) AS seconds, a.peak_rss_bytes, a.costs, a.device,
                    a.convolutions, a.version
             FROM stage s LEFT JOIN attempt a ON a.state = 'done' AND a.id = (SELECT id FROM attempt d WHERE d.stage_id = s.id
                                                                 ORDER BY d.state = 'done' DESC, d.number DESC LIMIT 1)
             WHERE s.id IN (SELECT rs.stage_id FROM sweep_run sr JOIN run_stage rs ON rs.run_id = sr.run_id WHERE sr.sweep_id = ?)
             ORDER BY s.id",
        )
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Returns the curves of the joint stages of these trials' runs in the sweep, sorted by stage, name and epoch.
    pub async fn curve_rows(&self, sweep: &str, trials: &[String]) -> Result<Vec<Curve>, StoreError> {
        let query = format!(
            "SELECT m.stage_id, m.name, m.step, m.value FROM metric m
             JOIN stage s ON s.id = m.stage_id AND s.kind = 'joint'
             WHERE m.stage_id IN (SELECT rs.stage_id FROM sweep_run sr JOIN run r ON r.id = sr.run_id
                                  JOIN run_stage rs ON rs.run_id = r.id WHERE sr.sweep_id = ? AND r.trial_id IN ({}))
             ORDER BY m.stage_id, m.name, m.step",
            placeholders(trials)
        );
        let query = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(sweep);
        Ok(trials.iter().fold(query, |query, trial| query.bind(trial)).fetch_all(&self.pool).await?)
    }
}
