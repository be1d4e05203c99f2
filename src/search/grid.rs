//! Grid search: every combination once.

use crate::config::{Axis, Coordinate, Point, assemble};

/// Iterates over all points, the last axis fastest; inactive axes do not multiply. Axes must have countable values.
pub(super) fn points(axes: &[Axis]) -> impl Iterator<Item = Point> + '_ {
    let mut next = Some(assemble(axes, |axis| axes[axis].domain.level(0)));
    std::iter::from_fn(move || {
        let point = next.take()?;
        next = successor(axes, &point);
        Some(point)
    })
}

/// Moves the last axis that has a next value to it, and resets the axes after it.
fn successor(axes: &[Axis], point: &[Option<Coordinate>]) -> Option<Point> {
    let (advanced, value) = axes.iter().zip(point).enumerate().rev().find_map(|(index, (axis, value))| {
        let next = axis.domain.index_of((*value)?)? + 1;
        (next < axis.domain.levels()?).then(|| (index, axis.domain.level(next)))
    })?;
    Some(assemble(axes, |index| match (index.cmp(&advanced), point[index]) {
        (std::cmp::Ordering::Less, Some(kept)) => kept,
        (std::cmp::Ordering::Equal, _) => value,
        _ => axes[index].domain.level(0),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Domain;
    use crate::config::axis_tests::{axis, axis_when};

    #[test]
    fn a_grid_has_each_combination_once() {
        let points: Vec<Point> = points(&[axis("a", Domain::Choices(2)), axis("b", Domain::Choices(3))]).collect();
        assert_eq!(points.len(), 6);
        assert_eq!(points[1], [Some(Coordinate::Choice(0)), Some(Coordinate::Choice(1))]);
        assert!((0..6).all(|i| (0..i).all(|j| points[i] != points[j])));
        assert_eq!(super::points(&[]).collect::<Vec<_>>(), [Point::new()]);
    }

    #[test]
    fn an_inactive_axis_does_not_multiply() {
        let axes = [
            axis("encoder", Domain::Choices(2)),
            axis_when("skip", Domain::Choices(3), 0, &[Coordinate::Choice(1)]),
            axis_when("width", Domain::Uniform { low: 0.5, high: 1.0, step: Some(0.25) }, 1, &[Coordinate::Choice(2)]),
            axis("depth", Domain::Integer { low: 1, high: 3, step: 2 }),
            axis_when("batch", Domain::LogInteger { low: 3, high: 5 }, 3, &[Coordinate::Integer(3)]),
        ];
        let points: Vec<Point> = points(&axes).collect();
        // encoder with its dependent axes: 1 + (1 + 1 + 3); depth with its dependent axis: 1 + 3.
        assert_eq!(points.len(), 6 * 4);
        assert!((0..points.len()).all(|i| (0..i).all(|j| points[i] != points[j])));
    }
}
