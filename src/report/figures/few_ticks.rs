//! An axis that has room for only a few numbers, and shows at least two wherever the round values are.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;

/// A linear axis with a maximum number of ticks.
pub(super) struct FewTicks {
    axis: RangedCoordf64,
    ticks: Vec<f64>,
}

impl FewTicks {
    pub(super) fn new(low: f64, high: f64, max_ticks: usize) -> Self {
        Self { axis: (low..high).into(), ticks: ticks(low, high, max_ticks) }
    }
}

impl Ranged for FewTicks {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.axis.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.axis.range()
    }
}

/// Returns the multiples of a step from `low` to `high`. The step is the finest of 1, 2, 4 and 5 times a power of ten with at most
/// `max_ticks` multiples.
fn ticks(low: f64, high: f64, max_ticks: usize) -> Vec<f64> {
    let decade = (high - low).log10().floor() as i32 - 1;
    let steps = (decade..).flat_map(|decade| [1.0, 2.0, 4.0, 5.0].map(|digit| digit * 10_f64.powi(decade)));
    let multiples = |step: f64| -> Vec<f64> {
        let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
        (first..=last).map(|index| index as f64 * step).collect()
    };
    steps.map(multiples).find(|ticks| ticks.len() <= max_ticks).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::ticks;

    #[test]
    fn a_narrow_axis_has_at_least_two_numbers() {
        let shown = |low, high| ticks(low, high, 3).iter().map(|v| format!("{v:.4}")).collect::<Vec<_>>();
        assert_eq!(shown(-0.0042, 0.004), ["-0.0040", "0.0000", "0.0040"]);
        assert_eq!(shown(0.981, 0.9904), ["0.9840", "0.9880"]);
        assert_eq!(shown(0.0, 1.0), ["0.0000", "0.4000", "0.8000"]);
        for width in 1..400 {
            let ticks = ticks(0.9, 0.9 + 1e-4 * f64::from(width), 3).len();
            assert!((2..=3).contains(&ticks), "{width}: {ticks}");
        }
    }
}
