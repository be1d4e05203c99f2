//! Image AUROC of two variants on drawn images.

use super::bootstrap::Images;
use super::ranks::count_below;

/// Image scores of two variants in one category.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageScores {
    defective: Vec<usize>,
    normal: Vec<usize>,
    /// For each seed, the scores of both variants, in the images' order.
    seeds: Vec<(Vec<f64>, Vec<f64>)>,
}

impl ImageScores {
    /// From labels (true = defective) and, for each seed, the scores of both variants; none where their numbers differ.
    pub fn new(labels: &[bool], seeds: Vec<(Vec<f64>, Vec<f64>)>) -> Option<Self> {
        let (defective, normal) = (0..labels.len()).partition(|&image| labels[image]);
        let whole = seeds.iter().all(|(one, two)| one.len() == labels.len() && two.len() == labels.len());
        whole.then_some(Self { defective, normal, seeds })
    }
}

impl Images for ImageScores {
    fn classes(&self) -> (&[usize], &[usize]) {
        (&self.defective, &self.normal)
    }

    fn seeds(&self) -> usize {
        self.seeds.len()
    }

    fn difference(&self, seed: usize, defective: &[usize], normal: &[usize]) -> Option<f64> {
        let (one, two) = &self.seeds[seed];
        Some(auroc(one, defective, normal) - auroc(two, defective, normal))
    }
}

/// The share of (defective, normal) pairs in the right order; ties count half.
fn auroc(scores: &[f64], defective: &[usize], normal: &[usize]) -> f64 {
    let mut low: Vec<f64> = normal.iter().map(|&image| scores[image]).collect();
    low.sort_by(f64::total_cmp);
    let wins: f64 = defective.iter().map(|&image| count_below(&low, scores[image])).sum();
    wins / (defective.len() * normal.len()) as f64
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::super::hierarchical;
    use super::*;
    use crate::data::stream;

    /// Two variants on 40 images: defects of the first stand out by `gap` more.
    fn category(gap: f64, seeds: u64) -> Option<ImageScores> {
        let labels: Vec<bool> = (0..40).map(|image| image % 2 == 0).collect();
        let scores = |seed: u64, variant: u64, gap: f64| -> Vec<f64> {
            let mut random = stream(seed, "scores", variant, 0);
            labels
                .iter()
                .map(|&label| (random.next_u32() >> 8) as f64 / (1 << 24) as f64 + if label { 0.3 + gap } else { 0.0 })
                .collect()
        };
        ImageScores::new(&labels, (0..seeds).map(|seed| (scores(seed, 0, gap), scores(seed, 1, 0.0))).collect())
    }

    #[test]
    fn a_clear_difference_is_found_and_none_is_not() {
        let clear = hierarchical([category(0.5, 8), category(0.5, 8)].into_iter()).expect("two classes");
        assert!(clear.low > 0.0 && clear.p < 0.01 && clear.low < clear.mean && clear.mean < clear.high, "{clear:?}");
        let none = || hierarchical([category(0.0, 8)].into_iter());
        let found = none().expect("two classes");
        assert!(found.low < 0.0 && found.high > 0.0 && found.p > 0.05, "{found:?}");
        assert_eq!(none(), Some(found));
        assert_eq!(hierarchical(std::iter::empty::<Option<ImageScores>>()), None);
        assert_eq!(hierarchical([category(0.0, 8), None].into_iter()), None);
        let one_class = ImageScores::new(&[true; 2], vec![(vec![0.0; 2], vec![1.0; 2])]);
        assert_eq!(hierarchical([one_class].into_iter()), None);
        assert_eq!(ImageScores::new(&[true; 2], vec![(vec![0.0; 2], vec![1.0; 3])]), None);
    }
}
