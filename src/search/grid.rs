//! Every combination once.

use super::{Axis, Coordinate, Domain};

/// All combinations of the listed values, the last axis fastest.
pub(super) fn points(axes: &[Axis]) -> Vec<Vec<Coordinate>> {
    axes.iter().fold(vec![Vec::new()], |points, axis| {
        let Domain::Choices(count) = axis.domain else { return points };
        points
            .iter()
            .flat_map(|point| {
                (0..count).map(move |index| {
                    let mut point = point.clone();
                    point.push(Coordinate::Choice(index));
                    point
                })
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_each_combination_once() {
        let axis = |name: &str, count| Axis { name: name.to_owned(), domain: Domain::Choices(count) };
        let points = points(&[axis("a", 2), axis("b", 3)]);
        assert_eq!(points.len(), 6);
        assert_eq!(points[1], [Coordinate::Choice(0), Coordinate::Choice(1)]);
        assert!((0..6).all(|i| (0..i).all(|j| points[i] != points[j])));
        assert_eq!(super::points(&[]), [[]]);
    }
}
