//! Area under the per-image overlap curve (Bertoldo et al. 2024, AUPIMO): measures how much of each defect is found while normal images
//! stay almost clean.
//!
//! The curve of a defective image is its recall over the false positive rate on the *normal images* alone. The area is over ln FPR from
//! 1e-5 to 1e-4, divided by the width. Between two rates that normal pixels can have, the recall is that of the lower rate. These steps are
//! exact; the published code samples thresholds and uses trapezoids.

use rayon::prelude::*;

use super::{Definition, Direction, Metric, MetricSource, Population, Resampling, Undefined};
use crate::evaluate::Measured;
use crate::statistics::Range;

/// AUPIMO as the mean over the defective test images.
pub(super) const AUPIMO: Metric = Metric::new(&Definition {
    name: "aupimo",
    label: "AUPIMO",
    description: "mean pixel recall of the defective images at pixel false positive rates from 1e-5 to 1e-4 on the normal images",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Maps(|pixels| match aupimo(&pixels.maps, &pixels.masks) {
        Ok(aupimo) => Measured { value: Some(aupimo.mean()), reason: aupimo.remark() },
        Err(undefined) => Measured::of(Err(undefined)),
    }),
    resampling: Resampling::Unavailable("test images are not resampled for AUPIMO"),
    objective: false,
    per_defect_kind: false,
});

/// False positive rates between which the curve is integrated.
const BOUNDS: (f64, f64) = (1e-5, 1e-4);

/// Areas under the curves of a test set's images.
#[derive(Debug, Clone, PartialEq)]
pub struct Aupimo {
    /// Area of each image with a defect, in the order of the images.
    pub areas: Vec<f64>,
    /// Number n of pixels in normal images: the false positive rate has steps of 1/n.
    normal_pixels: usize,
}

impl Aupimo {
    /// Returns the mean over images.
    pub fn mean(&self) -> f64 {
        self.areas.iter().sum::<f64>() / self.areas.len() as f64
    }

    /// Returns a remark if the lower bound of the false positive rate is less than one pixel.
    pub fn remark(&self) -> Option<String> {
        (BOUNDS.0 * (self.normal_pixels as f64) < 1.0).then(|| {
            format!(
                "coarse: with {} pixels in normal images, the false positive rate has steps of {:.1e}, but AUPIMO begins at {:.0e}",
                self.normal_pixels,
                1.0 / self.normal_pixels as f64,
                BOUNDS.0
            )
        })
    }
}

/// Computes the area of each image with a defect; masks are as in [`super::Sweep::of_maps`].
pub fn aupimo<S: AsRef<[f32]> + Sync, M: AsRef<[bool]> + Sync>(
    maps: &[S],
    masks: &[Option<M>],
) -> Result<Aupimo, Undefined> {
    let defective = |mask: &Option<M>| mask.as_ref().is_some_and(|mask| mask.as_ref().contains(&true));
    let pairs = || maps.iter().zip(masks);
    let mut normal: Vec<f32> =
        pairs().filter(|(_, mask)| !defective(mask)).flat_map(|(map, _)| map.as_ref().iter().copied()).collect();
    let normal_pixels = normal.len();
    let total = normal_pixels as f64;
    let wanted = (BOUNDS.1 * total).ceil() as usize + 1;
    if BOUNDS.1 * total < 1.0 {
        return Err(Undefined("there are fewer than 10,000 normal pixels in normal images"));
    }
    if !masks.iter().any(defective) {
        return Err(Undefined("nothing is defective"));
    }
    // Only the highest normal scores set the thresholds.
    if wanted < normal.len() {
        normal.select_nth_unstable_by(wanted, |a, b| b.total_cmp(a));
        normal.truncate(wanted);
    }
    normal.sort_unstable_by(|a, b| b.total_cmp(a));

    let pairs: Vec<_> = pairs().filter(|(_, mask)| defective(mask)).collect();
    let areas = pairs
        .into_par_iter()
        .map(|(map, mask)| {
            let mask = mask.as_ref().map_or(&[][..], AsRef::as_ref);
            let mut scores: Vec<f32> = map.as_ref().iter().zip(mask).filter(|(_, m)| **m).map(|(s, _)| *s).collect();
            scores.sort_unstable_by(|a, b| b.total_cmp(a));
            area(&normal, total, &scores)
        })
        .collect();
    Ok(Aupimo { areas, normal_pixels })
}

/// Returns the area for one image's defect scores; both lists are in descending order.
fn area(normal: &[f32], total: f64, defect: &[f32]) -> f64 {
    let (low, high) = BOUNDS;
    let (mut area, mut above, mut found) = (0.0, 0, 0);
    while above < normal.len() {
        // As long as thresholds stay above this score, `above` normal pixels are false alarms.
        let next = normal[above];
        while found < defect.len() && defect[found] > next {
            found += 1;
        }
        let tied = normal[above..].iter().take_while(|score| **score == next).count();
        let from = (above as f64 / total).max(low);
        let to = ((above + tied) as f64 / total).min(high);
        if to > from {
            area += found as f64 / defect.len() as f64 * (to / from).ln();
        }
        above += tied;
    }
    area / (high / low).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates one normal image of 100,000 pixels with the scores 1 … 100,000.
    fn normal() -> Vec<f32> {
        (1..=100_000).map(|v| v as f32).collect()
    }

    fn of(defect: Vec<f32>) -> f64 {
        let mask = vec![true; defect.len()];
        aupimo(&[normal(), defect], &[None, Some(mask)]).expect("defined").mean()
    }

    #[test]
    fn recall_is_weighted_by_the_logarithm_of_the_rate() {
        assert!((of(vec![200_000.0; 4]) - 1.0).abs() < 1e-12);
        assert_eq!(of(vec![0.0; 4]), 0.0);
        assert!((of(vec![200_000.0, 0.0]) - 0.5).abs() < 1e-12);
        // The pixel is found once two normal pixels are above the threshold, which is 2e-5 of all: ln(10 / 2) of ln 10 is left.
        assert!((of(vec![99_998.5]) - 5.0_f64.ln() / 10.0_f64.ln()).abs() < 1e-9);
        // A score that ties with a normal score is not above it.
        assert!((of(vec![99_998.0]) - (10.0_f64 / 3.0).ln() / 10.0_f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn only_the_order_of_scores_matters() {
        let defect =
            |change: fn(f32) -> f32| -> Vec<f32> { (0..50).map(|i| change(99_950.0 + 2.3 * i as f32)).collect() };
        let plain = of(defect(|v| v));
        let maps = [normal().into_iter().map(|v| (v / 1e5).powi(3)).collect(), defect(|v| (v / 1e5).powi(3))];
        let skewed = aupimo(&maps, &[None, Some(vec![true; 50])]).expect("defined").mean();
        assert!((plain - skewed).abs() < 1e-9, "{plain} {skewed}");
    }

    #[test]
    fn too_few_pixels_for_the_lowest_rate_give_a_remark() {
        let of = |pixels: usize| aupimo(&[vec![0.0; pixels], vec![1.0]], &[None, Some(vec![true])]).expect("defined");
        let remark = of(50_000).remark().expect("50,000 are too few");
        assert!(remark.starts_with("coarse: with 50000 pixels") && remark.contains("2.0e-5"), "{remark}");
        assert_eq!(of(100_000).remark(), None);
    }

    #[test]
    fn it_needs_normal_pixels_and_a_defect() {
        let few = aupimo(&[vec![0.0; 64], vec![1.0; 64]], &[None, Some(vec![true; 64])]);
        assert_eq!(few.map_err(|u| u.0), Err("there are fewer than 10,000 normal pixels in normal images"));
        assert_eq!(aupimo(&[normal()], &[None::<Vec<bool>>]), Err(Undefined("nothing is defective")));
    }
}
