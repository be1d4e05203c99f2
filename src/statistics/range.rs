//! The values that a number can have, and confidence intervals within them.

/// Lowest and highest possible value of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    low: f64,
    high: f64,
}

impl Range {
    /// Shares: from 0 to 1.
    pub const SHARE: Self = Self { low: 0.0, high: 1.0 };
    /// Numbers without bounds.
    pub const UNBOUNDED: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// Returns the possible differences of two such numbers. The mean of such differences has the same range.
    pub fn of_differences(self) -> Self {
        let width = self.high - self.low;
        Self { low: -width, high: width }
    }

    /// Returns the possible distances of one such number from the mean of `count` of them, itself among them.
    pub fn of_distances(self, count: usize) -> Self {
        let width = (self.high - self.low) * (1.0 - 1.0 / count as f64);
        Self { low: -width, high: width }
    }

    /// Returns the part of a confidence interval that the number can have.
    ///
    /// The true value is never in what is cut off. So the interval contains it exactly as often as before.
    pub fn intersection(self, (low, high): (f64, f64)) -> (f64, f64) {
        (low.clamp(self.low, self.high), high.clamp(self.low, self.high))
    }

    /// Returns whether the number can have this value.
    #[cfg(test)]
    pub(crate) fn contains(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn differences_of_shares_are_within_one() {
        let differences = Range::SHARE.of_differences();
        assert_eq!(differences, Range { low: -1.0, high: 1.0 });
        assert_eq!(differences.intersection((-2.39, 2.02)), (-1.0, 1.0));
        assert_eq!(differences.intersection((-0.1, 0.2)), (-0.1, 0.2));
        // Of two shares, each is at most one half from their mean.
        assert_eq!(Range::SHARE.of_distances(2), Range { low: -0.5, high: 0.5 });
        assert_eq!(Range::UNBOUNDED.of_differences().intersection((-3.0, f64::INFINITY)), (-3.0, f64::INFINITY));
    }

    proptest! {
        /// An interval contains the same possible values as before it was cut, and nothing impossible.
        #[test]
        fn an_intersection_keeps_every_possible_value(
            low in -5.0..5.0_f64, width in 0.0..5.0_f64, values in proptest::collection::vec(0.0..=1.0_f64, 2..6),
        ) {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let ranges = [
                (Range::SHARE, values[0]),
                (Range::SHARE, mean),
                (Range::SHARE.of_differences(), values[0] - values[1]),
                (Range::SHARE.of_distances(values.len()), values[0] - mean),
                (Range::UNBOUNDED, values[0]),
            ];
            for (range, value) in ranges {
                prop_assert!(range.contains(value) || (value.abs() - range.high).abs() < 1e-12);
                let (from, to) = range.intersection((low, low + width));
                prop_assert!(from <= to && range.contains(from) && range.contains(to));
                prop_assert_eq!((from..=to).contains(&value), (low..=low + width).contains(&value) || from == to && value == from);
            }
        }
    }
}
