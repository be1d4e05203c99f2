//! The rows that a comparison is made of: runs by what they are named, with the numbers of their selected epochs.

use super::row::row;
use super::{Named, RunState, Store, StoreError};
use crate::evaluate::ResultName;

row! {
    /// A run that is compared.
    #[derive(Debug, Clone, PartialEq)]
    pub struct ComparedRun {
        /// Its key.
        pub id: String,
        /// Its trial's key.
        pub trial_id: String,
        /// The trial's label in the sweep that was asked for, else in the first that has it.
        pub variant: String,
        /// Its id and settings in that sweep.
        pub title: String,
        /// Category.
        pub category: String,
        /// Seed.
        pub seed: i64,
        /// State.
        pub state: RunState,
        /// JSON: the protocol.
        pub protocol: String,
    }
}

row! {
    /// One number of a compared run.
    #[derive(Debug, Clone, PartialEq)]
    pub struct ComparedValue {
        /// The run.
        pub run_id: String,
        /// Which number.
        pub name: ResultName,
        /// Its value.
        pub value: Option<f64>,
    }
}

row! {
    /// One test image's score in a compared run.
    #[derive(Debug, Clone, PartialEq)]
    pub struct ComparedScore {
        /// The run.
        pub run_id: String,
        /// Path below the category.
        pub image: String,
        /// Whether it is defective.
        pub label: bool,
        /// Its score.
        pub score: f64,
    }
}

row! {
    /// An evaluation of a compared run.
    #[derive(Debug, Clone, PartialEq)]
    pub struct ComparedStage {
        /// The run.
        pub run_id: String,
        /// The stage's key.
        pub stage_id: String,
        /// JSON: the job.
        pub job: String,
    }
}

/// Runs with their numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Compared {
    /// By trial, category, seed.
    pub runs: Vec<ComparedRun>,
    /// Of the selected epochs.
    pub values: Vec<ComparedValue>,
    /// Of the selected epochs.
    pub scores: Vec<ComparedScore>,
    /// Their evaluations.
    pub stages: Vec<ComparedStage>,
}

impl Store {
    /// The runs that a name stands for: all of a sweep or trial, or one.
    pub async fn named_runs(&self, named: &Named) -> Result<Vec<ComparedRun>, StoreError> {
        let (wanted, id) = wanted(named);
        // Whose label and number of a trial are told, where several sweeps have it.
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

    /// The same runs with their numbers.
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

/// The ids of the runs that a name stands for, as SQL with one place to bind, and what is bound there.
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

/// The runs of a trial that a sweep wants, as SQL with one place for the trial's key.
pub(super) fn runs_of_trial_in(sweep: &str) -> String {
    format!(
        "SELECT sr.run_id FROM sweep_run sr JOIN run o ON o.id = sr.run_id WHERE sr.sweep_id = '{sweep}' AND o.trial_id = ?"
    )
}
