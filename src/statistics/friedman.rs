//! Friedman's rank test of several variants over several categories (1937; as F test by Iman and Davenport 1980), and Nemenyi's
//! critical difference (1963; Demšar 2006).

use statrs::distribution::{Continuous, ContinuousCDF, FisherSnedecor, Normal};

use super::ranks::ranks;
use super::simpson::integral;

/// Smallest number of categories for rank tests (Demšar 2006 advises more than 10 for the approximation; 6 is the minimum).
const MIN_CATEGORIES: usize = 6;

/// Ranks of variants over categories.
#[derive(Debug, Clone, PartialEq)]
pub struct Friedman {
    /// Mean rank of each variant; 1 = highest values.
    pub mean_ranks: Vec<f64>,
    /// p-value of "no variant differs".
    pub p: f64,
    /// Difference of mean ranks at which two variants differ (5 %), provided that some variants differ at all.
    pub critical_difference: f64,
}

/// Ranks `values[category][variant]`. `None` for fewer than three variants or six categories, or if nothing differs.
pub fn friedman(values: &[Vec<f64>]) -> Option<Friedman> {
    let variants = values.first()?.len();
    let (n, k) = (values.len() as f64, variants as f64);
    if variants < 3 || values.len() < MIN_CATEGORIES {
        return None;
    }
    let ranked: Vec<Vec<f64>> =
        values.iter().map(|row| ranks(&row.iter().map(|value| -value).collect::<Vec<_>>())).collect();
    let mean_ranks: Vec<f64> =
        (0..variants).map(|variant| ranked.iter().map(|row| row[variant]).sum::<f64>() / n).collect();
    // With the correction for ties, as in scipy.stats.friedmanchisquare.
    let middle = (k + 1.0) / 2.0;
    let between = n * n * mean_ranks.iter().map(|rank| (rank - middle).powi(2)).sum::<f64>();
    let within: f64 = ranked.iter().flatten().map(|rank| (rank - middle).powi(2)).sum::<f64>() / (k - 1.0);
    if within <= 0.0 {
        return None;
    }
    let p = f_test(between / within, n, k)?.max(probability_of_agreement(&ranked));
    let critical_difference = range_quantile(variants) / 2.0_f64.sqrt() * (k * (k + 1.0) / (6.0 * n)).sqrt();
    Some(Friedman { mean_ranks, p, critical_difference })
}

/// Returns the probability that all categories rank alike, which is the least likely result. Each category has as many orders as its
/// ties allow, and the first may have any.
fn probability_of_agreement(ranked: &[Vec<f64>]) -> f64 {
    let orders = |row: &Vec<f64>| {
        let mut sorted = row.clone();
        sorted.sort_by(f64::total_cmp);
        let ties: f64 = sorted.chunk_by(|a, b| a == b).map(|tied| factorial(tied.len())).product();
        factorial(row.len()) / ties
    };
    ranked.iter().skip(1).map(|row| 1.0 / orders(row)).product()
}

fn factorial(number: usize) -> f64 {
    (1..=number).map(|factor| factor as f64).product()
}

/// Returns the p-value of Friedman's χ² as an F test; χ² alone is too conservative (Iman and Davenport 1980; Demšar 2006, §3.2.2).
fn f_test(chi_squared: f64, n: f64, k: f64) -> Option<f64> {
    let left = n * (k - 1.0) - chi_squared;
    if left <= 1e-9 * n {
        // All categories agree.
        return Some(0.0);
    }
    let f = (n - 1.0) * chi_squared / left;
    Some(FisherSnedecor::new(k - 1.0, (k - 1.0) * (n - 1.0)).ok()?.sf(f))
}

/// Returns the 0.95 quantile of the range of `count` standard normal values (studentised range with infinite degrees of freedom).
fn range_quantile(count: usize) -> f64 {
    let (mut low, mut high) = (0.0, 20.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if range_probability(count, middle) < 0.95 { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// Returns P(range ≤ q) = k ∫ φ(z) [Φ(z) − Φ(z − q)]^(k − 1) dz.
fn range_probability(count: usize, q: f64) -> f64 {
    let normal = Normal::standard();
    let value = |z: f64| normal.pdf(z) * (normal.cdf(z) - normal.cdf(z - q)).powi(count as i32 - 1);
    count as f64 * integral(-9.0, 9.0, 1200, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_p_value_agree_with_scipy() {
        // scipy.stats.friedmanchisquare of the three columns gives χ² = 7; F = 5 · 7 / (12 − 7) = 7, scipy.stats.f.sf(7, 2, 10)
        let values = [
            [0.9, 0.8, 0.7],
            [0.91, 0.85, 0.86],
            [0.95, 0.9, 0.8],
            [0.8, 0.81, 0.7],
            [0.99, 0.9, 0.95],
            [0.7, 0.65, 0.6],
        ];
        let values: Vec<Vec<f64>> = values.iter().map(|row| row.to_vec()).collect();
        let test = friedman(&values).expect("six categories");
        assert!((test.p - 0.012_558_674_125_514_4).abs() < 1e-9, "{}", test.p);
        assert!((test.mean_ranks[0] - 7.0 / 6.0).abs() < 1e-12);
        // All six categories have the same order, one of 3! = 6: 6⁻⁵.
        let agreed = friedman(&vec![vec![0.3, 0.2, 0.1]; 6]).expect("six categories");
        assert!((agreed.p - 6.0_f64.powi(-5)).abs() < 1e-12, "{}", agreed.p);
        // Two variants tie in each category: three orders are possible.
        let tied = friedman(&vec![vec![0.3, 0.1, 0.1]; 6]).expect("six categories");
        assert!((tied.p - 3.0_f64.powi(-5)).abs() < 1e-12, "{}", tied.p);
        // A swap cannot be less likely than full agreement.
        let mut swapped = vec![vec![0.3, 0.2, 0.1]; 6];
        swapped[0] = vec![0.3, 0.1, 0.2];
        assert!(friedman(&swapped).expect("six categories").p >= agreed.p);
        assert_eq!(friedman(&values[..5]), None);
        assert_eq!(friedman(&vec![vec![1.0; 3]; 6]), None);
    }

    #[test]
    fn critical_ranges_agree_with_scipy() {
        // scipy.stats.studentized_range.ppf(0.95, k, inf) / √2
        for (count, expected) in
            [(2, 1.959_963_984_540_053), (3, 2.343_700_586), (5, 2.727_774_371), (10, 3.163_683_577)]
        {
            let ours = range_quantile(count) / 2.0_f64.sqrt();
            assert!((ours - expected).abs() < 1e-6, "{count}: {ours}");
        }
    }
}
