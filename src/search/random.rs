//! Independent draws, addressed by index: point 7 is the same whether or not points 0 to 6 were drawn.

use rand::Rng;

use super::{Axis, Coordinate, Domain};
use crate::data::stream;

/// The point of an index.
pub(super) fn point(axes: &[Axis], seed: u64, index: u64) -> Vec<Coordinate> {
    axes.iter()
        .map(|axis| {
            let mut stream = stream(seed, &format!("search/{}", axis.name), 0, index);
            let u = (stream.next_u64() >> 11) as f64 * 2.0_f64.powi(-53);
            match axis.domain {
                Domain::Choices(count) => Coordinate::Choice(((u * count as f64) as usize).min(count - 1)),
                Domain::Uniform(low, high) => Coordinate::Number(low + u * (high - low)),
                Domain::LogUniform(low, high) => {
                    Coordinate::Number((low.ln() + u * (high.ln() - low.ln())).exp().clamp(low, high))
                }
                Domain::Integer(low, high) => Coordinate::Whole((low + (u * (high - low + 1) as f64) as i64).min(high)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn draws_stay_in_their_domain_and_do_not_depend_on_other_axes(seed: u64, index in 0_u64..1000) {
            let axis = |name: &str, domain| Axis { name: name.to_owned(), domain };
            let rate = axis("rate", Domain::LogUniform(1e-4, 1.0));
            let depth = axis("depth", Domain::Integer(1, 3));
            let both = point(&[depth, rate.clone()], seed, index);
            prop_assert_eq!(both[1], point(&[rate], seed, index)[0]);
            let Coordinate::Number(rate) = both[1] else { panic!("a number") };
            let Coordinate::Whole(depth) = both[0] else { panic!("a whole number") };
            prop_assert!((1e-4..=1.0).contains(&rate) && (1..=3).contains(&depth));
        }
    }
}
