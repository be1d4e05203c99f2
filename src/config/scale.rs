//! Maps an axis to an interval of the real line for the search. Steps and whole numbers become bins; logarithmic axes use the logarithm.
//!
//! A quantised value is the middle of a bin. So every value has the same share of the line (of the logarithm for a logarithmic axis). A
//! density can be integrated over the bin, as in Optuna's discrete truncated normal distributions.

use super::axis::{Coordinate, Domain};

impl Domain {
    /// Returns the number of values; `None` for a continuous axis.
    pub fn levels(&self) -> Option<u64> {
        match *self {
            Self::Choices(count) => Some(count as u64),
            Self::Uniform { step: None, .. } | Self::LogUniform { .. } => None,
            Self::Uniform { low, high, step: Some(step) } => Some(steps(low, high, step) as u64 + 1),
            Self::Integer { low, high, step } => Some(high.abs_diff(low) / step.unsigned_abs() + 1),
            Self::LogInteger { low, high } => Some(high.abs_diff(low) + 1),
        }
    }

    /// Returns the value with this index, counted from the lowest. For a continuous axis, returns the lower bound.
    pub fn level(&self, index: u64) -> Coordinate {
        match *self {
            Self::Choices(_) => Coordinate::Choice(index as usize),
            Self::Uniform { low, step, .. } => {
                Coordinate::Number(round_digits(low + index as f64 * step.unwrap_or(0.0)))
            }
            Self::LogUniform { low, .. } => Coordinate::Number(low),
            Self::Integer { low, step, .. } => Coordinate::Integer(low + index as i64 * step),
            Self::LogInteger { low, .. } => Coordinate::Integer(low + index as i64),
        }
    }

    /// Returns the index of a value, counted from the lowest; `None` for a continuous axis.
    pub(crate) fn index_of(&self, value: Coordinate) -> Option<u64> {
        match (self, value) {
            (Self::Choices(_), Coordinate::Choice(index)) => Some(index as u64),
            (Self::Uniform { low, step: Some(step), .. }, Coordinate::Number(number)) => {
                Some(((number - low) / step).round() as u64)
            }
            (Self::Integer { low, step, .. }, Coordinate::Integer(number)) => {
                Some(number.abs_diff(*low) / step.unsigned_abs())
            }
            (Self::LogInteger { low, .. }, Coordinate::Integer(number)) => Some(number.abs_diff(*low)),
            _ => None,
        }
    }

    /// Returns the value at a share `u` of the axis, 0 ≤ u < 1.
    pub(crate) fn at(&self, u: f64) -> Coordinate {
        match *self {
            Self::Choices(count) => Coordinate::Choice(((u * count as f64) as usize).min(count - 1)),
            _ => {
                let (low, high) = self.interval();
                self.nearest(low + u * (high - low))
            }
        }
    }

    /// Returns the ends of a numeric axis on the line, including the outer halves of the first and last bin.
    pub(crate) fn interval(&self) -> (f64, f64) {
        match *self {
            Self::Choices(_) => (0.0, 1.0),
            Self::Uniform { low, high, step: None } => (low, high),
            Self::Uniform { low, high, step: Some(step) } => {
                (low - step / 2.0, low + (steps(low, high, step) + 0.5) * step)
            }
            Self::LogUniform { low, high } => (low.ln(), high.ln()),
            Self::Integer { low, high, step } => {
                let last = high - (high - low) % step;
                (low as f64 - step as f64 / 2.0, last as f64 + step as f64 / 2.0)
            }
            Self::LogInteger { low, high } => ((low as f64 - 0.5).ln(), (high as f64 + 0.5).ln()),
        }
    }

    /// Returns the value nearest to a position on the line.
    pub(crate) fn nearest(&self, position: f64) -> Coordinate {
        let last = self.levels().unwrap_or(1) - 1;
        match *self {
            Self::Choices(_) => self.level((position.max(0.0) as u64).min(last)),
            Self::Uniform { low, high, step: None } => Coordinate::Number(round_digits(position).clamp(low, high)),
            Self::LogUniform { low, high } => Coordinate::Number(round_digits(position.exp()).clamp(low, high)),
            Self::Uniform { low, step: Some(step), .. } => {
                self.level((((position - low) / step).round().max(0.0) as u64).min(last))
            }
            Self::Integer { low, step, .. } => {
                self.level((((position - low as f64) / step as f64).round().max(0.0) as u64).min(last))
            }
            Self::LogInteger { low, .. } => {
                self.level(((position.exp() - low as f64).round().max(0.0) as u64).min(last))
            }
        }
    }

    /// Returns the two ends of a value's bin on the line. They are equal for a continuous axis. Returns `None` for choices, which have no
    /// line.
    pub(crate) fn bin(&self, value: Coordinate) -> Option<(f64, f64)> {
        match (self, value) {
            (Self::Uniform { step: None, .. }, Coordinate::Number(number)) => Some((number, number)),
            (Self::LogUniform { .. }, Coordinate::Number(number)) => Some((number.ln(), number.ln())),
            (Self::Uniform { step: Some(step), .. }, Coordinate::Number(number)) => {
                Some((number - step / 2.0, number + step / 2.0))
            }
            (Self::Integer { step, .. }, Coordinate::Integer(number)) => {
                let (middle, half) = (number as f64, *step as f64 / 2.0);
                Some((middle - half, middle + half))
            }
            (Self::LogInteger { .. }, Coordinate::Integer(number)) => {
                Some(((number as f64 - 0.5).ln(), (number as f64 + 0.5).ln()))
            }
            _ => None,
        }
    }

    /// Returns the axis's value that equals a number. The last bits may differ, because the number may have been written as text.
    pub fn value_of(&self, number: f64) -> Option<Coordinate> {
        let near = |value: f64, scale: f64| (value - number).abs() <= 1e-9 * scale.abs();
        match *self {
            Self::Choices(_) => None,
            Self::Uniform { low, high, step: None } => {
                let inside = round_digits(number).clamp(low, high);
                near(inside, (high - low).max(number.abs())).then_some(Coordinate::Number(inside))
            }
            Self::LogUniform { low, high } => {
                let inside = round_digits(number).clamp(low, high);
                near(inside, number).then_some(Coordinate::Number(inside))
            }
            Self::Uniform { step: Some(step), .. } => match self.nearest(number) {
                Coordinate::Number(value) => near(value, step.max(number.abs())).then_some(Coordinate::Number(value)),
                _ => None,
            },
            Self::Integer { .. } => match self.nearest(number) {
                Coordinate::Integer(value) => (value as f64 == number).then_some(Coordinate::Integer(value)),
                _ => None,
            },
            Self::LogInteger { low, high } => (number.fract() == 0.0 && (low as f64..=high as f64).contains(&number))
                .then_some(Coordinate::Integer(number as i64)),
        }
    }
}

/// Returns the number of whole steps between two bounds. A step that misses the upper bound only by rounding counts.
fn steps(low: f64, high: f64, step: f64) -> f64 {
    ((high - low) / step + 1e-9).floor()
}

/// Rounds to twelve significant digits. So 0.1 + 2·0.1 is 0.3, and a value read back from JSON is the same to the last bit.
fn round_digits(number: f64) -> f64 {
    format!("{number:.11e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Generates domains of every kind.
    pub(crate) fn domains() -> impl Strategy<Value = Domain> {
        let number = -1e3..1e3_f64;
        prop_oneof![
            (1..6_usize).prop_map(Domain::Choices),
            (number, 1e-3..1e3_f64).prop_map(|(low, width)| Domain::Uniform { low, high: low + width, step: None }),
            (-50..50_i64, 1..40_u32, 1..5_u32).prop_map(|(low, steps, tenths)| {
                let (low, step) = (low as f64 / 10.0, f64::from(tenths) / 10.0);
                Domain::Uniform { low, high: low + f64::from(steps) * step, step: Some(step) }
            }),
            (1e-6..1.0_f64, 1.5..1e3_f64).prop_map(|(low, factor)| Domain::LogUniform { low, high: low * factor }),
            (-20..20_i64, 1..30_i64, 1..4_i64).prop_map(|(low, width, step)| Domain::Integer {
                low,
                high: low + width,
                step
            }),
            (1..20_i64, 1..500_i64).prop_map(|(low, width)| Domain::LogInteger { low, high: low + width }),
        ]
    }

    proptest! {
        #[test]
        fn a_value_is_in_its_bin_and_is_found_again(domain in domains(), u in 0.0..1.0_f64) {
            let value = domain.at(u);
            if let Some((left, right)) = domain.bin(value) {
                let (low, high) = domain.interval();
                let slack = 1e-9 * (1.0 + low.abs() + high.abs());
                prop_assert!(low - slack <= left && right <= high + slack);
                prop_assert_eq!(domain.nearest((left + right) / 2.0), value);
                let position = low + u * (high - low);
                prop_assert!(left - slack <= position && position <= right + slack);
                let number = match value {
                    Coordinate::Number(n) => n,
                    Coordinate::Integer(n) => n as f64,
                    Coordinate::Choice(_) => unreachable!(),
                };
                prop_assert_eq!(domain.value_of(number), Some(value));
            }
            if let Some(count) = domain.levels() {
                let index = domain.index_of(value).expect("countable");
                prop_assert!(index < count);
                prop_assert_eq!(domain.level(index), value);
            }
        }
    }

    #[test]
    fn stepped_values_are_rounded_decimals() {
        let domain = Domain::Uniform { low: 0.1, high: 0.5, step: Some(0.1) };
        let values: Vec<Coordinate> = (0..5).map(|index| domain.level(index)).collect();
        assert_eq!(domain.levels(), Some(5));
        assert_eq!(values, [0.1, 0.2, 0.3, 0.4, 0.5].map(Coordinate::Number));
        assert_eq!(domain.at(0.999), Coordinate::Number(0.5));
        assert_eq!(domain.value_of(0.25), None);
    }

    #[test]
    fn each_whole_number_has_the_same_share() {
        let domain = Domain::Integer { low: 1, high: 9, step: 3 };
        let drawn: Vec<Coordinate> = (0..300).map(|i| domain.at(f64::from(i) / 300.0)).collect();
        assert_eq!(domain.levels(), Some(3));
        assert!([1, 4, 7].iter().all(|&n| drawn.iter().filter(|&&c| c == Coordinate::Integer(n)).count() == 100));
        let low = Domain::LogInteger { low: 1, high: 100 };
        assert!((0..100).filter(|&i| matches!(low.at(f64::from(i) / 100.0), Coordinate::Integer(1..=10))).count() > 50);
    }
}
