//! The rows of a comparison: runs selected by an id, with their numbers at the selected epoch.

use super::row::row;
use super::{Named, RunState, Store, StoreError};
use crate::evaluate::ResultName;

row! {
    /// A run in a comparison.
    #[derive(Debug, Clone, PartialEq)]
    pub struct ComparedRun {
        /// Key of the run.
        pub id: String,
        /// Key of its trial.
        pub trial_id: String,
        /// Label of the trial in the requested sweep, else in the first sweep that contains it.
        pub variant: String,
        /// Short id and settings of the trial in that sweep.
        pub title: String,
        /// Category.
        pub category: String,
        /// Seed.
        pub seed: i64,
        /// State.
        pub state: RunState,
        /// Protocol, as JSON.
        pub protocol: String,
    }
}

row! {
    /// One number of a compared run.
    #[derive(Debug, Clone, PartialEq)]
    pub struct ComparedValue {
        /// Key of the run.
        pub run_id: String,
        /// Name of the number.
        pub name: ResultName,
        /// Its value, if it has one.
        pub value: Option<f64>,
    }
}

row! {
    /// One test image's score in a compared run.
    #[derive(Debug, Clone, PartialEq)]
    pub struct ComparedScore {
        /// Key of the run.
        pub run_id: String,
        /// Path below the category.
        pub image: String,
        /// Whether the image is defective.
        pub label: bool,
        /// Anomaly score.
        pub score: f64,
    }
}

row! {
    /// An evaluation of a compared run.
    #[derive(Debug, Clone, PartialEq)]
    pub struct ComparedStage {
        /// Key of the run.
        pub run_id: String,
        /// Key of the stage.
        pub stage_id: String,
        /// Job, as JSON.
        pub job: String,
    }
}

/// Runs with their numbers, scores and evaluations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Compared {
    /// Runs, sorted by trial, category and seed.
    pub runs: Vec<ComparedRun>,
    /// Numbers at the selected epoch.
    pub values: Vec<ComparedValue>,
    /// Image scores at the selected epoch.
    pub scores: Vec<ComparedScore>,
    /// Evaluation stages of the runs.
    pub stages: Vec<ComparedStage>,
}

impl Store {
    /// Returns the runs that an id refers to: all runs of a sweep or trial, or one run.
    pub async fn named_runs(&self, named: &Named) -> Result<Vec<ComparedRun>, StoreError> {
        let (wanted, id) = wanted(named);
        // The sweep that determines the label and short id of a trial that several sweeps contain.
        let of = match named {
            Named::Sweep(id, _) | Named::TrialOf { sweep: id, .. } => id,
            Named::Trial(id) | Named::Run(id) | Named::Stage(id) => id,
        };
        let runs = format!(
            "SELECT r.id, r.trial_id, r.category, r.seed, r.state, p.content AS protocol,
                    COALESCE((SELECT st.variant FROM sweep_trial st WHERE st.trial_id = r.trial_id
                              ORDER BY CASE WHEN st.sweep_id = '{of}' THEN 0 ELSE 1 END, st.sweep_id LIMIT 1), r.trial_id) AS variant,
                    COALESCE((SELECT st.title FROM sweep_trial st WHERE st.trial_id = r.trial_id
                              ORDER BY CASE WHEN st.sweep_id = '{of}' THEN 0 ELSE 1 END, st.sweep_id LIMIT 1), r.trial_id) AS title
             FROM run r JOIN protocol p ON p.id = r.protocol_id WHERE r.id IN ({wanted})
             ORDER BY r.trial_id, r.category, r.seed"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(runs)).bind(id).fetch_all(&self.pool).await?)
    }

    /// Returns the same runs with their numbers.
    pub async fn compared(&self, named: &Named) -> Result<Compared, StoreError> {
        let (wanted, id) = wanted(named);
        let values = format!(
            "SELECT run_id, name, value FROM result WHERE selection = 'selected' AND run_id IN ({wanted}) ORDER BY run_id, name"
        );
        let scores = format!(
            "SELECT run_id, image, label, score FROM image_score WHERE selection = 'selected' AND run_id IN ({wanted})
             ORDER BY run_id, image"
        );
        let stages = format!(
            "SELECT rs.run_id, s.id AS stage_id, s.job FROM run_stage rs JOIN stage s ON s.id = rs.stage_id
             WHERE s.kind = 'evaluate' AND rs.run_id IN ({wanted}) ORDER BY rs.run_id, rs.position"
        );
        Ok(Compared {
            stages: sqlx::query_as(sqlx::AssertSqlSafe(stages)).bind(id).fetch_all(&self.pool).await?,
            runs: self.named_runs(named).await?,
            values: sqlx::query_as(sqlx::AssertSqlSafe(values)).bind(id).fetch_all(&self.pool).await?,
            scores: sqlx::query_as(sqlx::AssertSqlSafe(scores)).bind(id).fetch_all(&self.pool).await?,
        })
    }
}

/// Returns SQL for the ids of the runs that an id refers to, with one placeholder, and the value to bind to it.
fn wanted(named: &Named) -> (String, &str) {
    let (wanted, id) = match named {
        Named::Sweep(id, _) => ("SELECT run_id FROM sweep_run WHERE sweep_id = ?", id),
        Named::Trial(id) => ("SELECT id FROM run WHERE trial_id = ?", id),
        Named::Run(id) => ("SELECT id FROM run WHERE id = ?", id),
        Named::Stage(id) => ("SELECT run_id FROM run_stage WHERE stage_id = ?", id),
        Named::TrialOf { sweep, trial, .. } => return (runs_of_trial_in(sweep), trial),
    };
    (wanted.to_owned(), id)
}

/// Returns SQL for the runs of a trial in a sweep, with one placeholder for the trial's key.
pub(super) fn runs_of_trial_in(sweep: &str) -> String {
    format!(
        "SELECT sr.run_id FROM sweep_run sr JOIN run o ON o.id = sr.run_id WHERE sr.sweep_id = '{sweep}' AND o.trial_id = ?"
    )
}
