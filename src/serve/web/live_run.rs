//! What the page of a run shows before the sweep has a report: its stages, attempts, logs, curves and numbers.

use super::curve::CurveLines;
use crate::store::{
    Artifacts, AttemptRow, Explanation, Named, ResultRow, RunFacts, StageExplanation, Store, StoreError,
};

/// A run at one moment.
#[derive(Debug, PartialEq)]
pub(super) struct LiveRun {
    pub facts: RunFacts,
    pub stages: Vec<LiveStage>,
    pub results: Vec<ResultRow>,
    /// Curves of the last stage that has some.
    pub curves: Option<CurveLines>,
}

/// A stage of the run, with each attempt and the end of its log.
#[derive(Debug, PartialEq)]
pub(super) struct LiveStage {
    pub stage: StageExplanation,
    pub attempts: Vec<(AttemptRow, Option<String>)>,
}

impl LiveRun {
    /// Reads a run of a sweep by the first digits of its key.
    ///
    /// # Errors
    /// There is no such sweep or run, or a query of the store fails.
    pub(super) async fn read(store: &Store, sweep: &str, key: &str, artifacts: &Artifacts) -> Result<Self, StoreError> {
        let unknown = || StoreError::NoId { id: key.to_owned() };
        store.find_sweep(Some(sweep)).await?;
        let found = store.find(key).await?;
        let Named::Run(id) = &found else { return Err(unknown()) };
        let Some(Explanation::Run(facts, stages)) = store.explain(&found).await? else { return Err(unknown()) };
        let mut live = Vec::new();
        for stage in stages {
            let attempts = match store.explain(&Named::Stage(stage.id.clone())).await? {
                Some(Explanation::Stage(_, _, attempts, _)) => attempts,
                _ => Vec::new(),
            };
            let with_log = |attempt: AttemptRow| {
                let log = attempt.log.as_ref().and_then(|log| artifacts.log_excerpt(log));
                (attempt, log)
            };
            live.push(LiveStage { stage, attempts: attempts.into_iter().map(with_log).collect() });
        }
        let keys: Vec<String> = live.iter().map(|of| of.stage.id.clone()).collect();
        let points = store.curves_of_stages(&keys).await?;
        let curves = keys.iter().rev().find_map(|key| CurveLines::of(&points, key));
        Ok(Self { results: store.results_of_run(id).await?, facts, stages: live, curves })
    }
}
