//! The extremes of a space, which must be possible trials before a search starts.

use crate::config::{Axis, Coordinate, Point, assemble};

/// For every two axes each pair of their ends (of all choices, where values are listed); the other axes as in a given point, or
/// at their lower ends where they do not count in it. An axis is paired with itself, too: one axis alone has its ends.
pub fn pairwise_extremes<'a>(
    axes: &'a [Axis],
    elsewhere: &'a [Option<Coordinate>],
) -> impl Iterator<Item = Point> + 'a {
    let pairs = (0..axes.len()).flat_map(move |first| (first..axes.len()).map(move |second| (first, second)));
    pairs.flat_map(move |(first, second)| {
        ends(&axes[first]).into_iter().flat_map(move |a| ends(&axes[second]).into_iter().map(move |b| (a, b))).map(
            move |(a, b)| {
                assemble(axes, |axis| match axis {
                    _ if axis == first => a,
                    _ if axis == second => b,
                    _ => elsewhere.get(axis).copied().flatten().unwrap_or_else(|| axes[axis].domain.level(0)),
                })
            },
        )
    })
}

fn ends(axis: &Axis) -> Vec<Coordinate> {
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
    fn each_pair_of_ends_is_met() {
        let axes = [
            axis("encoder", Domain::Choices(3)),
            axis("rate", Domain::LogUniform { low: 0.1, high: 1.0 }),
            axis_when("depth", Domain::Integer { low: 1, high: 6, step: 2 }, 0, &[Coordinate::Choice(1)]),
        ];
        let elsewhere = [Some(Coordinate::Choice(0)), Some(Coordinate::Number(0.5)), None];
        let met: Vec<Point> = pairwise_extremes(&axes, &elsewhere).collect();
        let point = |encoder, rate, depth: Option<i64>| {
            let rate = Some(Coordinate::Number(rate));
            vec![Some(Coordinate::Choice(encoder)), rate, depth.map(Coordinate::Whole)]
        };
        assert!(met.contains(&point(2, 0.1, None)) && met.contains(&point(2, 1.0, None)));
        assert!(met.contains(&point(1, 0.5, Some(1))) && met.contains(&point(1, 0.5, Some(5))));
        assert!(met.iter().all(|met| met[2].is_some() == (met[0] == Some(Coordinate::Choice(1)))));
        assert_eq!(pairwise_extremes(&axes[..1], &[None]).count(), 9);
    }
}
