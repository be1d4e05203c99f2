//! The rows of a comparison: runs selected by an id, with their numbers at the selected epoch.

use super::row::row;
use super::sql::{Read, sql};
use super::state::SHOWN_STATE;
use super::{Named, RunState, Store, StoreError};
use crate::evaluate::ResultName;
use crate::stages::Key;

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
        pub run_id: Key,
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
        // The sweep that determines the label and short id of a trial that several sweeps contain comes first.
        let of_sweep = |column: &str| {
            format!(
                "COALESCE((SELECT st.{column} FROM sweep_trials st JOIN sweeps w ON w.id = st.sweep_id WHERE st.trial_id = r.trial_id
                           ORDER BY CASE WHEN w.key = $1 THEN 0 ELSE 1 END, w.key LIMIT 1), t.key) AS {column}"
            )
        };
        let runs = format!(
            "SELECT r.key AS id, t.key AS trial_id, r.category, r.seed, {SHOWN_STATE} AS state, p.content AS protocol, {}, {}
             FROM runs r JOIN trials t ON t.id = r.trial_id JOIN protocols p ON p.id = r.protocol_id
             WHERE r.id IN ({}) ORDER BY t.key, r.category, r.seed",
            of_sweep("variant"),
            of_sweep("title"),
            ids(named),
        );
        self.of_named(&runs, named).await
    }

    /// Returns the same runs with their numbers.
    pub async fn compared(&self, named: &Named) -> Result<Compared, StoreError> {
        let wanted = ids(named);
        let values = format!(
            "SELECT r.key AS run_id, x.name, x.value FROM runs r JOIN results x ON x.run_id = r.id
             WHERE x.selection = 'selected' AND r.id IN ({wanted}) ORDER BY r.key, x.name"
        );
        let scores = format!(
            "SELECT r.key AS run_id, x.image, x.label, x.score FROM runs r JOIN image_scores x ON x.run_id = r.id
             WHERE x.selection = 'selected' AND r.id IN ({wanted}) ORDER BY r.key, x.image"
        );
        let stages = format!(
            "SELECT r.key AS run_id, s.key AS stage_id, j.job FROM runs r JOIN run_stages rs ON rs.run_id = r.id
             JOIN stages s ON s.id = rs.stage_id JOIN stage_jobs j ON j.stage_id = s.id
             WHERE s.kind = 'evaluate' AND r.id IN ({wanted}) ORDER BY r.key, rs.position"
        );
        Ok(Compared {
            stages: self.of_named(&stages, named).await?,
            runs: self.named_runs(named).await?,
            values: self.of_named(&values, named).await?,
            scores: self.of_named(&scores, named).await?,
        })
    }

    /// Reads the rows of a query that uses [`ids`].
    async fn of_named<R: Read>(&self, query: &str, named: &Named) -> Result<Vec<R>, StoreError> {
        match named {
            Named::TrialOf { sweep, trial, .. } => sql(query).bind(sweep).bind(trial),
            Named::Sweep(id, _) | Named::Trial(id) | Named::Run(id) | Named::Stage(id) => sql(query).bind(id),
        }
        .all(self)
        .await
    }
}

/// Returns SQL of the ids of the runs that something contains. `$1` is its key; of a trial in a sweep, `$1` is the sweep and `$2` the
/// trial.
fn ids(named: &Named) -> &'static str {
    match named {
        Named::Sweep(..) => "SELECT run_id FROM sweep_runs WHERE sweep_id = (SELECT id FROM sweeps WHERE key = $1)",
        Named::Trial(_) => "SELECT id FROM runs WHERE trial_id = (SELECT id FROM trials WHERE key = $1)",
        Named::Run(_) => "SELECT id FROM runs WHERE key = $1",
        Named::Stage(_) => "SELECT run_id FROM run_stages WHERE stage_id = (SELECT id FROM stages WHERE key = $1)",
        Named::TrialOf { .. } => {
            "SELECT o.id FROM sweep_runs sr JOIN runs o ON o.id = sr.run_id
             WHERE sr.sweep_id = (SELECT id FROM sweeps WHERE key = $1) AND o.trial_id = (SELECT id FROM trials WHERE key = $2)"
        }
    }
}
