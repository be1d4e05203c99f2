//! Splits a category's normal images into a training part and a held-out part.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::{DataError, stream};

/// Rule that holds out some of n normal images.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldOut {
    /// ⌈n/5⌉ images, drawn at random.
    #[default]
    Fifth,
    /// ⌈n · share⌉ images, drawn at random.
    Share(f64),
    /// Images at these indices, ascending: the data set's own validation images, or those listed in the sweep file.
    Given(Vec<usize>),
}

impl HeldOut {
    /// Returns the rule for a drawn share. A share of 0.2 is the same rule as a fifth.
    pub(super) fn of_share(share: f64) -> Self {
        if (share - 0.2).abs() < 1e-9 { Self::Fifth } else { Self::Share(share) }
    }

    /// Returns the number of held-out images of n.
    pub fn count(&self, n: usize) -> usize {
        match self {
            Self::Fifth => n.div_ceil(5),
            // A product such as 0.1 · 30 may be slightly above the exact whole number.
            Self::Share(share) => (n as f64 * share - 1e-9).ceil() as usize,
            Self::Given(indices) => indices.len(),
        }
    }
}

/// Rule that splits a category's normal images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitRule {
    /// Seed of the draw; 0 if nothing is drawn.
    pub seed: u64,
    /// Held-out images.
    pub held_out: HeldOut,
}

/// Indices into the normal images of a category. Both parts are sorted; together they are all images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Images to train on.
    pub train: Vec<usize>,
    /// Images that select the epoch and set the threshold.
    pub held_out: Vec<usize>,
}

impl SplitRule {
    /// Creates a rule. The seed is kept only if the rule draws.
    pub fn new(held_out: HeldOut, seed: u64) -> Self {
        let seed = if matches!(held_out, HeldOut::Given(_)) { 0 } else { seed };
        Self { seed, held_out }
    }

    /// Creates a rule that holds out ⌈n/5⌉ images.
    pub fn fifth(seed: u64) -> Self {
        Self::new(HeldOut::Fifth, seed)
    }

    /// Splits n images. A drawn part comes from a Fisher–Yates shuffle with the stream (seed, "split").
    ///
    /// # Errors
    /// Fails if a part would be empty, or if a given index is not below n.
    pub fn split(&self, n: usize) -> Result<Split, DataError> {
        let count = self.held_out.count(n);
        let within = |indices: &[usize]| indices.last().is_none_or(|&last| last < n);
        if count == 0 || count >= n || matches!(&self.held_out, HeldOut::Given(indices) if !within(indices)) {
            return Err(DataError::Split { images: n, held_out: count });
        }
        if let HeldOut::Given(indices) = &self.held_out {
            let train = (0..n).filter(|index| indices.binary_search(index).is_err()).collect();
            return Ok(Split { train, held_out: indices.clone() });
        }
        let mut indices: Vec<usize> = (0..n).collect();
        shuffle(&mut indices, &mut stream(self.seed, "split", 0, 0));
        let mut held_out = indices.split_off(n - count);
        indices.sort_unstable();
        held_out.sort_unstable();
        Ok(Split { train: indices, held_out })
    }
}

/// Shuffles by Fisher–Yates, with one draw per element.
pub fn shuffle<T>(items: &mut [T], stream: &mut impl Rng) {
    for i in (1..items.len()).rev() {
        // Use Lemire's multiply-shift; its bias is below 2⁻⁴⁰ for any data set.
        let j = ((u128::from(stream.next_u64()) * (i as u128 + 1)) >> 64) as usize;
        items.swap(i, j);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule() -> impl Strategy<Value = HeldOut> {
        prop_oneof![
            Just(HeldOut::Fifth),
            (0.01_f64..0.9).prop_map(HeldOut::Share),
            prop::collection::btree_set(0_usize..20, 1..19).prop_map(|set| HeldOut::Given(set.into_iter().collect())),
        ]
    }

    proptest! {
        #[test]
        fn a_split_is_a_partition(n in 20_usize..500, seed: u64, held_out in rule()) {
            let rule = SplitRule { seed, held_out };
            let split = rule.split(n).expect("both parts have images");
            prop_assert_eq!(split.held_out.len(), rule.held_out.count(n));
            let mut all = [split.train.clone(), split.held_out.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..n).collect::<Vec<_>>());
            prop_assert_eq!(rule.split(n).expect("the same"), split);
        }
    }

    #[test]
    fn seeds_differ_and_empty_parts_are_refused() {
        let split = |seed, n| SplitRule::fifth(seed).split(n);
        assert_ne!(split(0, 100).expect("fits"), split(1, 100).expect("fits"));
        assert!(matches!(split(0, 1), Err(DataError::Split { images: 1, held_out: 1 })));
        let given = |indices: &[usize], n| SplitRule { seed: 0, held_out: HeldOut::Given(indices.to_vec()) }.split(n);
        assert_eq!(given(&[1, 3], 4).expect("fits").train, [0, 2]);
        for (indices, n) in [(&[][..], 4), (&[0, 1], 2), (&[1, 9], 4)] {
            assert!(given(indices, n).is_err(), "{indices:?} of {n}");
        }
    }

    #[test]
    fn a_share_is_rounded_up_and_0_2_is_the_fifth() {
        assert!(HeldOut::of_share(0.2) == HeldOut::Fifth);
        for (share, n, count) in [(0.1, 30, 3), (0.1, 31, 4), (0.5, 3, 2), (0.3, 10, 3)] {
            assert_eq!(HeldOut::of_share(share).count(n), count, "{share} of {n}");
        }
    }
}
