//! Means and standard deviations.

/// Mean and spread of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Sample size.
    pub count: usize,
    /// Mean.
    pub mean: f64,
    /// Sample standard deviation (n − 1); `None` for fewer than two values.
    pub deviation: Option<f64>,
}

/// Formats mean and deviation: "0.9885 ± 0.0007", or the mean alone if there is no deviation.
impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.4}", self.mean)?;
        self.deviation.map_or(Ok(()), |deviation| write!(f, " ± {deviation:.4}"))
    }
}

/// Returns mean and standard deviation; `None` for an empty sample.
pub fn summary(values: &[f64]) -> Option<Summary> {
    let count = values.len();
    if count == 0 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    Some(Summary { count, mean, deviation: variance(values).map(f64::sqrt) })
}

/// Returns the sample variance (n − 1); `None` for fewer than two values.
pub(crate) fn variance(values: &[f64]) -> Option<f64> {
    let count = values.len();
    let mean = values.iter().sum::<f64>() / count as f64;
    (count > 1).then(|| squares(values, mean) / (count - 1) as f64)
}

/// Returns the pooled standard deviation of several cells, each about its own mean: each mean takes one degree of freedom. `None` if no
/// cell has two values.
pub fn pooled_deviation(cells: &[Vec<f64>]) -> Option<f64> {
    let of_cell = |cell: &Vec<f64>| Some((squares(cell, summary(cell)?.mean), cell.len() - 1));
    let (squares, freedom) =
        cells.iter().filter_map(of_cell).fold((0.0, 0), |sum, of_cell| (sum.0 + of_cell.0, sum.1 + of_cell.1));
    (freedom > 0).then(|| (squares / freedom as f64).sqrt())
}

fn squares(values: &[f64], mean: f64) -> f64 {
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deviation_needs_two_values() {
        assert_eq!(summary(&[]), None);
        assert_eq!(summary(&[2.0]).and_then(|s| s.deviation), None);
        let found = Summary { count: 2, mean: 0.98849, deviation: Some(0.00071) };
        assert_eq!(found.to_string(), "0.9885 ± 0.0007");
        assert_eq!(Summary { deviation: None, ..found }.to_string(), "0.9885");
        assert_eq!(summary(&[1.0, 3.0]), Some(Summary { count: 2, mean: 2.0, deviation: Some(2.0_f64.sqrt()) }));
    }

    #[test]
    fn the_mean_of_each_cell_takes_a_degree_of_freedom() {
        // Squares 2 + 2 + 0 over (2 − 1) + (3 − 1): not over 6 − 1.
        let cells = [vec![0.0, 2.0], vec![9.0, 10.0, 11.0], vec![7.0]];
        assert_eq!(pooled_deviation(&cells), Some((4.0_f64 / 3.0).sqrt()));
        assert_eq!(pooled_deviation(&cells[2..]), None);
        assert_eq!(pooled_deviation(&[]), None);
    }
}
