//! Proposes the next point of any strategy. It is a pure function of the history, so a killed search continues unchanged.

use std::collections::HashSet;

use super::observation::Observation;
use super::{grid, random, sobol, tpe};
use crate::config::{Axis, Draws, Point, Strategy};

/// Consecutive points that give known trials after which a space counts as exhausted.
pub(crate) const MAX_CONSECUTIVE_DUPLICATES: usize = 1000;

/// Consecutive known draws after which the rest of a countable space is enumerated.
const MAX_CONSECUTIVE_REPEATS: usize = 1000;

/// Number of points that are enumerated at most.
const MAX_ENUMERATED: usize = 100_000;

/// Returns the point to try as number `index` (from 0); never one of `history`. `None` if a grid or an exhausted space has no other
/// point. The caller limits the number of trials.
///
/// This is a pure function. Grid, random and Sobol sampling use the history only to avoid known points.
pub fn propose(axes: &[Axis], strategy: &Strategy, index: u64, history: &[Observation]) -> Option<Point> {
    let is_new = |point: &Point| history.iter().all(|known| known.point != *point);
    match *strategy {
        Strategy::Grid => {
            grid::points(axes).skip(index as usize).find(is_new).or_else(|| grid::points(axes).find(is_new))
        }
        Strategy::Random(Draws { seed, .. }) => (index..)
            .take(MAX_CONSECUTIVE_REPEATS)
            .map(|index| random::point(axes, seed, index))
            .find(is_new)
            .or_else(|| first_remaining(axes, is_new)),
        Strategy::Sobol(Draws { seed, .. }) => next_sobol(axes, seed, index, is_new),
        Strategy::Tpe(Draws { seed, .. }) => {
            let learnt = if index < tpe::STARTUP_TRIALS { None } else { tpe::point(axes, seed, index, history) };
            learnt.or_else(|| next_sobol(axes, seed, index, is_new))
        }
    }
}

/// Returns the next new point of the Sobol sequence, or the first remaining point.
fn next_sobol(axes: &[Axis], seed: u64, index: u64, is_new: impl Fn(&Point) -> bool + Copy) -> Option<Point> {
    (index..)
        .take(MAX_CONSECUTIVE_REPEATS)
        .map_while(|index| sobol::point(axes, seed, index))
        .find(is_new)
        .or_else(|| first_remaining(axes, is_new))
}

/// Returns the first point of a countable space that is still new.
fn first_remaining(axes: &[Axis], is_new: impl Fn(&Point) -> bool) -> Option<Point> {
    if axes.iter().any(|axis| axis.domain.levels().is_none()) {
        return None;
    }
    grid::points(axes).take(MAX_ENUMERATED).find(is_new)
}

/// Returns all points that a strategy draws without knowing any result, each once; for TPE, those of its start-up. The iterator
/// is infinite if the space is.
pub fn draws<'a>(axes: &'a [Axis], strategy: &Strategy) -> Box<dyn Iterator<Item = Point> + 'a> {
    match *strategy {
        Strategy::Grid => Box::new(grid::points(axes)),
        Strategy::Random(Draws { seed, .. }) => {
            Box::new(distinct(axes, (0..).map(move |index| random::point(axes, seed, index))))
        }
        Strategy::Sobol(Draws { seed, .. }) | Strategy::Tpe(Draws { seed, .. }) => {
            Box::new(distinct(axes, (0..).map_while(move |index| sobol::point(axes, seed, index))))
        }
    }
}

/// Leaves out repeated points. If only repeats follow, returns the remaining points of a countable space.
fn distinct<'a>(axes: &'a [Axis], mut drawn: impl Iterator<Item = Point> + 'a) -> impl Iterator<Item = Point> + 'a {
    // Coordinates are finite, so equal points have equal text.
    let mut known: HashSet<String> = HashSet::new();
    let mut exhausted = false;
    std::iter::from_fn(move || {
        let is_new = |point: &Point| !known.contains(&format!("{point:?}"));
        let point = match exhausted {
            false => drawn.by_ref().take(MAX_CONSECUTIVE_REPEATS).find(is_new),
            true => None,
        };
        exhausted |= point.is_none();
        let point = point.or_else(|| first_remaining(axes, is_new))?;
        known.insert(format!("{point:?}"));
        Some(point)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::axis_tests::{axis, axis_when};
    use crate::config::{Coordinate, Domain};
    use crate::search::PointOutcome;
    use proptest::{prop_assert, prop_assert_eq, proptest};

    fn mixed() -> Vec<Axis> {
        vec![
            axis("encoder", Domain::Choices(2)),
            axis("depth", Domain::Integer { low: 1, high: 3, step: 1 }),
            axis_when("skip", Domain::Choices(4), 0, &[Coordinate::Choice(1)]),
        ]
    }

    fn strategies(seed: u64) -> [Strategy; 4] {
        let trials = 100;
        [
            Strategy::Grid,
            Strategy::Random(Draws { trials, seed }),
            Strategy::Sobol(Draws { trials, seed }),
            Strategy::Tpe(Draws { trials, seed }),
        ]
    }

    proptest! {
        /// There are 3 points without the skip and 3·4 with it. Each strategy finds each of them once and then ends.
        #[test]
        fn a_finite_space_is_used_up_without_repeats(seed: u64, values in proptest::collection::vec(0.0..1.0_f64, 15)) {
            for strategy in strategies(seed) {
                let mut history: Vec<Observation> = Vec::new();
                while let Some(point) = propose(&mixed(), &strategy, history.len() as u64, &history) {
                    prop_assert!(history.iter().all(|known| known.point != point), "{strategy:?} repeats {point:?}");
                    prop_assert_eq!(point[2].is_some(), point[0] == Some(Coordinate::Choice(1)));
                    prop_assert!(history.len() < 15);
                    let outcome = match history.len() % 5 {
                        3 => PointOutcome::Failed,
                        4 => PointOutcome::Pending,
                        _ => PointOutcome::Value(values[history.len()]),
                    };
                    history.push(Observation { point, outcome });
                }
                prop_assert_eq!(history.len(), 15);
                prop_assert_eq!(draws(&mixed(), &strategy).count(), 15);
            }
        }
    }

    #[test]
    fn a_grid_continues_after_points_of_another_strategy() {
        let last = grid::points(&mixed()).last().expect("a point");
        let mut history = vec![Observation { point: last, outcome: PointOutcome::Failed }];
        while let Some(point) = propose(&mixed(), &Strategy::Grid, history.len() as u64, &history) {
            history.push(Observation { point, outcome: PointOutcome::Pending });
        }
        assert_eq!(history.len(), 15);
    }

    #[test]
    fn draws_are_the_proposals_of_an_empty_history() {
        let axes = [axis("rate", Domain::LogUniform { low: 1e-4, high: 1.0 })];
        for strategy in strategies(7).iter().skip(1) {
            let drawn: Vec<Point> = draws(&axes, strategy).take(8).collect();
            let proposed: Vec<Point> = (0..8).filter_map(|index| propose(&axes, strategy, index, &[])).collect();
            assert_eq!(drawn, proposed);
        }
    }
}
