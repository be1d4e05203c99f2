//! Random search with draws addressed by index: point 7 is the same whether or not points 0 to 6 were drawn.

use rand::Rng;

use crate::config::{Axis, Point, assemble};
use crate::data::stream;

/// Returns the point of an index. Each axis has its own random stream, so that adding an axis changes no other value.
pub(super) fn point(axes: &[Axis], seed: u64, index: u64) -> Point {
    assemble(axes, |axis| {
        axes[axis].domain.at(unit(&mut stream(seed, &format!("search/{}", axes[axis].name), 0, index)))
    })
}

/// Returns a number in [0, 1) with 53 random bits.
pub(super) fn unit(stream: &mut impl Rng) -> f64 {
    (stream.next_u64() >> 11) as f64 * 2.0_f64.powi(-53)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::axis_tests::axis;
    use crate::config::{Coordinate, Domain};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn draws_stay_in_their_domain_and_do_not_depend_on_other_axes(seed: u64, index in 0_u64..1000) {
            let rate = axis("rate", Domain::LogUniform { low: 1e-4, high: 1.0 });
            let depth = axis("depth", Domain::Integer { low: 1, high: 3, step: 1 });
            let both = point(&[depth, rate.clone()], seed, index);
            prop_assert_eq!(both[1], point(&[rate], seed, index)[0]);
            let Some(Coordinate::Number(rate)) = both[1] else { panic!("a number") };
            let Some(Coordinate::Integer(depth)) = both[0] else { panic!("a whole number") };
            prop_assert!((1e-4..=1.0).contains(&rate) && (1..=3).contains(&depth));
        }
    }
}
