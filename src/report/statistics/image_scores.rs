//! Image AUROC of two variants on drawn images.

use super::bootstrap::Images;

/// Image scores of two variants in one category.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageScores {
    defective: Vec<usize>,
    normal: Vec<usize>,
    /// For each seed, both variants' images in order.
    seeds: Vec<(Order, Order)>,
}

/// The images of one run by score: sorted once, however often images are drawn.
#[derive(Debug, Clone, PartialEq)]
struct Order {
    /// Of a normal image, by its index: its place among the normal ones.
    place: Vec<usize>,
    /// Of any image, by its index: how many normal ones lie below it, and how many below or level with it.
    below: Vec<(usize, usize)>,
}

impl Order {
    fn of(scores: &[f64], normal: &[usize]) -> Self {
        let mut sorted = normal.to_vec();
        sorted.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        let mut place = vec![0; scores.len()];
        sorted.iter().enumerate().for_each(|(at, &image)| place[image] = at);
        let below = |&score: &f64| {
            let count = |test: fn(f64, f64) -> bool| sorted.partition_point(|&image| test(scores[image], score));
            (count(|normal, score| normal < score), count(|normal, score| normal <= score))
        };
        Self { place, below: scores.iter().map(below).collect() }
    }

    /// The share of (defective, normal) pairs of the drawn images in the right order; ties count half.
    fn auroc(&self, defective: &[usize], normal: &[usize]) -> f64 {
        // How many of the drawn normal images lie before each place.
        let mut before = vec![0_usize; normal.len() + 1];
        normal.iter().for_each(|&image| before[self.place[image] + 1] += 1);
        (1..before.len()).for_each(|place| before[place] += before[place - 1]);
        let wins = defective.iter().map(|&image| {
            let (below, level) = self.below[image];
            (before[below] + before[level]) as f64 / 2.0
        });
        wins.sum::<f64>() / (defective.len() * normal.len()) as f64
    }
}

impl ImageScores {
    /// From labels (true = defective) and, for each seed, the scores of both variants; none where their numbers differ.
    pub fn new(labels: &[bool], seeds: &[(Vec<f64>, Vec<f64>)]) -> Option<Self> {
        let (defective, normal): (Vec<usize>, Vec<usize>) = (0..labels.len()).partition(|&image| labels[image]);
        let whole = seeds.iter().all(|(one, two)| one.len() == labels.len() && two.len() == labels.len());
        let order = |scores: &[f64]| Order::of(scores, &normal);
        let seeds = whole.then(|| seeds.iter().map(|(one, two)| (order(one), order(two))).collect())?;
        Some(Self { defective, normal, seeds })
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
        Some(one.auroc(defective, normal) - two.auroc(defective, normal))
    }
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
        let seeds: Vec<_> = (0..seeds).map(|seed| (scores(seed, 0, gap), scores(seed, 1, 0.0))).collect();
        ImageScores::new(&labels, &seeds)
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
        let one_class = ImageScores::new(&[true; 2], &[(vec![0.0; 2], vec![1.0; 2])]);
        assert_eq!(hierarchical([one_class].into_iter()), None);
        assert_eq!(ImageScores::new(&[true; 2], &[(vec![0.0; 2], vec![1.0; 3])]), None);
    }
}
