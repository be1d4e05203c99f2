//! The line on which an axis is searched: logarithms, steps and whole numbers as bins of an interval.
//!
//! A quantised value is the middle of a bin, so that every value has the same share of the line (of its logarithm with a
//! logarithmic axis) and a density can be integrated over it, as in Optuna's discrete truncated normal distributions.

use super::axis::{Coordinate, Domain};

impl Domain {
    /// How many values there are; none for a continuum.
    pub fn levels(&self) -> Option<u64> {
        match *self {
            Self::Choices(count) => Some(count as u64),
            Self::Uniform { step: None, .. } | Self::LogUniform { .. } => None,
            Self::Uniform { low, high, step: Some(step) } => Some(steps(low, high, step) as u64 + 1),
            Self::Integer { low, high, step } => Some(high.abs_diff(low) / step.unsigned_abs() + 1),
            Self::LogInteger { low, high } => Some(high.abs_diff(low) + 1),
        }
    }

    /// A value by its number, from the lowest; a continuum has its lower bound only.
    pub fn level(&self, index: u64) -> Coordinate {
        match *self {
            Self::Choices(_) => Coordinate::Choice(index as usize),
            Self::Uniform { low, step, .. } => Coordinate::Number(tidy(low + index as f64 * step.unwrap_or(0.0))),
            Self::LogUniform { low, .. } => Coordinate::Number(low),
            Self::Integer { low, step, .. } => Coordinate::Whole(low + index as i64 * step),
            Self::LogInteger { low, .. } => Coordinate::Whole(low + index as i64),
        }
    }

    /// The number of a value, from the lowest; none in a continuum.
    pub(crate) fn index_of(&self, value: Coordinate) -> Option<u64> {
        match (self, value) {
            (Self::Choices(_), Coordinate::Choice(index)) => Some(index as u64),
            (Self::Uniform { low, step: Some(step), .. }, Coordinate::Number(number)) => {
                Some(((number - low) / step).round() as u64)
            }
            (Self::Integer { low, step, .. }, Coordinate::Whole(number)) => {
                Some(number.abs_diff(*low) / step.unsigned_abs())
            }
            (Self::LogInteger { low, .. }, Coordinate::Whole(number)) => Some(number.abs_diff(*low)),
            _ => None,
        }
    }

    /// The value at a share `u` of the axis, 0 ≤ u < 1.
    pub(crate) fn at(&self, u: f64) -> Coordinate {
        match *self {
            Self::Choices(count) => Coordinate::Choice(((u * count as f64) as usize).min(count - 1)),
            _ => {
                let (low, high) = self.interval();
                self.nearest(low + u * (high - low))
            }
        }
    }

    /// The ends of a numeric axis's line, outer halves of bins included.
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

    /// The value of a place on the line.
    pub(crate) fn nearest(&self, place: f64) -> Coordinate {
        let last = self.levels().unwrap_or(1) - 1;
        match *self {
            Self::Choices(_) => self.level((place.max(0.0) as u64).min(last)),
            Self::Uniform { low, high, step: None } => Coordinate::Number(tidy(place).clamp(low, high)),
            Self::LogUniform { low, high } => Coordinate::Number(tidy(place.exp()).clamp(low, high)),
            Self::Uniform { low, step: Some(step), .. } => {
                self.level((((place - low) / step).round().max(0.0) as u64).min(last))
            }
            Self::Integer { low, step, .. } => {
                self.level((((place - low as f64) / step as f64).round().max(0.0) as u64).min(last))
            }
            Self::LogInteger { low, .. } => self.level(((place.exp() - low as f64).round().max(0.0) as u64).min(last)),
        }
    }

    /// The bin of a value on the line: two ends, equal where the axis is a continuum. Choices have no line: none.
    pub(crate) fn bin(&self, value: Coordinate) -> Option<(f64, f64)> {
        match (self, value) {
            (Self::Uniform { step: None, .. }, Coordinate::Number(number)) => Some((number, number)),
            (Self::LogUniform { .. }, Coordinate::Number(number)) => Some((number.ln(), number.ln())),
            (Self::Uniform { step: Some(step), .. }, Coordinate::Number(number)) => {
                Some((number - step / 2.0, number + step / 2.0))
            }
            (Self::Integer { step, .. }, Coordinate::Whole(number)) => {
                let (middle, half) = (number as f64, *step as f64 / 2.0);
                Some((middle - half, middle + half))
            }
            (Self::LogInteger { .. }, Coordinate::Whole(number)) => {
                Some(((number as f64 - 0.5).ln(), (number as f64 + 0.5).ln()))
            }
            _ => None,
        }
    }

    /// The value that a number stands for, if the axis has it; the last bits of a number that was written down are forgiven.
    pub fn value_of(&self, number: f64) -> Option<Coordinate> {
        let near = |value: f64, scale: f64| (value - number).abs() <= 1e-9 * scale.abs();
        match *self {
            Self::Choices(_) => None,
            Self::Uniform { low, high, step: None } => {
                let inside = tidy(number).clamp(low, high);
                near(inside, (high - low).max(number.abs())).then_some(Coordinate::Number(inside))
            }
            Self::LogUniform { low, high } => {
                let inside = tidy(number).clamp(low, high);
                near(inside, number).then_some(Coordinate::Number(inside))
            }
            Self::Uniform { step: Some(step), .. } => match self.nearest(number) {
                Coordinate::Number(value) => near(value, step.max(number.abs())).then_some(Coordinate::Number(value)),
                _ => None,
            },
            Self::Integer { .. } => match self.nearest(number) {
                Coordinate::Whole(value) => (value as f64 == number).then_some(Coordinate::Whole(value)),
                _ => None,
            },
            Self::LogInteger { low, high } => (number.fract() == 0.0 && (low as f64..=high as f64).contains(&number))
                .then_some(Coordinate::Whole(number as i64)),
        }
    }
}

/// Whole steps between two bounds; a step that misses the upper one by rounding only reaches it.
fn steps(low: f64, high: f64, step: f64) -> f64 {
    ((high - low) / step + 1e-9).floor()
}

/// Twelve significant digits: 0.1 + 2·0.1 is 0.3, and a value read back from JSON is the same to the last bit.
fn tidy(number: f64) -> f64 {
    format!("{number:.11e}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Domains of every kind.
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
        fn a_value_lies_in_its_bin_and_is_known_again(domain in domains(), u in 0.0..1.0_f64) {
            let value = domain.at(u);
            if let Some((left, right)) = domain.bin(value) {
                let (low, high) = domain.interval();
                let slack = 1e-9 * (1.0 + low.abs() + high.abs());
                prop_assert!(low - slack <= left && right <= high + slack);
                prop_assert_eq!(domain.nearest((left + right) / 2.0), value);
                let place = low + u * (high - low);
                prop_assert!(left - slack <= place && place <= right + slack);
                let number = match value { Coordinate::Number(n) => n, Coordinate::Whole(n) => n as f64, Coordinate::Choice(_) => unreachable!() };
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
    fn steps_are_written_as_people_write_them() {
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
        assert!([1, 4, 7].iter().all(|&n| drawn.iter().filter(|&&c| c == Coordinate::Whole(n)).count() == 100));
        let low = Domain::LogInteger { low: 1, high: 100 };
        assert!((0..100).filter(|&i| matches!(low.at(f64::from(i) / 100.0), Coordinate::Whole(1..=10))).count() > 50);
    }
}
