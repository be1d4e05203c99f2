//! The held-out part of `train/good`.

use rand::Rng;

use super::{DataError, stream};

/// Indices into the training images of a category; both parts sorted, together all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Trained on.
    pub train: Vec<usize>,
    /// ⌈n/5⌉ images that select the epoch and set the threshold.
    pub held_out: Vec<usize>,
}

impl Split {
    /// Holds out ⌈n/5⌉ of n images, drawn by a Fisher–Yates shuffle from the stream (seed, "split").
    pub fn new(n: usize, seed: u64) -> Result<Self, DataError> {
        if n < 2 {
            return Err(DataError::Split(n));
        }
        let mut indices: Vec<usize> = (0..n).collect();
        shuffle(&mut indices, &mut stream(seed, "split", 0, 0));
        let mut held_out = indices.split_off(n - n.div_ceil(5));
        indices.sort_unstable();
        held_out.sort_unstable();
        Ok(Self { train: indices, held_out })
    }
}

/// Fisher–Yates, one draw an element.
pub fn shuffle<T>(items: &mut [T], stream: &mut impl Rng) {
    for i in (1..items.len()).rev() {
        // Lemire's multiply-shift; its bias is below 2⁻⁴⁰ for any data set.
        let j = ((u128::from(stream.next_u64()) * (i as u128 + 1)) >> 64) as usize;
        items.swap(i, j);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_split_is_a_partition(n in 2_usize..500, seed: u64) {
            let split = Split::new(n, seed).expect("two images or more");
            prop_assert_eq!(split.held_out.len(), n.div_ceil(5));
            let mut all = [split.train.clone(), split.held_out.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..n).collect::<Vec<_>>());
            prop_assert_eq!(Split::new(n, seed).expect("the same"), split);
        }
    }

    #[test]
    fn seeds_differ_and_one_image_is_refused() {
        assert_ne!(Split::new(100, 0).expect("fits"), Split::new(100, 1).expect("fits"));
        assert!(matches!(Split::new(1, 0), Err(DataError::Split(1))));
    }
}
