//! Counts the points of a grid without drawing them.

use crate::config::{Axis, Coordinate, Point};

/// Number of condition branches after which a space counts as infinite.
const MAX_BRANCHES: usize = 1_000_000;

/// Returns the number of combinations; inactive axes do not multiply it. Returns `u128::MAX` if there are more, or too many
/// conditions to count. Axes must have countable values.
pub fn count(axes: &[Axis]) -> u128 {
    Counter { axes, branches: MAX_BRANCHES }.count_from(&mut Point::new())
}

struct Counter<'a> {
    axes: &'a [Axis],
    branches: usize,
}

impl Counter<'_> {
    /// Counts the combinations of the remaining axes. Values of an axis that all conditions treat alike are counted once.
    fn count_from(&mut self, point: &mut Point) -> u128 {
        let index = point.len();
        let Some(axis) = self.axes.get(index) else { return 1 };
        let Some(left) = self.branches.checked_sub(1) else { return u128::MAX };
        self.branches = left;
        if !axis.active(point) {
            return self.count_with(point, None);
        }
        let levels = u128::from(axis.domain.levels().unwrap_or(u64::MAX));
        let named = self.named_values(index);
        // All values that no condition names are equivalent.
        let others = levels - named.len() as u128;
        let mut points = 0_u128;
        if others > 0 {
            let any = (0..).map(|level| axis.domain.level(level)).find(|value| !named.contains(value));
            points = self.count_with(point, any).saturating_mul(others);
        }
        for value in named {
            points = points.saturating_add(self.count_with(point, Some(value)));
        }
        points
    }

    fn count_with(&mut self, point: &mut Point, value: Option<Coordinate>) -> u128 {
        point.push(value);
        let points = self.count_from(point);
        point.pop();
        points
    }

    /// Returns the values of an axis that conditions name, each once.
    fn named_values(&self, index: usize) -> Vec<Coordinate> {
        let mut named = Vec::new();
        for condition in self.axes.iter().flat_map(|axis| &axis.when).filter(|condition| condition.axis == index) {
            for value in &condition.values {
                if !named.contains(value) {
                    named.push(*value);
                }
            }
        }
        named
    }
}

#[cfg(test)]
mod tests {
    use super::super::grid::points;
    use super::*;
    use crate::config::Domain;
    use crate::config::axis_tests::{axis, axis_when};
    use proptest::prelude::*;

    #[test]
    fn grids_too_large_to_draw_are_counted() {
        let axes: Vec<Axis> = (0..5).map(|index| axis(&index.to_string(), Domain::Choices(38))).collect();
        assert_eq!(count(&axes), 79_235_168);
        let axes: Vec<Axis> = (0..100).map(|index| axis(&index.to_string(), Domain::Choices(1000))).collect();
        assert_eq!(count(&axes), u128::MAX, "it saturates");
        assert_eq!(count(&[]), 1);
    }

    #[test]
    fn a_chain_of_a_hundred_conditions_is_counted() {
        let mut axes = vec![axis("0", Domain::Choices(2))];
        for index in 1..100 {
            axes.push(axis_when(&index.to_string(), Domain::Choices(2), index - 1, &[Coordinate::Choice(1)]));
        }
        // Each axis ends the chain with its first value and continues it with its second.
        assert_eq!(count(&axes), 101);
    }

    proptest! {
        /// Compares the count with the drawn points on random trees of conditions.
        #[test]
        fn the_count_equals_the_number_of_drawn_points(
            sizes in proptest::collection::vec(1_usize..4, 1..6),
            parents in proptest::collection::vec((any::<bool>(), 0_usize..5, 0_usize..3, 0_usize..3), 5),
        ) {
            let mut axes: Vec<Axis> = Vec::new();
            for (index, (size, (conditional, parent, one, two))) in sizes.into_iter().zip(parents).enumerate() {
                let name = index.to_string();
                axes.push(match conditional && parent < index {
                    true => {
                        let levels = axes[parent].domain.levels().unwrap_or(1) as usize;
                        let among = [Coordinate::Choice(one % levels), Coordinate::Choice(two % levels)];
                        axis_when(&name, Domain::Choices(size), parent, &among)
                    }
                    false => axis(&name, Domain::Choices(size)),
                });
            }
            prop_assert_eq!(count(&axes), points(&axes).count() as u128);
        }
    }
}
