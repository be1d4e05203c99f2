//! All distinct scores from high to low, with the counts at or above each score.

use rayon::prelude::*;

use super::components::label_components;

/// The metric has no value; the text is the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Undefined(pub &'static str);

/// A score is NaN or infinite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a score of image {image} is not finite")]
pub struct NotFinite {
    /// Index of the image.
    pub image: usize,
}

/// Counts at one distinct score; every element with this score or a higher one is called defective.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// The score.
    pub score: f32,
    /// Number of defective elements at or above the score.
    pub true_positives: u64,
    /// Number of normal elements at or above the score.
    pub false_positives: u64,
    /// Mean, over defect components, of the share at or above the score.
    pub overlap: f64,
}

/// Elements (images, or pixels of many maps) sorted by score.
///
/// An element is packed into 64 bits: the score's bits in an order-preserving form are above its component (0 = normal). Sorting packed
/// integers needs no comparison function and has only one possible order.
pub struct Sweep {
    packed: Vec<u64>,
    /// Sizes of the components, from component 1.
    sizes: Vec<u64>,
    positives: u64,
}

/// Returns bits that sort as the score does.
fn ordered(score: f32) -> u32 {
    // −0 and 0 are equal scores.
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn score_of(ordered: u32) -> f32 {
    f32::from_bits(if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered })
}

impl Sweep {
    /// Creates a sweep from scores with one label each, e.g. one per image.
    pub fn of_labels(scores: &[f32], labels: &[bool]) -> Result<Self, NotFinite> {
        if let Some(image) = scores.iter().position(|score| !score.is_finite()) {
            return Err(NotFinite { image });
        }
        // Every positive is a component of its own, so the overlap is the true positive rate.
        let mut sizes = Vec::new();
        let packed = scores.iter().zip(labels).map(|(&score, &label)| {
            if label {
                sizes.push(1);
            }
            u64::from(ordered(score)) << 32 | if label { sizes.len() as u64 } else { 0 }
        });
        let packed = packed.collect();
        Ok(Self::sorted(packed, sizes))
    }

    /// Creates a sweep from maps with their masks, all of width `width`; a mask of `None` is normal everywhere.
    pub fn of_maps<S: AsRef<[f32]>, M: AsRef<[bool]>>(
        maps: &[S],
        masks: &[Option<M>],
        width: usize,
    ) -> Result<Self, NotFinite> {
        let total = maps.iter().map(|map| map.as_ref().len()).sum();
        let mut packed = Vec::with_capacity(total);
        let mut sizes = Vec::new();
        for (image, (map, mask)) in maps.iter().map(AsRef::as_ref).zip(masks).enumerate() {
            if map.iter().any(|score| !score.is_finite()) {
                return Err(NotFinite { image });
            }
            let first = sizes.len() as u64;
            let labels = mask.as_ref().map(|mask| {
                let (labels, mut found) = label_components(mask.as_ref(), width);
                sizes.append(&mut found);
                labels
            });
            packed.extend(map.iter().enumerate().map(|(pixel, &score)| {
                let component = labels.as_ref().map_or(0, |labels| u64::from(labels[pixel]));
                u64::from(ordered(score)) << 32 | if component > 0 { first + component } else { 0 }
            }));
        }
        Ok(Self::sorted(packed, sizes))
    }

    fn sorted(mut packed: Vec<u64>, sizes: Vec<u64>) -> Self {
        packed.par_sort_unstable_by(|a, b| b.cmp(a));
        let positives = sizes.iter().sum();
        Self { packed, sizes, positives }
    }

    /// Returns the number of defective elements.
    pub fn positives(&self) -> u64 {
        self.positives
    }

    /// Returns the number of normal elements.
    pub fn negatives(&self) -> u64 {
        self.packed.len() as u64 - self.positives
    }

    /// Returns the lowest score.
    pub(super) fn lowest(&self) -> Option<f32> {
        self.packed.last().map(|element| score_of((element >> 32) as u32))
    }

    /// Returns the lowest scores of at most `bins` groups with about equally many elements, from high to low. Equal scores are in the same
    /// group.
    pub(in crate::evaluate) fn lower_edges(&self, bins: usize) -> Vec<f32> {
        let count = self.packed.len();
        let positions = (1..=bins).map(|bin| bin * count / bins).filter(|end| *end > 0);
        let mut edges: Vec<f32> = positions.map(|end| score_of((self.packed[end - 1] >> 32) as u32)).collect();
        edges.dedup();
        edges
    }

    /// Returns the number of defect components.
    pub fn components(&self) -> usize {
        self.sizes.len()
    }

    /// Returns the numbers of defective and of normal elements strictly above a threshold.
    pub(super) fn above(&self, threshold: f64) -> (u64, u64) {
        let end = self.packed.partition_point(|element| f64::from(score_of((element >> 32) as u32)) > threshold);
        let defective = self.packed[..end].iter().filter(|&&element| element & u64::from(u32::MAX) > 0).count();
        (defective as u64, (end - defective) as u64)
    }

    /// Returns the counts of defective and normal elements, or the reason why they cannot be ranked.
    pub(in crate::evaluate) fn both_classes(&self) -> Result<(u64, u64), Undefined> {
        match (self.positives(), self.negatives()) {
            (0, 0) => Err(Undefined("there is nothing to rank")),
            (0, _) => Err(Undefined("nothing is defective")),
            (_, 0) => Err(Undefined("nothing is normal")),
            counts => Ok(counts),
        }
    }

    /// Returns one entry per distinct score, from high to low.
    pub fn thresholds(&self) -> impl Iterator<Item = Threshold> + '_ {
        let mut rest = self.packed.as_slice();
        let (mut true_positives, mut false_positives, mut overlap) = (0, 0, 0.0);
        let weights: Vec<f64> = self.sizes.iter().map(|&size| 1.0 / (size as f64 * self.sizes.len() as f64)).collect();
        std::iter::from_fn(move || {
            let score = rest.first()? >> 32;
            let tied = rest.iter().take_while(|&&element| element >> 32 == score).count();
            let (group, after) = rest.split_at(tied);
            rest = after;
            for &element in group {
                match (element & u64::from(u32::MAX)) as usize {
                    0 => false_positives += 1,
                    component => {
                        true_positives += 1;
                        overlap += weights[component - 1];
                    }
                }
            }
            Some(Threshold { score: score_of(score as u32), true_positives, false_positives, overlap })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packing_keeps_order_and_value(a in -1e30_f32..1e30, b in -1e30_f32..1e30) {
            prop_assert_eq!(ordered(a).cmp(&ordered(b)), a.partial_cmp(&b).expect("finite"));
            prop_assert_eq!(score_of(ordered(a)), a);
        }
    }

    #[test]
    fn zeros_of_both_signs_tie_and_nan_names_its_image() {
        assert_eq!(ordered(0.0), ordered(-0.0));
        let maps = [vec![0.0; 4], vec![0.0, f32::NAN, 0.0, 0.0]];
        assert_eq!(Sweep::of_maps(&maps, &[None::<Vec<bool>>, None], 2).err(), Some(NotFinite { image: 1 }));
    }
}
