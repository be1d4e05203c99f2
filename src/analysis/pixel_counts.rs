//! Computes a pixel metric of two variants on resampled images, from their histograms.

use pulp::Arch;

use crate::evaluate::metrics::{Histograms, Pooled, Weighing};
use crate::evaluate::{ImageHistogram, PixelHistograms};
use crate::statistics::{Classes, Images, LANES, ResamplingError, Times};

/// Histograms of two variants in one category.
pub struct PixelCounts {
    metric: &'static Histograms,
    classes: Classes,
    seeds: Vec<(NetworkCounts, NetworkCounts)>,
}

/// Histograms of one network, bins from high scores to low.
struct NetworkCounts {
    bins: usize,
    images: Vec<ImageCounts>,
}

struct ImageCounts {
    normal: Vec<u32>,
    /// Weighted counts of its defective pixels, by the metric's weighing; empty for a normal image.
    defective: Vec<f64>,
    components: f64,
}

impl PixelCounts {
    /// Builds the counts from both variants' histograms for each seed.
    ///
    /// # Errors
    /// The sides or seeds have different images, the images do not allow resampling, or a pixel sum could exceed 32 bits.
    pub fn new(
        metric: &'static Histograms,
        seeds: Vec<(PixelHistograms, PixelHistograms)>,
    ) -> Result<Self, ResamplingError> {
        let is_defective = |histograms: &PixelHistograms| -> Vec<bool> {
            histograms.images.iter().map(|image| !image.components.is_empty()).collect()
        };
        let labels = seeds.first().map(|(one, _)| is_defective(one)).unwrap_or_default();
        if seeds.iter().any(|(one, two)| is_defective(one) != labels || is_defective(two) != labels) {
            return Err(ResamplingError::DifferentImages);
        }
        let classes = Classes::of(&labels)?;
        let counts =
            |(one, two)| Some((NetworkCounts::of(metric.weighing, one)?, NetworkCounts::of(metric.weighing, two)?));
        let seeds = seeds.into_iter().map(counts).collect::<Option<_>>().ok_or(ResamplingError::TooManyPixels)?;
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

    fn differences(&self, seed: usize, times: &[Times]) -> Option<[f64; LANES]> {
        let (one, two) = &self.seeds[seed];
        let mut differences = [0.0; LANES];
        for (lane, difference) in differences.iter_mut().enumerate() {
            let times: Vec<u32> = times.iter().map(|of_image| of_image[lane]).collect();
            let value = |network: &NetworkCounts| Arch::new().dispatch(|| network.value(self.metric, &times));
            *difference = value(one)? - value(two)?;
        }
        Some(differences)
    }
}

impl NetworkCounts {
    /// Returns `None` if a sum over all drawn pixels could exceed 32 bits.
    fn of(weighing: Weighing, histograms: PixelHistograms) -> Option<Self> {
        let largest =
            histograms.images.iter().map(|image| image.normal.iter().map(|n| u64::from(*n)).sum::<u64>()).max();
        u32::try_from(largest? * histograms.images.len() as u64).ok()?;
        let bins = histograms.bins;
        let of_image = |image: ImageHistogram| {
            let mut defective = if image.components.is_empty() { Vec::new() } else { vec![0.0; bins] };
            for component in &image.components {
                let size: f64 = component.iter().map(|n| f64::from(*n)).sum();
                let weight = match weighing {
                    Weighing::Pixels => 1.0,
                    Weighing::Components => 1.0 / size,
                };
                defective.iter_mut().zip(component).for_each(|(sum, n)| *sum += weight * f64::from(*n));
            }
            ImageCounts { normal: image.normal, defective, components: image.components.len() as f64 }
        };
        Some(Self { bins, images: histograms.images.into_iter().map(of_image).collect() })
    }

    /// Returns the metric's value, with each image taken as often as `times` says; `None` if a class has no pixel.
    #[inline(always)]
    fn value(&self, metric: &Histograms, times: &[u32]) -> Option<f64> {
        let (mut normal, mut defective, mut components) = (vec![0_u32; self.bins], vec![0.0_f64; self.bins], 0.0);
        for (image, &times) in self.images.iter().zip(times).filter(|(_, times)| **times > 0) {
            // No sum exceeds 32 bits (see `of`). A check for each pixel would keep the loop out of vectors.
            normal.iter_mut().zip(&image.normal).for_each(|(sum, n)| *sum = sum.wrapping_add(times.wrapping_mul(*n)));
            defective.iter_mut().zip(&image.defective).for_each(|(sum, n)| *sum += f64::from(times) * n);
            components += f64::from(times) * image.components;
        }
        (metric.value)(&Pooled { normal: &normal, defective: &defective, components })
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::data::stream;
    use crate::evaluate::metrics::{AUPRO, Metric, Pixels, Resampling, Scored, Sweep, Undefined};

    const SIDE: usize = 24;

    /// Returns maps of eight images and their masks. The odd images have two defects that stand out by `gap`.
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

    /// Returns the metrics that are computed from histograms.
    fn resampled() -> impl Iterator<Item = (Metric, &'static Histograms)> {
        Metric::all().filter_map(|metric| Some((metric, of_histograms(metric)?)))
    }

    fn of_histograms(metric: Metric) -> Option<&'static Histograms> {
        match metric.resampling() {
            Resampling::Histograms(histograms) => Some(histograms),
            Resampling::ImageRanks | Resampling::Unavailable(_) => None,
        }
    }

    #[test]
    fn resampled_images_give_the_values_of_the_exact_metrics() {
        let drawn = [1, 1, 5, 7, 0, 0, 4];
        let (maps, masks) = images(3, 0.4);
        let again = drawn.iter().map(|&i| (maps[i].as_slice(), masks[i].as_deref()));
        let (again, of_again) = again.unzip();
        let scored = Scored {
            images: Sweep::of_labels(&[], &[]).expect("finite"),
            threshold: Err(Undefined("there is none")),
            segmented: Err(Undefined("no threshold is set")),
            saturated: Err(Undefined("no saturation areas are known")),
            pixels: Ok(Pixels::of(again, of_again, SIDE).expect("finite")),
        };
        let times: Vec<u32> = (0..8).map(|image| drawn.iter().filter(|&&i| i == image).count() as u32).collect();
        assert!(resampled().count() > 1);
        for (metric, histogram) in resampled() {
            let exact = metric.measure(&scored).value.expect("both classes");
            let counts = NetworkCounts::of(histogram.weighing, histograms(3, 0.4)).expect("small");
            let ours = counts.value(histogram, &times).expect("both classes");
            assert!((ours - exact).abs() < 1e-3, "{metric}: {ours}, not {exact}");
        }
    }

    #[test]
    fn different_images_and_a_single_class_cannot_be_resampled() {
        let (maps, _) = images(0, 0.0);
        let masks = vec![None::<Vec<bool>>; maps.len()];
        let sweep = Sweep::of_maps(&maps, &masks, SIDE).expect("finite");
        let normal = || PixelHistograms::of(&maps, &masks, SIDE, &sweep);
        let new = |one, two| PixelCounts::new(of_histograms(AUPRO).expect("it is"), vec![(one, two)]).err();
        assert_eq!(new(histograms(0, 0.1), normal()), Some(ResamplingError::DifferentImages));
        assert_eq!(new(normal(), normal()), Some(ResamplingError::FewImages));
        assert_eq!(new(histograms(0, 0.1), histograms(1, 0.1)), None);
    }
}
