//! Which stages ran undisturbed, so that their times are a fair measure.

use std::collections::{HashMap, HashSet};

use super::rows::Rows;
use crate::stages::Key;
use crate::store::{AttemptRecord, StageRow};

/// The attempts of a sweep's stages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Attempts {
    of_stage: HashMap<Key, Vec<AttemptRecord>>,
    /// Stages that ran while another one ran on the same host.
    contended: HashSet<Key>,
}

impl Attempts {
    /// Collects attempts that are in the order in which they started.
    pub(super) fn of(attempts: Vec<AttemptRecord>) -> Self {
        let contended = contended(&attempts);
        let mut of_stage: HashMap<Key, Vec<AttemptRecord>> = HashMap::new();
        attempts.into_iter().for_each(|attempt| of_stage.entry(attempt.stage_id.clone()).or_default().push(attempt));
        Self { of_stage, contended }
    }

    /// Returns the attempts of a stage.
    pub(crate) fn of_stage(&self, stage: &Key) -> &[AttemptRecord] {
        self.of_stage.get(stage).map_or(&[], Vec::as_slice)
    }

    /// Returns whether another stage ran on the same host while this one did. Its times are then no fair measure.
    pub(crate) fn is_contended(&self, stage: &Key) -> bool {
        self.contended.contains(stage)
    }
}

impl Rows {
    /// Returns whether a stage ran undisturbed: one attempt finished it, and no other stage ran on its host meanwhile.
    pub(crate) fn ran_alone(&self, stage: &StageRow) -> bool {
        self.attempts.of_stage(&stage.id).len() == 1 && !self.attempts.is_contended(&stage.id)
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
    use crate::store::AttemptState;

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
