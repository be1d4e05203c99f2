//! Extreme points of a space. A search checks them first, because it may reach any of them later.

use crate::config::{Axis, Coordinate, Point, assemble};

/// Returns, for every pair of axes, each combination of their ends (of all choices where values are listed). The other axes have
/// their values in `others`, or their lower ends where they are inactive there. An axis also pairs with itself, so that a single axis
/// yields its ends.
pub fn pairwise_extremes<'a>(axes: &'a [Axis], others: &'a [Option<Coordinate>]) -> impl Iterator<Item = Point> + 'a {
    let pairs = (0..axes.len()).flat_map(move |first| (first..axes.len()).map(move |second| (first, second)));
    pairs.flat_map(move |(first, second)| {
        axis_ends(&axes[first])
            .into_iter()
            .flat_map(move |a| axis_ends(&axes[second]).into_iter().map(move |b| (a, b)))
            .map(move |(a, b)| {
                assemble(axes, |axis| match axis {
                    _ if axis == first => a,
                    _ if axis == second => b,
                    _ => others.get(axis).copied().flatten().unwrap_or_else(|| axes[axis].domain.level(0)),
                })
            })
    })
}

fn axis_ends(axis: &Axis) -> Vec<Coordinate> {
    let domain = &axis.domain;
    match (domain, domain.levels()) {
        (crate::config::Domain::Choices(count), _) => (0..*count).map(Coordinate::Choice).collect(),
        (_, Some(count)) => vec![domain.level(0), domain.level(count - 1)],
        (_, None) => vec![domain.at(0.0), domain.at(1.0)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Domain;
    use crate::config::axis_tests::{axis, axis_when};

    #[test]
    fn each_pair_of_ends_occurs() {
        let axes = [
            axis("encoder", Domain::Choices(3)),
            axis("rate", Domain::LogUniform { low: 0.1, high: 1.0 }),
            axis_when("depth", Domain::Integer { low: 1, high: 6, step: 2 }, 0, &[Coordinate::Choice(1)]),
        ];
        let others = [Some(Coordinate::Choice(0)), Some(Coordinate::Number(0.5)), None];
        let points: Vec<Point> = pairwise_extremes(&axes, &others).collect();
        let point = |encoder, rate, depth: Option<i64>| {
            let rate = Some(Coordinate::Number(rate));
            vec![Some(Coordinate::Choice(encoder)), rate, depth.map(Coordinate::Integer)]
        };
        assert!(points.contains(&point(2, 0.1, None)) && points.contains(&point(2, 1.0, None)));
        assert!(points.contains(&point(1, 0.5, Some(1))) && points.contains(&point(1, 0.5, Some(5))));
        assert!(points.iter().all(|point| point[2].is_some() == (point[0] == Some(Coordinate::Choice(1)))));
        assert_eq!(pairwise_extremes(&axes[..1], &[None]).count(), 9);
    }
}
