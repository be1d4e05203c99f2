//! What the store knows about a sweep's stages beyond the rows of a report: their states and attempts.

use std::collections::{HashMap, HashSet};

use super::choice::RunPageChoice;
use crate::analysis::Rows;
use crate::stages::Key;
use crate::store::{AttemptRecord, AttemptState, Curve, StageRecord, Store, StoreError};

/// The facts that only the pages of runs show.
#[derive(Debug, Clone, Default)]
pub struct RunHistory {
    /// The states of stages.
    stages: HashMap<Key, StageRecord>,
    /// The attempts of each stage.
    attempts: HashMap<Key, Vec<AttemptRecord>>,
    /// Stages that ran while another one ran on the same host.
    contended: HashSet<Key>,
    /// Curves of runs that figures do not show.
    pub(super) curves: Vec<Curve>,
}

impl RunHistory {
    /// Reads what the chosen pages show.
    ///
    /// # Errors
    /// A query of the store fails.
    pub async fn read(store: &Store, rows: &Rows, choice: RunPageChoice) -> Result<Self, StoreError> {
        let sweep = &rows.sweep.id;
        if choice == RunPageChoice::None {
            return Ok(Self::default());
        }
        let attempts = store.attempt_records(sweep).await?;
        let stages = store.stage_records(sweep).await?;
        let curves = match choice {
            RunPageChoice::All => {
                let trials: HashSet<&str> = rows.runs.iter().map(|run| run.trial_id.as_str()).collect();
                store.curve_rows(sweep, &trials.into_iter().map(str::to_owned).collect::<Vec<_>>()).await?
            }
            RunPageChoice::Drawn | RunPageChoice::None => Vec::new(),
        };
        Ok(Self { curves, ..Self::of(stages, attempts) })
    }

    /// Collects the attempts of each stage. They are in the order in which they started.
    fn of(stages: Vec<StageRecord>, attempts: Vec<AttemptRecord>) -> Self {
        let contended = contended(&attempts);
        let mut of_stage: HashMap<Key, Vec<AttemptRecord>> = HashMap::new();
        attempts.into_iter().for_each(|attempt| of_stage.entry(attempt.stage_id.clone()).or_default().push(attempt));
        let stages = stages.into_iter().map(|stage| (stage.id.clone(), stage)).collect();
        Self { stages, attempts: of_stage, contended, curves: Vec::new() }
    }

    /// Returns the state of a stage.
    pub(super) fn stage(&self, stage: &Key) -> Option<&StageRecord> {
        self.stages.get(stage)
    }

    /// Returns whether another stage ran on the same host while this one did. Its times are then no fair measure.
    pub(super) fn is_contended(&self, stage: &Key) -> bool {
        self.contended.contains(stage)
    }

    /// Returns the attempts of a stage that failed or whose process died.
    pub(super) fn failed_attempts(&self, stage: &Key) -> impl Iterator<Item = &AttemptRecord> {
        let attempts = self.attempts.get(stage).map_or(&[][..], Vec::as_slice);
        attempts.iter().filter(|attempt| matches!(attempt.state, AttemptState::Failed | AttemptState::Lost))
    }
}

/// Returns the stages with an attempt that overlaps with an attempt of another stage on its host. Attempts are sorted by their start.
fn contended(attempts: &[AttemptRecord]) -> HashSet<Key> {
    // Per host: the attempt that ends last among those that have started.
    let mut latest: HashMap<&str, &AttemptRecord> = HashMap::new();
    let mut contended = HashSet::new();
    for attempt in attempts.iter().filter(|attempt| attempt.finished_at.is_some()) {
        match latest.get(attempt.host.as_str()) {
            Some(earlier) if earlier.finished_at.as_ref().is_some_and(|end| *end > attempt.started_at) => {
                contended.extend([earlier.stage_id.clone(), attempt.stage_id.clone()]);
                if attempt.finished_at > earlier.finished_at {
                    latest.insert(&attempt.host, attempt);
                }
            }
            _ => {
                latest.insert(&attempt.host, attempt);
            }
        }
    }
    contended
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(stage: &str, host: &str, from: u32, to: u32) -> AttemptRecord {
        let time = |minute: u32| format!("2026-01-01T00:{minute:02}:00.000Z");
        AttemptRecord {
            stage_id: stage.to_owned().into(),
            number: 1,
            state: AttemptState::Done,
            class: None,
            reason: None,
            host: host.to_owned(),
            started_at: time(from),
            finished_at: Some(time(to)),
            seconds: None,
            log: None,
        }
    }

    #[test]
    fn a_stage_is_contended_if_another_ran_on_its_host_meanwhile() {
        let attempts = [
            attempt("a", "one", 0, 9),
            attempt("b", "one", 1, 2),
            attempt("c", "two", 1, 2),
            attempt("d", "one", 3, 4),
            attempt("e", "one", 9, 10),
            attempt("f", "two", 2, 3),
        ];
        let mut found: Vec<String> = contended(&attempts).iter().map(Key::to_string).collect();
        found.sort_unstable();
        assert_eq!(found, ["a", "b", "d"]);
    }
}
