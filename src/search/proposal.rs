//! Proposes the next trial of a running search.

use super::{MAX_CONSECUTIVE_DUPLICATES, Observation, PointOutcome, propose};
use crate::config::{Point, Space, SweepTrial};

/// A proposed trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Its point in the space.
    pub point: Point,
    /// Its configuration.
    pub trial: SweepTrial,
}

/// Returns trial number `index` (from 0, baselines not counted) of a search with this history; `None` if the space has no other.
/// `known` are the sweep's trials, baselines included. Skips points that give a known trial, and points with incompatible settings.
/// [`super::load()`] may miss such points, because it checks only the ends of each pair of axes.
///
/// This is a pure function of its arguments.
pub fn propose_trial(space: &Space, index: u64, history: &[Observation], known: &[SweepTrial]) -> Option<Proposal> {
    let mut history = history.to_vec();
    for _ in 0..MAX_CONSECUTIVE_DUPLICATES {
        let point = propose(space.axes(), space.strategy(), index, &history)?;
        if let Ok(trial) = space.trial(&point)
            && known.iter().all(|known| known.trial != trial.trial)
        {
            return Some(Proposal { point, trial });
        }
        history.push(Observation { point, outcome: PointOutcome::Ignored });
    }
    None
}
