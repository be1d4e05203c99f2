//! Pixel AUROC and AUPRO of two variants on drawn images, from their histograms.

use crate::evaluate::PixelHistograms;
use crate::evaluate::metrics::PRO_LIMIT;
use crate::statistics::{Classes, Images, Undrawn};

/// Which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelMetric {
    /// Pixels of one bin count as tied.
    Auroc,
    /// Between the bins' edges the curve is a straight line.
    Aupro,
}

/// The histograms of two variants in one category.
pub struct PixelCounts {
    metric: PixelMetric,
    classes: Classes,
    seeds: Vec<(Counts, Counts)>,
}

/// One network's histograms, bins from high scores to low.
struct Counts {
    bins: usize,
    images: Vec<ImageCounts>,
}

struct ImageCounts {
    normal: Vec<u32>,
    /// Empty for a normal image: for AUROC its defective pixels, for AUPRO the share of each component, summed over components.
    found: Vec<f64>,
    components: f64,
}

impl PixelCounts {
    /// From both variants' histograms for each seed.
    pub fn new(metric: PixelMetric, seeds: Vec<(PixelHistograms, PixelHistograms)>) -> Result<Self, Undrawn> {
        let is_defective = |histograms: &PixelHistograms| -> Vec<bool> {
            histograms.images.iter().map(|image| !image.components.is_empty()).collect()
        };
        let labels = seeds.first().map(|(one, _)| is_defective(one)).unwrap_or_default();
        if seeds.iter().any(|(one, two)| is_defective(one) != labels || is_defective(two) != labels) {
            return Err(Undrawn::OtherImages);
        }
        let classes = Classes::of(&labels)?;
        let counts = |(one, two)| Some((Counts::of(metric, one)?, Counts::of(metric, two)?));
        let seeds = seeds.into_iter().map(counts).collect::<Option<_>>().ok_or(Undrawn::TooManyPixels)?;
        Ok(Self { metric, classes, seeds })
    }
}

impl Images for PixelCounts {
    fn classes(&self) -> &Classes {
        &self.classes
    }

    fn seeds(&self) -> usize {
        self.seeds.len()
    }

    fn difference(&self, seed: usize, times: &[u32]) -> Option<f64> {
        let (one, two) = &self.seeds[seed];
        Some(one.value(self.metric, times)? - two.value(self.metric, times)?)
    }
}

impl Counts {
    /// None where a sum of all drawn pixels could exceed 32 bits.
    fn of(metric: PixelMetric, histograms: PixelHistograms) -> Option<Self> {
        let largest =
            histograms.images.iter().map(|image| image.normal.iter().map(|n| u64::from(*n)).sum::<u64>()).max();
        u32::try_from(largest? * histograms.images.len() as u64).ok()?;
        let bins = histograms.bins;
        let of_image = |image: crate::evaluate::ImageHistogram| {
            let mut found = if image.components.is_empty() { Vec::new() } else { vec![0.0; bins] };
            for component in &image.components {
                let size: f64 = component.iter().map(|n| f64::from(*n)).sum();
                let weight = if metric == PixelMetric::Aupro { 1.0 / size } else { 1.0 };
                found.iter_mut().zip(component).for_each(|(sum, n)| *sum += weight * f64::from(*n));
            }
            ImageCounts { normal: image.normal, found, components: image.components.len() as f64 }
        };
        Some(Self { bins, images: histograms.images.into_iter().map(of_image).collect() })
    }

    /// The number on images that are each taken so many times; none where a class has no pixel.
    fn value(&self, metric: PixelMetric, times: &[u32]) -> Option<f64> {
        let (mut normal, mut found, mut components) = (vec![0_u32; self.bins], vec![0.0_f64; self.bins], 0.0);
        for (image, &times) in self.images.iter().zip(times).filter(|(_, times)| **times > 0) {
            normal.iter_mut().zip(&image.normal).for_each(|(sum, n)| *sum += times * n);
            found.iter_mut().zip(&image.found).for_each(|(sum, n)| *sum += f64::from(times) * n);
            components += f64::from(times) * image.components;
        }
        match metric {
            PixelMetric::Auroc => auroc(&normal, &found),
            PixelMetric::Aupro => aupro(&normal, &found, components),
        }
    }
}

/// The Mann–Whitney share; ties, here bins, count half.
fn auroc(normal: &[u32], defective: &[f64]) -> Option<f64> {
    let (mut above, mut wins, mut negatives) = (0.0, 0.0, 0.0);
    for (normal, defective) in normal.iter().zip(defective) {
        wins += f64::from(*normal) * (above + defective / 2.0);
        above += defective;
        negatives += f64::from(*normal);
    }
    (above > 0.0 && negatives > 0.0).then(|| wins / (above * negatives))
}

/// As [`crate::evaluate::metrics::aupro`], with the bins' edges as thresholds.
fn aupro(normal: &[u32], overlap: &[f64], components: f64) -> Option<f64> {
    let negatives: f64 = normal.iter().map(|n| f64::from(*n)).sum();
    if negatives <= 0.0 || components <= 0.0 {
        return None;
    }
    let (mut x, mut y, mut area) = (0.0, 0.0, 0.0);
    for (normal, overlap) in normal.iter().zip(overlap) {
        let (next_x, next_y) = (x + f64::from(*normal) / negatives, y + overlap / components);
        if next_x >= PRO_LIMIT {
            let share = if next_x > x { (PRO_LIMIT - x) / (next_x - x) } else { 0.0 };
            area += (PRO_LIMIT - x) * (2.0 * y + share * (next_y - y)) / 2.0;
            return Some(area / PRO_LIMIT);
        }
        area += (next_x - x) * (y + next_y) / 2.0;
        (x, y) = (next_x, next_y);
    }
    Some((area + (PRO_LIMIT - x) * y) / PRO_LIMIT)
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::data::stream;
    use crate::evaluate::metrics;
    use crate::evaluate::metrics::Sweep;

    const SIDE: usize = 24;

    /// Maps of eight images, the odd ones with two defects that stand out by `gap`, and their masks.
    fn images(seed: u64, gap: f32) -> (Vec<Vec<f32>>, Vec<Option<Vec<bool>>>) {
        let mut random = stream(seed, "maps", 0, 0);
        let masks: Vec<Option<Vec<bool>>> = (0..8_usize)
            .map(|image| {
                let inside = |i: usize| (i / SIDE < 4 && i % SIDE < 4 + image) || (i / SIDE > 15 && i % SIDE == 20);
                (image % 2 == 1).then(|| (0..SIDE * SIDE).map(inside).collect())
            })
            .collect();
        let map = |mask: &Option<Vec<bool>>| {
            let of_pixel = |pixel: usize| {
                let defective = mask.as_ref().is_some_and(|mask| mask[pixel]);
                (random.next_u32() >> 8) as f32 / (1 << 24) as f32 + if defective { gap } else { 0.0 }
            };
            (0..SIDE * SIDE).map(of_pixel).collect()
        };
        let maps = masks.iter().map(map).collect();
        (maps, masks)
    }

    fn histograms(seed: u64, gap: f32) -> PixelHistograms {
        let (maps, masks) = images(seed, gap);
        let sweep = Sweep::of_maps(&maps, &masks, SIDE).expect("finite");
        PixelHistograms::of(&maps, &masks, SIDE, &sweep)
    }

    #[test]
    fn drawn_images_have_the_numbers_that_the_exact_metrics_give_them() {
        let drawn = [1, 1, 5, 7, 0, 0, 4];
        let (maps, masks) = images(3, 0.4);
        let (again, of_again): (Vec<_>, Vec<_>) = drawn.iter().map(|&i| (maps[i].clone(), masks[i].clone())).unzip();
        let sweep = Sweep::of_maps(&again, &of_again, SIDE).expect("finite");
        let times: Vec<u32> = (0..8).map(|image| drawn.iter().filter(|&&one| one == image).count() as u32).collect();
        for (metric, exact) in [
            (PixelMetric::Auroc, metrics::auroc(&sweep).expect("both classes")),
            (PixelMetric::Aupro, metrics::aupro(&sweep, PRO_LIMIT).expect("both classes")),
        ] {
            let counts = Counts::of(metric, histograms(3, 0.4)).expect("small");
            let ours = counts.value(metric, &times).expect("both classes");
            assert!((ours - exact).abs() < 1e-3, "{metric:?}: {ours}, not {exact}");
        }
    }

    #[test]
    fn other_images_and_one_class_cannot_be_drawn() {
        let (maps, _) = images(0, 0.0);
        let masks = vec![None::<Vec<bool>>; maps.len()];
        let sweep = Sweep::of_maps(&maps, &masks, SIDE).expect("finite");
        let normal = || PixelHistograms::of(&maps, &masks, SIDE, &sweep);
        let new = |one, two| PixelCounts::new(PixelMetric::Aupro, vec![(one, two)]).err();
        assert_eq!(new(histograms(0, 0.1), normal()), Some(Undrawn::OtherImages));
        assert_eq!(new(normal(), normal()), Some(Undrawn::FewImages));
        assert_eq!(new(histograms(0, 0.1), histograms(1, 0.1)), None);
    }
}
