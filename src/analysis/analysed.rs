//! The runs of a sweep, grouped and compared once for everything that shows them.

use super::comparison::{comparisons, sides};
use super::confirmed::{chosen_sides, confirmed};
use super::effects::{Effects, effects};
use super::grouping::{Groups, Ranking, groups, judging_groups};
use super::rows::Rows;
use super::side::Side;
use super::tuned::Tuned;
use super::verdict::Verdict;
use crate::store::Artifacts;

/// The comparisons of a sweep.
pub struct Analysis<'r> {
    /// What was compared.
    pub(crate) rows: &'r Rows,
    /// One part per protocol.
    pub(crate) protocols: Vec<ComparedGroups<'r>>,
    /// The runs of each chosen trial on the seeds of the comparison, ST-FPM first; empty if no trial is chosen.
    pub(crate) chosen: Vec<Side>,
    /// The runs that only compare chosen trials.
    pub(crate) judging: Option<Groups<'r>>,
    /// Verdicts on the chosen trials, from a fixed number of seeds.
    pub(crate) confirmed: Vec<Verdict>,
}

/// What is known under one protocol.
pub(crate) struct ComparedGroups<'r> {
    pub groups: Groups<'r>,
    /// The finished runs of each variant, in the order of the variants.
    pub sides: Vec<Side>,
    /// Verdicts on every variant compared with the re-run baseline.
    pub comparisons: Vec<Verdict>,
    /// Effects of the search's axes.
    pub effects: Vec<Effects>,
    /// The chosen trials. They are compared under one protocol, the first.
    pub tuned: Option<&'r Tuned>,
}

impl<'r> Analysis<'r> {
    /// Compares the finished runs of a sweep.
    pub fn of(rows: &'r Rows, artifacts: &Artifacts, ranking: Ranking) -> Self {
        let compared = |(index, groups): (usize, Groups<'r>)| {
            let sides = sides(rows, &groups, artifacts);
            ComparedGroups {
                comparisons: comparisons(&groups, &sides),
                effects: effects(&groups),
                tuned: rows.tuned.as_ref().filter(|_| index == 0),
                sides,
                groups,
            }
        };
        let chosen = chosen_sides(rows, artifacts);
        Self {
            rows,
            protocols: groups(rows, ranking).into_iter().enumerate().map(compared).collect(),
            judging: judging_groups(rows),
            confirmed: confirmed(rows, &chosen),
            chosen,
        }
    }
}

impl ComparedGroups<'_> {
    /// Returns the chosen trials, if any are chosen already.
    pub(crate) fn chosen(&self) -> Option<&Tuned> {
        self.tuned.filter(|tuned| !tuned.choices.is_empty())
    }
}
