//! A scrambled Sobol sequence, addressed by index. It fills the space more evenly than independent draws.
//!
//! Uses hash-based Owen scrambling: Burley, "Practical Hash-based Owen Scrambling", JCGT 9(4), 2020.

use rand::Rng;

use crate::config::{Axis, MAX_AXES, MAX_POINTS, Point, assemble};
use crate::data::stream;

/// Returns the point of an index; `None` past the end of the sequence. A sweep file with more than [`MAX_AXES`] axes is refused. Here
/// further axes would reuse the dimensions of the first ones with another scramble.
pub(super) fn point(axes: &[Axis], seed: u64, index: u64) -> Option<Point> {
    let number = u32::try_from(index).ok().filter(|_| index < MAX_POINTS)?;
    let scramble = |block: usize| stream(seed, "search/sobol", 0, block as u64).next_u32();
    Some(assemble(axes, |axis| {
        let u = sobol_burley::sample(number, (axis % MAX_AXES) as u32, scramble(axis / MAX_AXES));
        axes[axis].domain.at(f64::from(u))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::axis_tests::axis;
    use crate::config::{Coordinate, Domain};
    use proptest::prelude::*;

    proptest! {
        /// Tests the property of a (0, 1)-sequence, which scrambling keeps: 16 consecutive points from a multiple of 16 are in different
        /// sixteenths of every axis. Independent draws almost never do (16!/16¹⁶ ≈ 10⁻⁶).
        #[test]
        fn sixteen_points_are_in_sixteen_parts_of_each_axis(seed: u64, block in 0_u64..50) {
            let axes: Vec<Axis> =
                (0..5).map(|i| axis(&i.to_string(), Domain::Uniform { low: 0.0, high: 16.0, step: None })).collect();
            for dimension in 0..5 {
                let mut parts: Vec<u64> = (block * 16..block * 16 + 16)
                    .map(|index| match point(&axes, seed, index).expect("in the sequence")[dimension] {
                        Some(Coordinate::Number(number)) => number as u64,
                        other => panic!("{other:?}"),
                    })
                    .collect();
                parts.sort_unstable();
                prop_assert_eq!(parts, (0..16).collect::<Vec<u64>>());
            }
        }
    }

    #[test]
    fn the_sequence_ends() {
        let axes = [axis("a", Domain::Choices(2))];
        assert!(point(&axes, 0, MAX_POINTS - 1).is_some());
        assert_eq!(point(&axes, 0, MAX_POINTS), None);
    }
}
