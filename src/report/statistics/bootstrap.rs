//! The interval of a difference by resampling what was sampled: seeds, and within each the test images (Davison and Hinkley 1997,
//! §3.8). Categories stay: they were chosen.

use rand::Rng;
use rayon::prelude::*;

use super::ranks::count_below;
use crate::data::stream;

/// Resamples.
const RESAMPLES: u64 = 2000;

/// Image scores of two variants in one category.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoryScores {
    /// Whether each test image is defective.
    pub labels: Vec<bool>,
    /// For each seed, the scores of both variants, in the images' order.
    pub seeds: Vec<(Vec<f64>, Vec<f64>)>,
}

/// A difference with its 95 % percentile interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// The difference as measured.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Two-sided p-value: twice the smaller share of resamples on one side of 0.
    pub p: f64,
}

/// The mean difference of image AUROC, first minus second, over categories and seeds; none where a class is absent or nothing is
/// given. The same input gives the same numbers.
pub fn image_auroc_difference(categories: &[CategoryScores]) -> Option<Bootstrap> {
    let has_both = |scores: &CategoryScores| scores.labels.contains(&true) && scores.labels.contains(&false);
    if categories.is_empty() || !categories.iter().all(|scores| has_both(scores) && !scores.seeds.is_empty()) {
        return None;
    }
    let classes: Vec<(Vec<usize>, Vec<usize>)> =
        categories.iter().map(|scores| (0..scores.labels.len()).partition(|&image| scores.labels[image])).collect();
    let mean = of_all(categories, |index, seed| {
        let (positives, negatives) = &classes[index];
        difference(seed, positives, negatives)
    });
    let mut resampled: Vec<f64> = (0..RESAMPLES)
        .into_par_iter()
        .map(|resample| {
            let mut random = stream(0, "bootstrap", resample, 0);
            let mut draw = |from: usize| (random.next_u64() % from as u64) as usize;
            let sum: f64 = categories
                .iter()
                .zip(&classes)
                .map(|(scores, (positives, negatives))| {
                    let of_seed = |_| {
                        let seed = &scores.seeds[draw(scores.seeds.len())];
                        // Defective and normal images apart: a test set's shares are chosen, too.
                        let mut again = |class: &[usize]| -> Vec<usize> {
                            class.iter().map(|_| class[draw(class.len())]).collect()
                        };
                        let (positives, negatives) = (again(positives), again(negatives));
                        difference(seed, &positives, &negatives)
                    };
                    (0..scores.seeds.len()).map(of_seed).sum::<f64>() / scores.seeds.len() as f64
                })
                .sum();
            sum / categories.len() as f64
        })
        .collect();
    resampled.sort_by(f64::total_cmp);
    let at = |share: f64| resampled[(share * (resampled.len() - 1) as f64).round() as usize];
    let side = |below: bool| {
        let count = resampled.iter().filter(|value| if below { **value <= 0.0 } else { **value >= 0.0 }).count();
        (1 + count) as f64 / (1 + resampled.len()) as f64
    };
    Some(Bootstrap { mean, low: at(0.025), high: at(0.975), p: (2.0 * side(true).min(side(false))).min(1.0) })
}

fn of_all(categories: &[CategoryScores], value: impl Fn(usize, &(Vec<f64>, Vec<f64>)) -> f64) -> f64 {
    let of_category = |(index, scores): (usize, &CategoryScores)| {
        scores.seeds.iter().map(|seed| value(index, seed)).sum::<f64>() / scores.seeds.len() as f64
    };
    categories.iter().enumerate().map(of_category).sum::<f64>() / categories.len() as f64
}

fn difference((one, two): &(Vec<f64>, Vec<f64>), positives: &[usize], negatives: &[usize]) -> f64 {
    auroc(one, positives, negatives) - auroc(two, positives, negatives)
}

/// The share of (defective, normal) pairs in the right order; ties count half.
fn auroc(scores: &[f64], positives: &[usize], negatives: &[usize]) -> f64 {
    let mut low: Vec<f64> = negatives.iter().map(|&image| scores[image]).collect();
    low.sort_by(f64::total_cmp);
    let wins: f64 = positives.iter().map(|&image| count_below(&low, scores[image])).sum();
    wins / (positives.len() * negatives.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two variants on 40 images: defects of the first stand out by `gap` more.
    fn category(gap: f64, seeds: u64) -> CategoryScores {
        let labels: Vec<bool> = (0..40).map(|image| image % 2 == 0).collect();
        let scores = |seed: u64, variant: u64, gap: f64| -> Vec<f64> {
            let mut random = stream(seed, "scores", variant, 0);
            labels
                .iter()
                .map(|&label| (random.next_u32() >> 8) as f64 / (1 << 24) as f64 + if label { 0.3 + gap } else { 0.0 })
                .collect()
        };
        let seeds = (0..seeds).map(|seed| (scores(seed, 0, gap), scores(seed, 1, 0.0))).collect();
        CategoryScores { labels, seeds }
    }

    #[test]
    fn a_clear_difference_is_found_and_none_is_not() {
        let clear = image_auroc_difference(&[category(0.5, 8), category(0.5, 8)]).expect("two classes");
        assert!(clear.low > 0.0 && clear.p < 0.01 && clear.low < clear.mean && clear.mean < clear.high, "{clear:?}");
        let none = image_auroc_difference(&[category(0.0, 8)]).expect("two classes");
        assert!(none.low < 0.0 && none.high > 0.0 && none.p > 0.05, "{none:?}");
        assert_eq!(image_auroc_difference(&[category(0.0, 8)]), Some(none));
        assert_eq!(image_auroc_difference(&[]), None);
        let one_class = CategoryScores { labels: vec![true; 40], ..category(0.0, 2) };
        assert_eq!(image_auroc_difference(&[one_class]), None);
    }
}
