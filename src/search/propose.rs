//! The next point of any strategy: a pure function of what is known, so a search that was killed goes on as if it had not been.

use std::collections::HashSet;

use super::observation::Observation;
use super::{grid, random, sobol, tpe};
use crate::config::{Axis, Draws, Point, Strategy};

/// Points in a row that may turn out to be known trials before a space counts as used up.
pub(crate) const BARREN: usize = 1000;

/// Draws in a row that may be known already before the rest of a countable space is enumerated.
const REPEATS: usize = 1000;

/// The most points that are enumerated when draws find nothing new.
const ENUMERATED: usize = 100_000;

/// The point to try as number `index` (from 0), given how earlier ones fared; never one of `history`. None when a grid, or a
/// space that draws have used up, has no other point. How many trials a search has is the caller's to count.
///
/// With equal arguments the answer is equal. Grid, random and Sobol draws look at the history only for points to avoid.
pub fn propose(axes: &[Axis], strategy: &Strategy, index: u64, history: &[Observation]) -> Option<Point> {
    let fresh = |point: &Point| history.iter().all(|known| known.point != *point);
    match *strategy {
        Strategy::Grid => {
            grid::points(axes).skip(index as usize).find(fresh).or_else(|| grid::points(axes).find(fresh))
        }
        Strategy::Random(Draws { seed, .. }) => (index..)
            .take(REPEATS)
            .map(|index| random::point(axes, seed, index))
            .find(fresh)
            .or_else(|| rest(axes, fresh)),
        Strategy::Sobol(Draws { seed, .. }) => even(axes, seed, index, fresh),
        Strategy::Tpe(Draws { seed, .. }) => {
            let learnt = if index < tpe::STARTUP { None } else { tpe::point(axes, seed, index, history) };
            learnt.or_else(|| even(axes, seed, index, fresh))
        }
    }
}

fn even(axes: &[Axis], seed: u64, index: u64, fresh: impl Fn(&Point) -> bool + Copy) -> Option<Point> {
    (index..).take(REPEATS).map_while(|index| sobol::point(axes, seed, index)).find(fresh).or_else(|| rest(axes, fresh))
}

/// The first point of a countable space that is still fresh.
fn rest(axes: &[Axis], fresh: impl Fn(&Point) -> bool) -> Option<Point> {
    if axes.iter().any(|axis| axis.domain.levels().is_none()) {
        return None;
    }
    grid::points(axes).take(ENUMERATED).find(fresh)
}

/// All points that a strategy draws without knowing any result, each once; TPE's are those of its start-up. Endless where the
/// space is: the caller takes as many as it has use for.
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

/// Leaves out repeats; when only repeats come, whatever else a countable space has.
fn distinct<'a>(axes: &'a [Axis], mut drawn: impl Iterator<Item = Point> + 'a) -> impl Iterator<Item = Point> + 'a {
    // Coordinates are finite: their text is equal where they are.
    let mut known: HashSet<String> = HashSet::new();
    let mut spent = false;
    std::iter::from_fn(move || {
        let fresh = |point: &Point| !known.contains(&format!("{point:?}"));
        let point = match spent {
            false => drawn.by_ref().take(REPEATS).find(fresh),
            true => None,
        };
        spent |= point.is_none();
        let point = point.or_else(|| rest(axes, fresh))?;
        known.insert(format!("{point:?}"));
        Some(point)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::axis_tests::{axis, axis_when};
    use crate::config::{Coordinate, Domain};
    use crate::search::Outcome;
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
        /// 3 points without the skip, 3·4 with it: each strategy finds them all, each once, and then says that there are no more.
        #[test]
        fn a_finite_space_is_used_up_without_repeats(seed: u64, worth in proptest::collection::vec(0.0..1.0_f64, 15)) {
            for strategy in strategies(seed) {
                let mut history: Vec<Observation> = Vec::new();
                while let Some(point) = propose(&mixed(), &strategy, history.len() as u64, &history) {
                    prop_assert!(history.iter().all(|known| known.point != point), "{strategy:?} repeats {point:?}");
                    prop_assert_eq!(point[2].is_some(), point[0] == Some(Coordinate::Choice(1)));
                    prop_assert!(history.len() < 15);
                    let outcome = match history.len() % 5 {
                        3 => Outcome::Failed,
                        4 => Outcome::Pending,
                        _ => Outcome::Value(worth[history.len()]),
                    };
                    history.push(Observation { point, outcome });
                }
                prop_assert_eq!(history.len(), 15);
                prop_assert_eq!(draws(&mixed(), &strategy).count(), 15);
            }
        }
    }

    #[test]
    fn a_grid_that_others_have_been_on_is_still_finished() {
        let last = grid::points(&mixed()).last().expect("a point");
        let mut history = vec![Observation { point: last, outcome: Outcome::Failed }];
        while let Some(point) = propose(&mixed(), &Strategy::Grid, history.len() as u64, &history) {
            history.push(Observation { point, outcome: Outcome::Pending });
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
