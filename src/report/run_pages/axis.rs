//! An axis that is linear, or logarithmic if its values are positive and span more than a decade.

use crate::text::round_to_digits;

/// Ratio of the highest to the lowest value above which an axis is logarithmic.
const WIDE: f64 = 10.0;

/// An axis; places are its coordinates as drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::report) struct Axis {
    logarithmic: bool,
    /// Ends in drawn coordinates, with a margin.
    pub ends: (f64, f64),
}

impl Axis {
    /// Returns an axis with room for these values; `None` if there are no finite values.
    pub(in crate::report) fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let finite = values.filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), value| (l.min(value), h.max(value)));
        if low > high {
            return None;
        }
        let axis = Self { logarithmic: low > 0.0 && high / low > WIDE, ends: (0.0, 0.0) };
        let (low, high) = (axis.place(low), axis.place(high));
        let margin = if high > low { 0.04 * (high - low) } else { 0.1 * high.abs().max(1e-3) };
        Some(Self { ends: (low - margin, high + margin), ..axis })
    }

    /// Returns where a value is drawn.
    pub(in crate::report) fn place(self, value: f64) -> f64 {
        if self.logarithmic { value.log10() } else { value }
    }

    /// Returns the number at a place, as the axis shows it.
    pub(in crate::report) fn text(self, place: f64) -> String {
        if self.logarithmic {
            let value = round_to_digits(10_f64.powf(place), 2);
            return if value < 1e-4 { format!("{value:e}") } else { format!("{value}") };
        }
        let (low, high) = self.ends;
        let digits = (1.0 - (high - low).log10()).ceil().clamp(0.0, 6.0) as usize;
        format!("{place:.digits$}")
    }
}

#[cfg(test)]
mod tests {
    use super::Axis;

    #[test]
    fn a_wide_axis_of_positive_values_is_logarithmic() {
        let wide = Axis::of([0.01, 1.0].into_iter()).expect("values");
        assert!((wide.place(0.1) + 1.0).abs() < 1e-12);
        assert_eq!([wide.text(-2.0), wide.text(-0.5)], ["0.01", "0.32"]);
        let narrow = Axis::of([0.5, 1.0, f64::NAN].into_iter()).expect("values");
        assert_eq!((narrow.place(0.75), narrow.text(0.75)), (0.75, "0.75".to_owned()));
        assert!(Axis::of([2.0].into_iter()).expect("a value").ends.0 < 2.0);
        assert_eq!(Axis::of([f64::NAN].into_iter()), None);
    }
}
