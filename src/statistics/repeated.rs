//! Analysis of variance with repeated measures: whether the columns of a table differ, if each row is a block.

use statrs::distribution::{ContinuousCDF, FisherSnedecor};

/// Smallest number of rows.
const MIN_ROWS: usize = 5;

/// The test of a table.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Repeated {
    /// F statistic: mean square of the columns over that of the rest.
    pub f: f64,
    /// Greenhouse and Geisser's ε (1959), by which both degrees of freedom are multiplied: columns need not be equally correlated.
    pub epsilon: f64,
    /// p-value of "all columns have the same mean".
    pub p: f64,
}

/// Tests a table of rows with equally many values. Returns `None` for fewer than five rows or two columns, or if nothing is left to compare
/// the columns with.
pub fn repeated(rows: &[Vec<f64>]) -> Option<Repeated> {
    let columns = rows.first()?.len();
    if rows.len() < MIN_ROWS || columns < 2 || rows.iter().any(|row| row.len() != columns) {
        return None;
    }
    let (n, k) = (rows.len() as f64, columns as f64);
    let column_means: Vec<f64> = (0..columns).map(|c| rows.iter().map(|row| row[c]).sum::<f64>() / n).collect();
    let mean = column_means.iter().sum::<f64>() / k;
    let between = n * column_means.iter().map(|of| (of - mean).powi(2)).sum::<f64>();
    // What neither the row nor the column explains.
    let residual = |row: &Vec<f64>, c: usize| row[c] - row.iter().sum::<f64>() / k - column_means[c] + mean;
    let residuals: Vec<Vec<f64>> = rows.iter().map(|row| (0..columns).map(|c| residual(row, c)).collect()).collect();
    let within: f64 = residuals.iter().flatten().map(|rest| rest * rest).sum();
    let f = between / (k - 1.0) / (within / ((n - 1.0) * (k - 1.0)));
    // Residuals are double-centred, so their products are the double-centred covariances, times n − 1.
    let covariance = |one: usize, other: usize| residuals.iter().map(|row| row[one] * row[other]).sum::<f64>();
    let trace: f64 = (0..columns).map(|c| covariance(c, c)).sum();
    let squares: f64 = (0..columns)
        .flat_map(|one| (0..columns).map(move |other| (one, other)))
        .map(|(a, b)| covariance(a, b).powi(2))
        .sum();
    let epsilon = (trace * trace / ((k - 1.0) * squares)).min(1.0);
    let freedom = ((k - 1.0) * epsilon, (k - 1.0) * (n - 1.0) * epsilon);
    let p = FisherSnedecor::new(freedom.0, freedom.1).ok()?.sf(f);
    (f.is_finite() && p.is_finite()).then_some(Repeated { f, epsilon, p })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f_epsilon_and_p_are_those_of_the_reference() {
        // pingouin.rm_anova(…, correction=True): F = 129.733242, eps = 0.714148, p_GG_corr = 4.165189e-6
        let rows = [
            [0.010, 0.020, -0.005],
            [0.012, 0.030, 0.001],
            [0.008, 0.018, -0.010],
            [0.015, 0.025, 0.002],
            [0.009, 0.029, -0.004],
            [0.011, 0.020, -0.001],
        ]
        .map(Vec::from);
        let test = repeated(&rows).expect("six rows");
        assert!((test.f - 129.733_242_134).abs() < 1e-6 && (test.epsilon - 0.714_147_677_9).abs() < 1e-9, "{test:?}");
        assert!((test.p / 4.165_188_632e-6 - 1.0).abs() < 1e-6, "{test:?}");
        // The same difference in every row says nothing about each column's spread.
        assert_eq!(repeated(&rows[..4]), None);
        assert_eq!(repeated(&[vec![1.0, 2.0], vec![1.0, 2.0], vec![1.0, 2.0], vec![1.0, 2.0], vec![1.0, 2.0]]), None);
        assert_eq!(repeated(&[vec![1.0], vec![2.0], vec![3.0], vec![4.0], vec![6.0]]), None);
    }
}
