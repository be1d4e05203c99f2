//! A proposal: of some draws of the good's estimator, the one that is most likelier among the good than among the bad.

use super::super::{Axis, Coordinate, Observation, Outcome, Point};
use super::parzen::Parzen;
use super::split::{Split, split, weights};
use crate::data::stream;

/// How many points are drawn evenly before anything is learnt.
pub const STARTUP: u64 = 10;

/// Draws among which the best is taken.
const CANDIDATES: u32 = 24;

/// Draws of a point that is not known yet before the search for one is given up.
const ATTEMPTS: u64 = 64;

/// The point of an index; none if nothing has a value yet, or if only known points come.
pub(in super::super) fn point(axes: &[Axis], seed: u64, index: u64, history: &[Observation]) -> Option<Point> {
    history.iter().find(|known| matches!(known.outcome, Outcome::Value(value) if !value.is_nan()))?;
    let groups = groups(axes);
    let estimators: Vec<(Parzen<'_>, Parzen<'_>)> =
        groups.iter().map(|group| estimators(axes, group, history)).collect();
    (0..ATTEMPTS).find_map(|attempt| {
        let mut random = stream(seed, "search/tpe", attempt, index);
        // A known point is the maximum of its candidates: fewer of them give others a chance.
        let candidates = (CANDIDATES >> attempt.min(31)).max(1);
        let mut point: Point = vec![None; axes.len()];
        for (group, (good, bad)) in groups.iter().zip(&estimators) {
            if axes[group[0]].active(&point) {
                let drawn: Vec<Vec<Coordinate>> = (0..candidates).map(|_| good.sample(&mut random)).collect();
                let worth = |row: &Vec<Coordinate>| good.log_density(row) - bad.log_density(row);
                let best =
                    drawn.into_iter().map(|row| (worth(&row), row)).reduce(|a, b| if b.0 > a.0 { b } else { a })?;
                for (&axis, value) in group.iter().zip(best.1) {
                    point[axis] = Some(value);
                }
            }
        }
        history.iter().all(|known| known.point != point).then_some(point)
    })
}

/// Axes that always count together, for they have the same conditions; a group stands behind those that it depends on.
fn groups(axes: &[Axis]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, axis) in axes.iter().enumerate() {
        match groups.iter_mut().find(|group| axes[group[0]].when == axis.when) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

/// The good's and the bad's estimator of a group, from the observations that have it.
fn estimators<'a>(axes: &'a [Axis], group: &[usize], history: &[Observation]) -> (Parzen<'a>, Parzen<'a>) {
    let has_group = |known: &&Observation| known.point.get(group[0]).copied().flatten().is_some();
    let Split { good, bad } = split(history.iter().filter(has_group));
    let fit = |points: &[&Point]| {
        let row = |point: &&Point| group.iter().map(|&axis| point.get(axis).copied().flatten()).collect();
        let rows: Vec<Vec<Coordinate>> = points.iter().filter_map(row).collect();
        let weights = weights(rows.len());
        Parzen::fit(group.iter().map(|&axis| &axes[axis]).collect(), &rows, &weights)
    };
    (fit(&good), fit(&bad))
}
