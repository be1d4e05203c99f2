//! The next trial of a running search.

use super::{BARREN, Observation, Outcome, propose};
use crate::config::{Point, Space, SweepTrial};

/// The next trial of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Where it lies.
    pub point: Point,
    /// What is run.
    pub trial: SweepTrial,
}

/// Trial number `index` (from 0, baselines not counted) of a search in which `history` is known; none where the space has no
/// other. `known` are the sweep's trials, baselines included: a point that would only be one of them again is passed over, and
/// so is one whose settings do not go together after all ([`super::load()`] tries the ends of every two axes).
///
/// Pure: with equal arguments the proposal is equal.
pub fn propose_trial(space: &Space, index: u64, history: &[Observation], known: &[SweepTrial]) -> Option<Proposal> {
    let mut history = history.to_vec();
    for _ in 0..BARREN {
        let point = propose(space.axes(), space.strategy(), index, &history)?;
        if let Ok(trial) = space.trial(&point)
            && known.iter().all(|known| known.trial != trial.trial)
        {
            return Some(Proposal { point, trial });
        }
        history.push(Observation { point, outcome: Outcome::Void });
    }
    None
}
