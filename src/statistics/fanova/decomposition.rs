//! Decomposes the variance of one tree over the whole space into shares of axes and pairs of axes.

use super::tree::{Factor, Leaf, Tree};

/// Shares of the variance.
pub(super) struct Decomposition {
    /// Share of each axis.
    pub main: Vec<f64>,
    /// Share of each pair beyond those of its axes: (0, 1), (0, 2), … (1, 2), …
    pub pairs: Vec<f64>,
}

impl Decomposition {
    /// Returns the decomposition; `None` if the tree is constant.
    pub(super) fn of(tree: &Tree, factors: &[Factor]) -> Option<Self> {
        let shares: Vec<Vec<f64>> = tree.leaves.iter().map(|leaf| shares(leaf, factors)).collect();
        let volumes: Vec<f64> = shares.iter().map(|shares| shares.iter().product()).collect();
        let of_leaves = || tree.leaves.iter().zip(&volumes);
        let mean: f64 = of_leaves().map(|(leaf, volume)| volume * leaf.value).sum();
        let variance: f64 = of_leaves().map(|(leaf, volume)| volume * (leaf.value - mean).powi(2)).sum();
        if variance <= f64::EPSILON * mean * mean {
            return None;
        }
        // A leaf's share of the space without some axes.
        let without = |leaf: usize, axes: &[usize]| -> f64 {
            (0..factors.len()).filter(|axis| !axes.contains(axis)).map(|axis| shares[leaf][axis]).product()
        };
        let main: Vec<f64> = (0..factors.len())
            .map(|axis| {
                let mut means = vec![0.0; factors[axis].levels];
                for (index, leaf) in tree.leaves.iter().enumerate() {
                    let part = leaf.value * without(index, &[axis]);
                    levels(leaf, axis).for_each(|level| means[level] += part);
                }
                spread(&means, mean) / variance
            })
            .collect();
        let mut pairs = Vec::new();
        for one in 0..factors.len() {
            for two in one + 1..factors.len() {
                let width = factors[two].levels;
                let mut means = vec![0.0; factors[one].levels * width];
                for (index, leaf) in tree.leaves.iter().enumerate() {
                    let part = leaf.value * without(index, &[one, two]);
                    for level in levels(leaf, one) {
                        levels(leaf, two).for_each(|other| means[level * width + other] += part);
                    }
                }
                // Rounding can make it negative.
                pairs.push((spread(&means, mean) / variance - main[one] - main[two]).max(0.0));
            }
        }
        Some(Self { main, pairs })
    }
}

/// Returns the share of each factor's levels that a leaf contains.
fn shares(leaf: &Leaf, factors: &[Factor]) -> Vec<f64> {
    let share = |(inside, factor): (&Vec<bool>, &Factor)| {
        inside.iter().filter(|inside| **inside).count() as f64 / factor.levels as f64
    };
    leaf.inside.iter().zip(factors).map(share).collect()
}

fn levels(leaf: &Leaf, axis: usize) -> impl Iterator<Item = usize> + '_ {
    leaf.inside[axis].iter().enumerate().filter(|(_, inside)| **inside).map(|(level, _)| level)
}

/// Returns the mean squared distance from the mean.
fn spread(means: &[f64], mean: f64) -> f64 {
    means.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / means.len() as f64
}
