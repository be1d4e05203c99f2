//! The rows that a report is made of.

use super::places::places;
use super::row::row;
use super::{ComparedScore, RunState, Store, StoreError};
use crate::evaluate::ResultName;
use crate::evaluate::Selection;
use crate::stages::StageKind;

row! {
    /// A sweep.
    #[derive(Debug, Clone, PartialEq)]
    pub struct SweepRow {
        /// Its id.
        pub id: String,
        /// Its name.
        pub name: String,
        /// Its question.
        pub question: Option<String>,
        /// The sweep file's path; none for the embedded demo.
        pub file: Option<String>,
        /// Where the command was started: relative paths begin there.
        pub folder: Option<String>,
        /// JSON: what the command line and the environment changed, as KEY=VALUE.
        pub overrides: String,
        /// The sweep file's text.
        pub source: String,
        /// JSON: search, report and baseline settings.
        pub resolved: String,
    }
}

row! {
    /// A run of a sweep.
    #[derive(Debug, Clone, PartialEq)]
    pub struct RunRow {
        /// Its key.
        pub id: String,
        /// Its trial's key.
        pub trial_id: String,
        /// Category.
        pub category: String,
        /// Seed.
        pub seed: i64,
        /// State.
        pub state: RunState,
        /// Why it failed.
        pub reason: Option<String>,
        /// Variant's label.
        pub variant: String,
        /// The trial's number in the sweep: 7 for T07; see [`crate::plan::trial_id`].
        pub number: i64,
        /// Its id and settings: "T07 autoencoder=unet, depth=2".
        pub title: String,
        /// Whether it is the re-run baseline.
        pub baseline: bool,
        /// JSON: searched values.
        pub axes: String,
        /// JSON: where it was drawn; see [`crate::config::SweepTrial::point`].
        pub point: String,
        /// Order of the trial in the sweep.
        pub position: i64,
        /// Protocol's key.
        pub protocol_id: String,
        /// JSON: the protocol.
        pub protocol: String,
        /// JSON: the trial's settings.
        pub settings: String,
    }
}

row! {
    /// One measured number.
    #[derive(Debug, Clone, PartialEq)]
    pub struct ResultRow {
        /// The run.
        pub run_id: String,
        /// Of which weights.
        pub selection: Selection,
        /// Which number.
        pub name: ResultName,
        /// Its value.
        pub value: Option<f64>,
        /// Why it has none.
        pub reason: Option<String>,
    }
}

row! {
    /// A stage that a run has; others may have it, too.
    #[derive(Debug, Clone, PartialEq)]
    pub struct RunStage {
        /// The run.
        pub run_id: String,
        /// The stage.
        pub stage_id: String,
    }
}

row! {
    /// A stage with the cost of the attempt that finished it.
    #[derive(Debug, Clone, PartialEq)]
    pub struct StageRow {
        /// Its key.
        pub id: String,
        /// Kind.
        pub kind: StageKind,
        /// JSON: the job.
        pub job: String,
        /// Seconds of all its attempts.
        pub seconds: Option<f64>,
        /// Peak memory of the worker.
        pub peak_rss_bytes: Option<i64>,
        /// JSON: further costs.
        pub costs: Option<String>,
        /// Device.
        pub device: Option<String>,
        /// The version of didact that finished it.
        pub version: Option<String>,
    }
}

row! {
    /// One point of a curve.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Curve {
        /// The stage.
        pub stage_id: String,
        /// Which number.
        pub name: String,
        /// Epoch, from 1.
        pub step: i64,
        /// Its value.
        pub value: Option<f64>,
    }
}

impl Store {
    /// The sweep's own row.
    pub async fn sweep_row(&self, sweep: &str) -> Result<SweepRow, StoreError> {
        Ok(sqlx::query_as(
            "SELECT id, name, question, file, folder, overrides, source, resolved FROM sweep WHERE id = ?",
        )
        .bind(sweep)
        .fetch_one(&self.pool)
        .await?)
    }

    /// Runs of a sweep: by trial, category, seed.
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

    /// Results of the sweep's runs that have one of these names: by run, selection, name.
    pub async fn result_rows(&self, sweep: &str, names: &[ResultName]) -> Result<Vec<ResultRow>, StoreError> {
        let query = format!(
            "SELECT x.run_id, x.selection, x.name, x.value, x.reason FROM result x
             JOIN sweep_run sr ON sr.run_id = x.run_id WHERE sr.sweep_id = ? AND x.name IN ({})
             ORDER BY x.run_id, x.selection, x.name",
            places(names)
        );
        let query = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(sweep);
        Ok(names.iter().fold(query, |query, name| query.bind(name.to_string())).fetch_all(&self.pool).await?)
    }

    /// Image scores of the sweep's runs, of the selected epochs.
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

    /// Which stages the sweep's runs have: by run, in the order of its work.
    pub async fn run_stage_rows(&self, sweep: &str) -> Result<Vec<RunStage>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT rs.run_id, rs.stage_id FROM sweep_run sr JOIN run_stage rs ON rs.run_id = sr.run_id
             WHERE sr.sweep_id = ? ORDER BY rs.run_id, rs.position",
        )
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Stages of the sweep's runs, each once, by key, with its finishing attempt.
    pub async fn stage_rows(&self, sweep: &str) -> Result<Vec<StageRow>, StoreError> {
        // A condition on the attempt's state beside the stage's would have SQLite look through all attempts of that state.
        Ok(sqlx::query_as(
            "SELECT s.id, s.kind, s.job,
                    (SELECT SUM(d.seconds) FROM attempt d WHERE d.stage_id = s.id) AS seconds, a.peak_rss_bytes, a.costs, a.device, a.version
             FROM stage s LEFT JOIN attempt a ON a.state = 'done' AND a.id = (SELECT id FROM attempt d WHERE d.stage_id = s.id
                                                                 ORDER BY d.state = 'done' DESC, d.number DESC LIMIT 1)
             WHERE s.id IN (SELECT rs.stage_id FROM sweep_run sr JOIN run_stage rs ON rs.run_id = sr.run_id WHERE sr.sweep_id = ?)
             ORDER BY s.id",
        )
        .bind(sweep)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Curves of the joint stages that the sweep's runs of these trials have: by stage, name, epoch.
    pub async fn curve_rows(&self, sweep: &str, trials: &[String]) -> Result<Vec<Curve>, StoreError> {
        let query = format!(
            "SELECT m.stage_id, m.name, m.step, m.value FROM metric m
             JOIN stage s ON s.id = m.stage_id AND s.kind = 'joint'
             WHERE m.stage_id IN (SELECT rs.stage_id FROM sweep_run sr JOIN run r ON r.id = sr.run_id
                                  JOIN run_stage rs ON rs.run_id = r.id WHERE sr.sweep_id = ? AND r.trial_id IN ({}))
             ORDER BY m.stage_id, m.name, m.step",
            places(trials)
        );
        let query = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(sweep);
        Ok(trials.iter().fold(query, |query, trial| query.bind(trial)).fetch_all(&self.pool).await?)
    }
}
