//! Image AUROC of two variants on drawn images.

use super::bootstrap::{Classes, Images};

/// Image scores of two variants in one category.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageScores {
    classes: Classes,
    /// For each seed, both variants' images in order.
    seeds: Vec<(Order, Order)>,
}

/// The images of one run, low scores first: sorted once, however often images are drawn.
#[derive(Debug, Clone, PartialEq)]
struct Order(Vec<Place>);

/// One image in the order of scores.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    image: usize,
    defective: bool,
    /// Whether the next image has a higher score.
    ends: bool,
}

impl Order {
    fn of(labels: &[bool], scores: &[f64]) -> Self {
        let mut sorted: Vec<usize> = (0..labels.len()).collect();
        sorted.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        let place = |(at, &image): (usize, &usize)| {
            let ends = sorted.get(at + 1).is_none_or(|&next| scores[next] > scores[image]);
            Place { image, defective: labels[image], ends }
        };
        Self(sorted.iter().enumerate().map(place).collect())
    }

    /// The (defective, normal) pairs in the right order, each image taken so many times; ties count half.
    fn wins(&self, times: &[u32]) -> f64 {
        let (mut below, mut halves) = (0, 0);
        let (mut normal, mut defective) = (0, 0);
        for place in &self.0 {
            let times = u64::from(times[place.image]);
            if place.defective {
                defective += times;
            } else {
                normal += times;
            }
            if place.ends {
                halves += defective * (2 * below + normal);
                below += normal;
                (normal, defective) = (0, 0);
            }
        }
        halves as f64 / 2.0
    }
}

impl ImageScores {
    /// From labels (true = defective) and, for each seed, the scores of both variants; none where their numbers differ, or of one
    /// class.
    pub fn new(labels: &[bool], seeds: &[(Vec<f64>, Vec<f64>)]) -> Option<Self> {
        let whole = seeds.iter().all(|(one, two)| one.len() == labels.len() && two.len() == labels.len());
        let order = |scores: &[f64]| Order::of(labels, scores);
        let seeds = whole.then(|| seeds.iter().map(|(one, two)| (order(one), order(two))).collect())?;
        Some(Self { classes: Classes::of(labels)?, seeds })
    }
}

impl Images for ImageScores {
    fn classes(&self) -> &Classes {
        &self.classes
    }

    fn seeds(&self) -> usize {
        self.seeds.len()
    }

    fn difference(&self, seed: usize, times: &[u32]) -> Option<f64> {
        let (one, two) = &self.seeds[seed];
        let (defective, normal) = self.classes.counts();
        Some((one.wins(times) - two.wins(times)) / (defective * normal) as f64)
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
