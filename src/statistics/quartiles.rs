//! Median and quartiles, for times: a few slow ones would move a mean.

/// Median and quartiles of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quartiles {
    /// Sample size.
    pub count: usize,
    /// First quartile.
    pub low: f64,
    /// Median.
    pub median: f64,
    /// Third quartile.
    pub high: f64,
}

/// Returns median and quartiles, linear between order statistics (type 7 of Hyndman and Fan 1996); `None` for an empty sample.
pub fn quartiles(values: &[f64]) -> Option<Quartiles> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let at = |share: f64| {
        let position = share * last as f64;
        let (low, rest) = (position.floor() as usize, position.fract());
        sorted[low] + rest * (sorted[(low + 1).min(last)] - sorted[low])
    };
    Some(Quartiles { count: sorted.len(), low: at(0.25), median: at(0.5), high: at(0.75) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_numpys() {
        let found = quartiles(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!(found, Some(Quartiles { count: 4, low: 1.75, median: 2.5, high: 3.25 }));
        assert_eq!(quartiles(&[7.0]).map(|of| (of.low, of.median, of.high)), Some((7.0, 7.0, 7.0)));
        assert_eq!(quartiles(&[]), None);
    }
}
