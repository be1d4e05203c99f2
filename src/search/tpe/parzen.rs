//! A mixture of kernels over the axes that are active together: one kernel per observation and a wide one for the prior.

use rand::Rng;

use super::normal::TruncatedNormal;
use crate::config::{Axis, Coordinate, Domain};
use crate::search::random::unit;

/// Density estimate of a set of observations.
pub(super) struct Parzen<'a> {
    axes: Vec<&'a Axis>,
    /// One column of kernels per axis; the last kernel of each column is the prior.
    columns: Vec<Vec<Kernel>>,
    /// Weights of the kernels; their sum is 1.
    weights: Vec<f64>,
}

/// One kernel on one axis.
enum Kernel {
    /// Probability of every choice.
    Choices(Vec<f64>),
    /// Density of a number, on the axis's scale.
    Number(TruncatedNormal),
}

impl<'a> Parzen<'a> {
    /// Fits the estimator to rows of coordinates with a weight for each; the prior has weight 1.
    pub(super) fn fit(axes: Vec<&'a Axis>, rows: &[Vec<Coordinate>], weights: &[f64]) -> Self {
        let columns = axes.iter().enumerate().map(|(index, axis)| column(axis, index, rows)).collect();
        let total: f64 = weights.iter().sum::<f64>() + 1.0;
        let weights = weights.iter().chain([&1.0]).map(|weight| weight / total).collect();
        Self { axes, columns, weights }
    }

    /// Draws coordinates.
    pub(super) fn sample(&self, random: &mut impl Rng) -> Vec<Coordinate> {
        let kernel = pick(&self.weights, unit(random));
        self.axes
            .iter()
            .zip(&self.columns)
            .map(|(axis, column)| match &column[kernel] {
                Kernel::Choices(shares) => Coordinate::Choice(pick(shares, unit(random))),
                Kernel::Number(normal) => axis.domain.nearest(normal.quantile(unit(random))),
            })
            .collect()
    }

    /// Returns the logarithm of the density, or of the mass where an axis is countable.
    pub(super) fn log_density(&self, row: &[Coordinate]) -> f64 {
        let bins: Vec<Option<(f64, f64)>> =
            self.axes.iter().zip(row).map(|(axis, &value)| axis.domain.bin(value)).collect();
        let log_mass = |kernel: &Kernel, value: &Coordinate, bin: &Option<(f64, f64)>| match (kernel, value, bin) {
            (Kernel::Choices(shares), Coordinate::Choice(choice), _) => shares[*choice].ln(),
            (Kernel::Number(normal), _, Some(bin)) => normal.log_mass(*bin),
            _ => 0.0,
        };
        let of_kernel = |(kernel, weight): (usize, &f64)| {
            let axes = self.columns.iter().zip(row.iter().zip(&bins));
            weight.ln() + axes.map(|(column, (value, bin))| log_mass(&column[kernel], value, bin)).sum::<f64>()
        };
        let parts: Vec<f64> = self.weights.iter().enumerate().map(of_kernel).collect();
        let largest = parts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        largest + parts.iter().map(|part| (part - largest).exp()).sum::<f64>().ln()
    }
}

/// Returns the kernels of one axis. The prior smooths the probabilities of choices; numbers get Gaussians, and the prior's is as
/// wide as the axis.
fn column(axis: &Axis, index: usize, rows: &[Vec<Coordinate>]) -> Vec<Kernel> {
    let kernels = rows.len() as f64 + 1.0;
    if let Domain::Choices(count) = axis.domain {
        let prior = 1.0 / kernels;
        let total = 1.0 + prior * count as f64;
        let votes = rows.iter().map(|row| {
            let share = |choice| f64::from(u8::from(row[index] == Coordinate::Choice(choice)));
            Kernel::Choices((0..count).map(|choice| (share(choice) + prior) / total).collect())
        });
        return votes.chain([Kernel::Choices(vec![1.0 / count as f64; count])]).collect();
    }
    let (low, high) = axis.domain.interval();
    let centre = (low + high) / 2.0;
    let middle =
        |row: &Vec<Coordinate>| axis.domain.bin(row[index]).map_or(centre, |(left, right)| (left + right) / 2.0);
    let middles: Vec<f64> = rows.iter().map(middle).collect();
    let normals = deviations(&middles, low, high).into_iter().zip(&middles);
    normals
        .map(|(deviation, &middle)| TruncatedNormal::new(middle, deviation, low, high))
        .chain([TruncatedNormal::new(centre, high - low, low, high)])
        .map(Kernel::Number)
        .collect()
}

/// Returns the widths of the kernels at some values of an axis: the larger distance to a neighbour (Bergstra et al. 2011, § 4.1), so
/// that kernels narrow where observations are dense. The ends of the axis are neighbours only of a single value. The smallest
/// width is that of the axis over min(100, n + 2): a few close values then do not hide the rest ("magic clip").
fn deviations(middles: &[f64], low: f64, high: f64) -> Vec<f64> {
    let narrowest = (high - low) / (middles.len() as f64 + 2.0).min(100.0);
    let mut order: Vec<usize> = (0..middles.len()).collect();
    order.sort_by(|&a, &b| middles[a].total_cmp(&middles[b]));
    let mut widths = vec![0.0; middles.len()];
    for (rank, &index) in order.iter().enumerate() {
        let gap = |neighbour: Option<&usize>| neighbour.map(|&other| (middles[other] - middles[index]).abs());
        let (before, after) = (rank.checked_sub(1).and_then(|rank| gap(order.get(rank))), gap(order.get(rank + 1)));
        let widest = match (before, after) {
            (None, None) => (middles[index] - low).max(high - middles[index]),
            (before, after) => before.unwrap_or(0.0).max(after.unwrap_or(0.0)),
        };
        widths[index] = widest.clamp(narrowest, high - low);
    }
    widths
}

/// Returns the index into which a share `u` of the total falls.
fn pick(shares: &[f64], mut u: f64) -> usize {
    for (index, share) in shares.iter().enumerate() {
        if u < *share {
            return index;
        }
        u -= share;
    }
    shares.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::axis_tests::axis;
    use crate::data::stream;

    fn axes() -> [Axis; 3] {
        [
            axis("depth", Domain::LogInteger { low: 1, high: 6 }),
            axis("skip", Domain::Choices(3)),
            axis("width", Domain::Uniform { low: 0.0, high: 1.0, step: Some(0.25) }),
        ]
    }

    fn rows() -> Vec<Vec<Coordinate>> {
        let row =
            |depth, skip, width| vec![Coordinate::Integer(depth), Coordinate::Choice(skip), Coordinate::Number(width)];
        vec![row(2, 1, 0.25), row(6, 0, 0.5), row(2, 1, 0.0)]
    }

    #[test]
    fn a_kernel_is_as_wide_as_the_distance_to_its_farther_neighbour() {
        assert_eq!(deviations(&[7.0, 1.0, 3.0], 0.0, 10.0), [4.0, 2.0, 4.0]);
        assert_eq!(deviations(&[3.0], 0.0, 10.0), [7.0]);
        assert_eq!(deviations(&[5.0; 3], 0.0, 10.0), [2.0; 3]);
    }

    #[test]
    fn the_masses_of_a_countable_space_sum_to_one() {
        let axes = axes();
        let parzen = Parzen::fit(axes.iter().collect(), &rows(), &[1.0, 0.5, 1.0]);
        let mut total = 0.0;
        for (depth, skip, width) in (1..=6).flat_map(|d| (0..3).flat_map(move |s| (0..5).map(move |w| (d, s, w)))) {
            let width = f64::from(width) * 0.25;
            let row = [Coordinate::Integer(depth), Coordinate::Choice(skip), Coordinate::Number(width)];
            total += parzen.log_density(&row).exp();
        }
        assert!((total - 1.0).abs() < 1e-9, "{total}");
    }

    #[test]
    fn draws_have_the_frequency_of_their_mass() {
        let axes = axes();
        let parzen = Parzen::fit(axes.iter().collect(), &rows(), &[1.0, 0.5, 1.0]);
        let mut random = stream(1, "test", 0, 0);
        let draws: Vec<Vec<Coordinate>> = (0..40_000).map(|_| parzen.sample(&mut random)).collect();
        for row in rows() {
            let frequency = draws.iter().filter(|drawn| **drawn == row).count() as f64 / draws.len() as f64;
            let mass = parzen.log_density(&row).exp();
            // Five standard errors.
            let tolerance = 5.0 * (mass * (1.0 - mass) / draws.len() as f64).sqrt();
            assert!((frequency - mass).abs() < tolerance, "{row:?}: {frequency}, not {mass}");
        }
    }
}
