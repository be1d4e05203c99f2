//! Functional analysis of variance by a random forest: which axes of a search the results depend on (Hutter, Hoos and
//! Leyton-Brown, "An efficient approach for assessing hyperparameter importance", ICML 2014).
//!
//! A forest (Breiman 2001) predicts the result at every point of the space. Each tree is constant on boxes, so its mean over all
//! values of the other axes is an exact sum. The variance of that mean is the share of an axis (equations 3 to 7 of the paper).

use rayon::prelude::*;

use super::decomposition::Decomposition;
use super::tree::{Factor, Tree};
use crate::data::{below, stream};
use crate::statistics::summary;

/// Number of trees in the forest.
const TREES: u64 = 64;

/// A share of the variance over the space: mean and standard deviation over the trees.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Share {
    /// Mean over the trees.
    pub mean: f64,
    /// Standard deviation over the trees.
    pub deviation: f64,
}

/// Decomposition of the variance of the results over the space.
#[derive(Debug, Clone, PartialEq)]
pub struct Fanova {
    /// Effect of each axis alone.
    pub main: Vec<Share>,
    /// Interaction of each pair of axes beyond their own effects: the axes' indices and the share.
    pub pairs: Vec<(usize, usize, Share)>,
}

/// Shares that an axis or pair without effect exceeds with probability 1/20.
#[derive(Debug, Clone, PartialEq)]
pub struct ChanceShares {
    /// Level of each axis, whatever the effects of the others.
    pub main: Vec<f64>,
    /// Level of each pair, in the order of [`Fanova::pairs`].
    pub pairs: Vec<f64>,
}

/// Decomposes `values` at `points` (the level of every factor). `None` for fewer than four points, or if all values are equal. Equal
/// inputs and seeds give equal results.
pub fn fanova(factors: &[Factor], points: &[Vec<usize>], values: &[f64], seed: u64) -> Option<Fanova> {
    forest(factors, points, values, TREES, seed)
}

/// Estimates the shares that arise by chance: the highest of 19 permutations of an axis's levels over the trials, with the other axes
/// unchanged. A pair has no interaction if either axis is permuted; the higher of both counts. `trials` gives the trial of each point,
/// from 0. Runs of a trial stay together, because they are similar whatever the settings do. A permuted forest has fewer trees, and
/// fewer still for many points. Its shares vary more, so that the level of chance is too high rather than too low.
pub fn shares_by_chance(
    factors: &[Factor],
    points: &[Vec<usize>],
    values: &[f64],
    trials: &[usize],
    seed: u64,
) -> Option<ChanceShares> {
    const PERMUTATIONS: u64 = 19;
    let trees = (16_000 / points.len().max(1) as u64).clamp(2, 16);
    let count = trials.iter().max()? + 1;
    let mut of_trial = vec![points.first()?; count];
    trials.iter().zip(points).for_each(|(&trial, point)| of_trial[trial] = point);
    let permuted = |(axis, number): (usize, u64)| {
        let mut random = stream(seed, "fanova-chance", number, axis as u64);
        let mut order: Vec<usize> = (0..count).collect();
        (1..count).rev().for_each(|index| order.swap(index, below(&mut random, index + 1)));
        let point = |(point, trial): (&Vec<usize>, &usize)| {
            let mut point = point.clone();
            point[axis] = of_trial[order[*trial]][axis];
            point
        };
        let points: Vec<Vec<usize>> = points.iter().zip(trials).map(point).collect();
        Some((axis, forest(factors, &points, values, trees, seed + 1 + number)?))
    };
    let cases: Vec<(usize, u64)> =
        (0..factors.len()).flat_map(|axis| (0..PERMUTATIONS).map(move |number| (axis, number))).collect();
    let permuted: Vec<(usize, Fanova)> = cases.into_par_iter().filter_map(permuted).collect();
    let highest = |of: &dyn Fn(usize, &Fanova) -> Option<f64>| {
        permuted.iter().filter_map(|(axis, shares)| of(*axis, shares)).fold(0.0, f64::max)
    };
    let pairs = &permuted.first()?.1.pairs;
    let of_pair = |(index, (one, two, _)): (usize, &(usize, usize, Share))| {
        highest(&|axis, shares| [*one, *two].contains(&axis).then(|| shares.pairs[index].2.mean))
    };
    Some(ChanceShares {
        main: (0..factors.len())
            .map(|axis| highest(&|permuted, shares| (permuted == axis).then(|| shares.main[axis].mean)))
            .collect(),
        pairs: pairs.iter().enumerate().map(of_pair).collect(),
    })
}

fn forest(factors: &[Factor], points: &[Vec<usize>], values: &[f64], trees: u64, seed: u64) -> Option<Fanova> {
    const MIN_POINTS: usize = 4;
    if points.len() < MIN_POINTS || points.len() != values.len() || factors.is_empty() {
        return None;
    }
    let trees = (0..trees).filter_map(|number| {
        let mut random = stream(seed, "fanova", number, 0);
        Decomposition::of(&Tree::bootstrapped(factors, points, values, &mut random), factors)
    });
    let trees: Vec<Decomposition> = trees.collect();
    let share = |of: &dyn Fn(&Decomposition) -> f64| {
        let summary = summary(&trees.iter().map(of).collect::<Vec<_>>())?;
        Some(Share { mean: summary.mean, deviation: summary.deviation.unwrap_or(0.0) })
    };
    let main = (0..factors.len()).map(|axis| share(&|tree| tree.main[axis])).collect::<Option<_>>()?;
    let axis_pairs = (0..factors.len()).flat_map(|one| (one + 1..factors.len()).map(move |two| (one, two)));
    let pairs = axis_pairs.enumerate().map(|(index, (one, two))| Some((one, two, share(&|tree| tree.pairs[index])?)));
    Some(Fanova { main, pairs: pairs.collect::<Option<_>>()? })
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    /// Returns every point of a grid, `repeats` times, with its value and a small fixed disturbance.
    fn grid(levels: &[usize], repeats: usize, value: impl Fn(&[usize]) -> f64) -> (Vec<Vec<usize>>, Vec<f64>) {
        let count: usize = levels.iter().product();
        let point = |mut index: usize| -> Vec<usize> {
            let digit = |levels: &usize| {
                let digit = index % levels;
                index /= levels;
                digit
            };
            levels.iter().map(digit).collect()
        };
        let points: Vec<Vec<usize>> = (0..count * repeats).map(|index| point(index % count)).collect();
        let noise = |index: usize| 1e-3 * ((index * 7919 % 101) as f64 / 101.0 - 0.5);
        let values = points.iter().enumerate().map(|(index, point)| value(point) + noise(index)).collect();
        (points, values)
    }

    fn factors(levels: &[usize], ordered: bool) -> Vec<Factor> {
        levels.iter().map(|&levels| Factor { levels, ordered }).collect()
    }

    fn sign(level: usize) -> f64 {
        2.0 * level as f64 - 1.0
    }

    #[test]
    fn shares_equal_those_of_a_function_with_known_variance() {
        // 3a + 2b + 2ab over a, b, c = ±1: the variances are 9, 4, 4 (interaction) and 0 for c, of 17 in total.
        let (points, values) = grid(&[2, 2, 2], 16, |p| 3.0 * sign(p[0]) + 2.0 * sign(p[1]) * (1.0 + sign(p[0])));
        for ordered in [true, false] {
            let found = fanova(&factors(&[2; 3], ordered), &points, &values, 0).expect("it differs");
            for (share, expected) in found.main.iter().zip([9.0 / 17.0, 4.0 / 17.0, 0.0]) {
                assert!((share.mean - expected).abs() < 0.01, "{found:?}");
            }
            for ((_, _, share), expected) in found.pairs.iter().zip([4.0 / 17.0, 0.0, 0.0]) {
                assert!((share.mean - expected).abs() < 0.01, "{found:?}");
            }
        }
    }

    #[test]
    fn an_interaction_without_main_effects_is_found() {
        let (points, values) = grid(&[2, 2, 3], 8, |p| sign(p[0]) * sign(p[1]));
        let found = fanova(&factors(&[2, 2, 3], true), &points, &values, 0).expect("it differs");
        assert!(found.main.iter().all(|share| share.mean < 0.02), "{found:?}");
        assert!(found.pairs[0].2.mean > 0.96, "{found:?}");
    }

    #[test]
    fn a_linear_function_has_the_known_variance() {
        // Levels 0 … 7 and 0 … 3 with slopes 1 and 2: variances (64 − 1) / 12 and 4 · (16 − 1) / 12.
        let (points, values) = grid(&[8, 4], 8, |p| p[0] as f64 + 2.0 * p[1] as f64);
        let found = fanova(&factors(&[8, 4], true), &points, &values, 0).expect("it differs");
        let (one, two) = (63.0 / 12.0, 60.0 / 12.0);
        assert!((found.main[0].mean - one / (one + two)).abs() < 0.02, "{found:?}");
        assert!((found.main[1].mean - two / (one + two)).abs() < 0.02, "{found:?}");
        assert!(found.pairs[0].2.mean < 0.01, "{found:?}");
    }

    #[test]
    fn untested_combinations_are_predicted() {
        // A third of the grid, as a search draws it.
        let (points, values) = grid(&[6, 6, 6], 1, |p| 5.0 * p[0] as f64 + p[1] as f64);
        let some = |index: &usize| index * 31 % 97 < 33;
        let (points, values): (Vec<_>, Vec<_>) =
            (0..216).filter(some).map(|index| (points[index].clone(), values[index])).unzip();
        let found = fanova(&factors(&[6; 3], true), &points, &values, 0).expect("it differs");
        assert!((found.main[0].mean - 25.0 / 26.0).abs() < 0.05 && found.main[2].mean < 0.03, "{found:?}");
    }

    #[test]
    fn equal_inputs_give_equal_shares_and_constant_values_give_none() {
        let (points, values) = grid(&[3, 3], 2, |p| (p[0] * p[1]) as f64);
        let factors = factors(&[3, 3], false);
        assert_eq!(fanova(&factors, &points, &values, 5), fanova(&factors, &points, &values, 5));
        assert_ne!(fanova(&factors, &points, &values, 5), fanova(&factors, &points, &values, 6));
        assert_eq!(fanova(&factors, &points, &vec![1.0; values.len()], 0), None);
        assert_eq!(fanova(&factors, &points[..3], &values[..3], 0), None);
    }

    #[test]
    fn noise_stays_below_the_level_of_chance_and_an_effect_exceeds_it() {
        // 16 trials of two axes with three seeds each; the results are noise.
        let (points, _) = grid(&[4, 4], 3, |_| 0.0);
        let trials: Vec<usize> = (0..48).map(|run| run % 16).collect();
        let noise = |number: u64| -> Vec<f64> {
            let mut random = stream(number, "noise", 0, 0);
            (0..48).map(|_| f64::from(random.next_u32()) / f64::from(u32::MAX)).collect()
        };
        let of = |values: &[f64]| {
            let found = fanova(&factors(&[4, 4], true), &points, values, 0).expect("it differs");
            let chance = shares_by_chance(&factors(&[4, 4], true), &points, values, &trials, 0).expect("it differs");
            (found.main[0].mean, chance.main[0])
        };
        let above = (0..20)
            .filter(|number| {
                let (share, chance) = of(&noise(*number));
                share > chance
            })
            .count();
        assert!(above <= 4, "{above} of 20 shares of noise are above chance");
        let with_effect = |size: f64, axis: usize, values: Vec<f64>| -> Vec<f64> {
            values.iter().zip(&points).map(|(value, point)| value + size * point[axis] as f64).collect()
        };
        let (share, chance) = of(&with_effect(1.0, 0, noise(0)));
        assert!(share > 0.8 && share > chance, "share {share}, chance {chance}");
        // A much stronger axis does not raise the level of another.
        let (share, chance) = of(&with_effect(2.0, 1, with_effect(1.0, 0, noise(0))));
        assert!((0.1..0.3).contains(&share) && share > chance, "share {share}, chance {chance}");
    }
}
