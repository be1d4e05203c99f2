//! Area under the saturated per-region overlap curve of MVTec LOCO AD.
//!
//! The source is Bergmann et al., "Beyond Dents and Scratches: Logical Constraints in Unsupervised Anomaly Detection and Localization",
//! IJCV 2022, §5.1.
//!
//! sPRO(t) is the mean, over all defects, of min(n / s, 1): n pixels of the defect are at or above t, and s is its saturation area. FPR(t)
//! is over the normal pixels of all images. Every distinct score is a threshold, as for AUPRO. A defect is what one mask of an image marks
//! with one value, whether its pixels are connected or not.

use rayon::prelude::*;

use super::aupro::{PRO_LIMIT, area_to};
use super::{Definition, Direction, Metric, MetricSource, Population, Resampling, SaturatedDefects, Sweep, Undefined};
use crate::evaluate::Measured;
use crate::statistics::Range;
use crate::text::counted;

/// AU-sPRO up to the false positive rate that is customary for MVTec LOCO.
pub(super) const AUSPRO_05: Metric = Metric::new(&Definition {
    name: "auspro_05",
    label: "AU-sPRO (FPR ≤ 0.05)",
    description: "area under the saturated per-region overlap curve up to a false positive rate of 0.05; needs the `defects_config.json` \
                  of MVTec LOCO",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Saturated(|pixels, defects| measured(pixels, defects, 0.05)),
    resampling: NOT_RESAMPLED,
    objective: false,
    per_defect_kind: true,
});

/// AU-sPRO up to the false positive rate of AUPRO.
pub(super) const AUSPRO: Metric = Metric::new(&Definition {
    name: "auspro",
    label: "AU-sPRO",
    description: "as `auspro_05`, up to a false positive rate of 0.3",
    direction: Direction::Higher,
    range: Range::SHARE,
    population: Population::Test,
    source: MetricSource::Saturated(|pixels, defects| measured(pixels, defects, PRO_LIMIT)),
    resampling: NOT_RESAMPLED,
    objective: false,
    per_defect_kind: true,
});

/// Reason why test images are not resampled for these metrics.
const NOT_RESAMPLED: Resampling = Resampling::Unavailable("test images are not resampled for sPRO");

fn measured(pixels: &Sweep, defects: &SaturatedDefects<'_>, limit: f64) -> Measured {
    let value = auspro(pixels, defects, limit);
    let vanished = defects.defects.iter().copied().flatten().filter(|defect| defect.pixels.is_empty()).count();
    let remark = || format!("{} without a pixel at this image size: not counted", counted(vanished, "defect"));
    let reason = (value.is_ok() && vanished > 0).then(remark);
    Measured { reason: reason.or_else(|| value.err().map(|undefined| undefined.to_string())), value: value.ok() }
}

/// Returns the area under sPRO(FPR) from 0 to `limit`, divided by `limit`. The pixels are those of the same images.
fn auspro(pixels: &Sweep, defects: &SaturatedDefects<'_>, limit: f64) -> Result<f64, Undefined> {
    let (_, negatives) = pixels.both_classes()?;
    let gains = gains(defects);
    if gains.is_empty() {
        return Err(Undefined("no defect has a pixel at this image size"));
    }
    let mut rest = gains.as_slice();
    let mut overlap = 0.0;
    let points = pixels.thresholds().map(|threshold| {
        let reached = rest.partition_point(|(score, _)| *score >= threshold.score);
        overlap += rest[..reached].iter().map(|(_, gain)| gain).sum::<f64>();
        rest = &rest[reached..];
        (threshold.false_positives as f64 / negatives as f64, overlap)
    });
    Ok(area_to(limit, points))
}

/// Returns how much each pixel of a defect adds to sPRO once its score is reached, from high scores to low. A saturated defect gains
/// nothing more.
fn gains(defects: &SaturatedDefects<'_>) -> Vec<(f32, f64)> {
    let all = defects.maps.par_iter().zip(&defects.defects).flat_map_iter(|(map, defects)| {
        defects.iter().filter(|defect| !defect.pixels.is_empty()).map(move |defect| (*map, defect))
    });
    let of_defect = |(map, defect): (&[f32], &crate::data::SaturatedDefect)| -> Vec<(f32, f64)> {
        let mut scores: Vec<f32> = defect.pixels.iter().map(|pixel| map[*pixel as usize]).collect();
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        let share = |found: usize| (found as f64 / defect.saturation).min(1.0);
        let gain = |(index, score): (usize, f32)| (score, share(index + 1) - share(index));
        scores.into_iter().enumerate().map(gain).take_while(|(_, gain)| *gain > 0.0).collect()
    };
    let of_defects: Vec<Vec<(f32, f64)>> = all.map(of_defect).collect();
    let count = of_defects.len() as f64;
    let mut gains: Vec<(f32, f64)> =
        of_defects.into_iter().flatten().map(|(score, gain)| (score, gain / count)).collect();
    // A stable sort keeps the order of sums, so the result has the same bits on any number of threads.
    gains.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    gains
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::SaturatedDefect;

    /// Measures maps of 10 pixels in a row.
    fn of(maps: &[Vec<f32>], defects: &[Vec<SaturatedDefect>], limit: f64) -> Result<f64, Undefined> {
        let mask = |defects: &Vec<SaturatedDefect>| {
            let is_defective = |pixel| defects.iter().any(|defect| defect.pixels.contains(&pixel));
            Some((0..10).map(is_defective).collect::<Vec<bool>>())
        };
        let masks: Vec<Option<Vec<bool>>> = defects.iter().map(mask).collect();
        let sweep = Sweep::of_maps(maps, &masks, 10).expect("finite");
        let maps = maps.iter().map(Vec::as_slice).collect();
        auspro(&sweep, &SaturatedDefects { maps, defects: defects.iter().map(Vec::as_slice).collect() }, limit)
    }

    fn defect(pixels: impl IntoIterator<Item = u32>, saturation: f64) -> SaturatedDefect {
        SaturatedDefect { pixels: pixels.into_iter().collect(), saturation }
    }

    #[test]
    fn a_saturated_defect_counts_as_found() {
        // The scores fall from left to right. The defect has the pixels 1, 3, 5 and 7.
        let maps = [(0..10).map(|pixel| 1.0 - pixel as f32 / 10.0).collect()];
        let of = |saturation, limit| of(&maps, &[vec![defect([1, 3, 5, 7], saturation)]], limit);
        // Six pixels are normal. The curve is a line from (0, 0) to (1/6, 0), then up to (1/6, 1/s) and so on.
        let close = |found: Result<f64, Undefined>, expected: f64| {
            let found = found.expect("defined");
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        };
        // Points (1/6, 0), (1/6, ½), (2/6, ½), (2/6, 1), and 1 from there on.
        close(of(2.0, 1.0), (0.5 + 4.0) / 6.0);
        // Until 2/6 the area is ½ · 1/6, divided by 2/6.
        close(of(2.0, 2.0 / 6.0), 0.25);
        // With its own area as saturation, sPRO is PRO: ¼, ½, ¾, 1.
        close(of(4.0, 1.0), (0.25 + 0.5 + 0.75 + 2.0) / 6.0);
        // The last pixel that counts adds a part: ⅔, then 1.
        close(of(1.5, 1.0), (2.0 / 3.0 + 4.0) / 6.0);
    }

    #[test]
    fn defects_weigh_the_same_and_may_overlap() {
        let maps = [vec![0.9, 0.8, 0.7, 0.6, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], vec![0.0; 10]];
        // Both defects of the first image share pixel 1. The defect of the second image is never found before all pixels are.
        let defects = [vec![defect([0, 1], 2.0), defect([1, 2, 3], 1.0)], vec![defect([4], 1.0)]];
        let found = of(&maps, &defects, 0.5).expect("defined");
        // All normal pixels have score 0: one line from (0, ⅔) to (1, 1), which is at ⅚ at the limit.
        assert!((found - (2.0 / 3.0 + 5.0 / 6.0) / 2.0).abs() < 1e-12, "{found}");
    }

    #[test]
    fn a_defect_that_vanished_does_not_count_and_gives_a_remark() {
        let map = [1.0, 0.0];
        let sweep = Sweep::of_maps(&[map], &[Some(vec![true, false])], 2).expect("finite");
        let measure = |defects: &[SaturatedDefect]| {
            measured(&sweep, &SaturatedDefects { maps: vec![&map], defects: vec![defects] }, 0.05)
        };
        let found = measure(&[defect([0], 1.0), defect([], 3.0)]);
        assert_eq!(found.value, Some(1.0));
        assert_eq!(found.reason.as_deref(), Some("1 defect without a pixel at this image size: not counted"));
        assert_eq!(measure(&[defect([0], 1.0)]), Measured::value(1.0));
        assert_eq!(measure(&[]).reason.as_deref(), Some("no defect has a pixel at this image size"));
    }
}
