//! A linear or logarithmic axis with round numbers at its ticks. The labels of an axis are all different.

/// An axis from `low` to `high`.
#[derive(Debug, Clone)]
pub(in crate::report) struct Axis {
    logarithmic: bool,
    low: f64,
    high: f64,
    /// Values with their labels.
    pub ticks: Vec<(f64, String)>,
}

/// Number of powers of ten that make an axis of positive values logarithmic.
const DECADES: f64 = 2.0;

impl Axis {
    /// Returns a linear axis with at most `most` ticks.
    pub(in crate::report) fn linear(low: f64, high: f64, most: usize) -> Self {
        let step = step(low, high, most, f64::MIN_POSITIVE);
        Self { logarithmic: false, low, high, ticks: labelled(low, high, step) }
    }

    /// Returns a linear axis with ticks at whole numbers only.
    pub(in crate::report) fn whole(low: f64, high: f64, most: usize) -> Self {
        let step = step(low, high, most, 1.0);
        Self { logarithmic: false, low, high, ticks: labelled(low, high, step) }
    }

    /// Returns a logarithmic axis of positive values.
    pub(in crate::report) fn logarithmic(low: f64, high: f64, most: usize) -> Self {
        Self { logarithmic: true, ticks: decades(low, high, most), low, high }
    }

    /// Returns an axis around finite values with at most `most` ticks: logarithmic if the values are positive and span decades; `None`
    /// without values.
    pub(in crate::report) fn around(values: impl Iterator<Item = f64>, most: usize) -> Option<Self> {
        const MARGIN: f64 = 0.05;
        let finite = values.filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), value| (l.min(value), h.max(value)));
        if low > high {
            return None;
        }
        if spans_decades(low, high) {
            let margin = (high / low).powf(MARGIN);
            return Some(Self::logarithmic(low / margin, high * margin, most));
        }
        let margin = if high > low { MARGIN * (high - low) } else { 0.1 * high.abs().max(1e-3) };
        Some(Self::linear(low - margin, high + margin, most))
    }

    /// Returns a linear axis with given ticks.
    pub(in crate::report) fn with_ticks(low: f64, high: f64, ticks: Vec<(f64, String)>) -> Self {
        Self { logarithmic: false, low, high, ticks }
    }

    /// Returns the same axis with ticks at given values.
    pub(in crate::report) fn at(self, ticks: Vec<(f64, String)>) -> Self {
        Self { ticks, ..self }
    }

    /// Puts a sign before the numbers of a difference.
    pub(in crate::report) fn signed(mut self) -> Self {
        for (value, label) in &mut self.ticks {
            if *value > 0.0 {
                label.insert(0, '+');
            }
        }
        self
    }

    /// Returns where a value lies: 0 at the lower end, 1 at the upper end.
    pub(in crate::report) fn part(&self, value: f64) -> f64 {
        if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }

    /// Returns the value at a share of the axis.
    pub(in crate::report) fn value(&self, part: f64) -> f64 {
        if self.logarithmic {
            self.low * (self.high / self.low).powf(part)
        } else {
            self.low + part * (self.high - self.low)
        }
    }
}

/// Returns whether positive values span so much that a linear axis would hide the small ones.
pub(in crate::report) fn spans_decades(low: f64, high: f64) -> bool {
    low > 0.0 && (high / low).log10() > DECADES
}

/// Returns the finest step of 1, 2 and 5 times a power of ten, at least `finest`, that has at most `most` multiples (three at least) from
/// `low` to `high`.
fn step(low: f64, high: f64, most: usize, finest: f64) -> f64 {
    let decade = (high - low).log10().floor() as i32 - 2;
    let mut steps = (decade..).flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * power(decade)));
    let multiples = |step: f64| ((high / step).floor() - (low / step).ceil() + 1.0).max(0.0) as usize;
    let few = |step: &f64| *step >= finest && multiples(*step) <= most.max(3);
    let found = steps.find(few).unwrap_or(high - low);
    // A step of 4 instead of 5 keeps two numbers on an axis that has only one multiple of 5.
    let fours = (decade..).map(|decade| 4.0 * power(decade)).take_while(|step| *step < found);
    let two = |step: &f64| few(step) && multiples(*step) >= 2;
    if multiples(found) >= 2 { found } else { fours.filter(two).last().unwrap_or(found) }
}

/// Returns a power of ten. Negative powers are quotients, because these are the nearest numbers to the decimals.
fn power(exponent: i32) -> f64 {
    if exponent < 0 { 1.0 / 10_f64.powi(-exponent) } else { 10_f64.powi(exponent) }
}

fn labelled(low: f64, high: f64, step: f64) -> Vec<(f64, String)> {
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    let largest = low.abs().max(high.abs());
    (first..=last).map(|index| index as f64 * step).map(|value| (value, label(value, step, largest))).collect()
}

/// Formats a multiple of a step with as many decimals as the step has, so that neighbours differ.
fn label(value: f64, step: f64, largest: f64) -> String {
    // Thousands keep their digits: 1500 is shorter than 1.5 k among epochs or trials.
    let units = [(1e9, 1e9, " G"), (1e6, 1e6, " M"), (1e4, 1e3, " k")];
    let found = units.into_iter().find(|(from, ..)| largest >= *from);
    let (unit, suffix) = found.map_or((1.0, ""), |(_, unit, suffix)| (unit, suffix));
    let decimals = (-((step / unit).log10() + 1e-9).floor()).max(0.0) as usize;
    let text = if decimals > 6 {
        let digits = (largest.log10().floor() - step.log10().floor()).max(0.0) as usize;
        format!("{value:.digits$e}")
    } else {
        format!("{:.decimals$}{suffix}", value / unit)
    };
    text.replace('-', "−")
}

/// Returns the ticks of a logarithmic axis: 1, 2 and 5 of each decade, whole decades, or round numbers if these are fewer than three.
fn decades(low: f64, high: f64, most: usize) -> Vec<(f64, String)> {
    let exponents = || low.log10().floor() as i32..=high.log10().ceil() as i32;
    let inside = |value: &f64| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(value);
    let of = |digits: &[f64], every: i32| -> Vec<f64> {
        let decades = exponents().filter(|exponent| exponent.rem_euclid(every) == 0);
        decades.flat_map(|decade| digits.iter().map(move |digit| digit * power(decade))).filter(inside).collect()
    };
    let choices =
        [of(&[1.0, 2.0, 5.0], 1), of(&[1.0, 3.0], 1)].into_iter().chain((1..64).map(|every| of(&[1.0], every)));
    let ticks = choices.into_iter().find(|ticks| ticks.len() <= most).unwrap_or_default();
    if ticks.len() < 3 && high / low < 100.0 {
        return labelled(low, high, step(low, high, most, f64::MIN_POSITIVE));
    }
    ticks.into_iter().map(|value| (value, short(value))).collect()
}

/// Formats a number with one digit.
fn short(value: f64) -> String {
    let exponent = (value.log10() + 1e-9).floor() as i32;
    match exponent {
        -4..=-1 => format!("{value:.*}", exponent.unsigned_abs() as usize),
        0..=3 => format!("{value:.0}"),
        4..=11 => label(value, power(exponent), value),
        _ => format!("{value:.0e}").replace('-', "−"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn numbers_at_ticks_are_round_and_have_enough_digits() {
        assert_eq!(labels(&Axis::linear(0.0, 1.0, 6)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&Axis::linear(-0.0042, 0.004, 3)), ["−0.004", "0.000", "0.004"]);
        assert_eq!(labels(&Axis::linear(0.38, 0.52, 4)), ["0.40", "0.45", "0.50"]);
        assert_eq!(labels(&Axis::linear(17e6, 23e6, 4)), ["18 M", "20 M", "22 M"]);
        assert_eq!(labels(&Axis::linear(0.9e6, 3.1e6, 4)), ["1 M", "2 M", "3 M"]);
        assert_eq!(labels(&Axis::linear(-0.1, 0.1, 3).signed()), ["−0.1", "0.0", "+0.1"]);
        assert_eq!(labels(&Axis::whole(1.0, 3.0, 8)), ["1", "2", "3"]);
        assert_eq!(labels(&Axis::whole(0.5, 30.5, 5)), ["10", "20", "30"]);
        assert_eq!(labels(&Axis::logarithmic(0.09, 6.0, 8)), ["0.1", "0.2", "0.5", "1", "2", "5"]);
        assert_eq!(labels(&Axis::logarithmic(1e-5, 1e-2, 4)), ["1e−5", "0.0001", "0.001", "0.01"]);
        assert_eq!(labels(&Axis::logarithmic(0.62, 0.97, 8)), ["0.65", "0.70", "0.75", "0.80", "0.85", "0.90", "0.95"]);
    }

    #[test]
    fn equal_steps_have_equal_distances() {
        let axis = Axis::logarithmic(0.01, 1.0, 5);
        assert!((axis.part(0.1) - 0.5).abs() < 1e-12 && axis.part(0.01).abs() < 1e-12);
        assert!((Axis::linear(2.0, 4.0, 5).part(2.5) - 0.25).abs() < 1e-12);
        assert!(spans_decades(0.001, 0.2) && !spans_decades(0.01, 0.5) && !spans_decades(-1.0, 5.0));
    }

    proptest! {
        #[test]
        fn labels_of_an_axis_are_all_different(low in -1e3..1e6_f64, exponent in -7.0..7.0_f64, most in 2..12_usize) {
            let high = low + 10_f64.powf(exponent);
            let mut axes = vec![Axis::linear(low, high, most), Axis::linear(low, high, most).signed()];
            if exponent > 0.5 {
                axes.push(Axis::whole(low, high, most));
            }
            let positive = low.abs() + 1e-6;
            axes.push(Axis::logarithmic(positive, positive * (1.0 + 10_f64.powf(exponent)), most));
            for axis in axes {
                let distinct: BTreeSet<&str> = labels(&axis).into_iter().collect();
                prop_assert_eq!(distinct.len(), axis.ticks.len(), "{:?}", axis);
                prop_assert!(axis.ticks.len() <= most.max(3), "{:?}", axis);
            }
        }

        #[test]
        fn whole_axes_have_whole_numbers(low in 0..50_i32, width in 1..500_i32, most in 2..12_usize) {
            let axis = Axis::whole(f64::from(low) - 0.5, f64::from(low + width) + 0.5, most);
            prop_assert!(axis.ticks.iter().all(|(value, _)| value.fract() == 0.0), "{:?}", axis);
        }

        #[test]
        fn a_linear_axis_has_at_least_two_numbers(low in -2.0..2.0_f64, width in 1e-4..10.0_f64) {
            for most in 2..6 {
                prop_assert!(Axis::linear(low, low + width, most).ticks.len() >= 2);
            }
        }
    }
}
