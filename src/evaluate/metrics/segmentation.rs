//! SegF1 and ClassF1, the measures of MVTec AD 2 (Heckler-Kram et al. 2025) at one threshold for all pixels of a category.
//!
//! The threshold is that of the data set's baselines: mean + 3 standard deviations over all pixels of the maps of held-out normals. Pixels
//! strictly above it are called defective, and so are images with such a pixel. So both numbers follow from one binary map per image.

use rayon::prelude::*;

use super::{Definition, Direction, Metric, MetricSource, Population, Resampling, Segmented, Sweep, Undefined};
use crate::statistics::Range;

/// F1 over the pixels of all test images.
pub(super) const SEG_F1: Metric = Metric::new(&Definition {
    name: "seg_f1",
    label: "SegF1",
    description: "F1 of all test pixels at the threshold of MVTec AD 2's baselines: mean + 3 standard deviations of the held-out pixels",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::PixelThreshold(seg_f1),
    resampling: NOT_RESAMPLED,
    objective: false,
    per_defect_kind: false,
});

/// F1 over the test images.
pub(super) const CLASS_F1: Metric = Metric::new(&Definition {
    name: "class_f1",
    label: "ClassF1",
    description: "F1 of the test images; an image is called defective if one of its pixels is, at the threshold of `seg_f1`",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Segmented(class_f1),
    resampling: NOT_RESAMPLED,
    objective: false,
    per_defect_kind: false,
});

/// Reason why test images are not resampled for these metrics.
const NOT_RESAMPLED: Resampling = Resampling::Unavailable("test images are not resampled for numbers at a threshold");

fn seg_f1(pixels: &Sweep, threshold: f64) -> Result<f64, Undefined> {
    let (true_positives, false_positives) = pixels.above(threshold);
    f1(true_positives, false_positives, pixels.positives())
}

fn class_f1(images: &Segmented<'_>) -> Result<f64, Undefined> {
    let is_called = |map: &&[f32]| map.iter().any(|value| f64::from(*value) > images.threshold);
    let called: Vec<bool> = images.maps.par_iter().map(is_called).collect();
    let count = |label: bool| images.labels.iter().zip(&called).filter(|(l, called)| **l == label && **called).count();
    let positives = images.labels.iter().filter(|label| **label).count();
    f1(count(true) as u64, count(false) as u64, positives as u64)
}

/// Returns F1 = 2·TP / (2·TP + FP + FN). Without a defect there is nothing to find.
fn f1(true_positives: u64, false_positives: u64, positives: u64) -> Result<f64, Undefined> {
    match positives {
        0 => Err(Undefined("nothing is defective")),
        _ => Ok(2.0 * true_positives as f64 / (true_positives + false_positives + positives) as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_at_the_threshold_are_normal() {
        let maps = [vec![0.5, 0.6, 0.4, 0.1], vec![0.5, 0.5, 0.5, 0.5], vec![0.9, 0.9, 0.1, 0.1]];
        let masks = [None, Some(vec![true, false, false, false]), Some(vec![true, true, true, false])];
        let sweep = Sweep::of_maps(&maps, &masks, 2).expect("finite");
        // Two of four defective pixels are found, and one normal pixel is called defective.
        assert_eq!(seg_f1(&sweep, 0.5), Ok(4.0 / 7.0));
        let maps: Vec<&[f32]> = maps.iter().map(Vec::as_slice).collect();
        let images = Segmented { maps, labels: vec![false, true, true], threshold: 0.5 };
        // The first image is a false alarm, the second is missed.
        assert_eq!(class_f1(&images), Ok(0.5));
        assert_eq!(class_f1(&Segmented { threshold: 0.95, ..images }), Ok(0.0));
    }

    #[test]
    fn without_a_defect_both_are_undefined() {
        let sweep = Sweep::of_maps(&[vec![1.0]], &[None::<Vec<bool>>], 1).expect("finite");
        assert_eq!(seg_f1(&sweep, 0.5), Err(Undefined("nothing is defective")));
        let images = Segmented { maps: vec![&[1.0]], labels: vec![false], threshold: 0.5 };
        assert_eq!(class_f1(&images), Err(Undefined("nothing is defective")));
    }
}
