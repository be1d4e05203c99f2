//! Combines per-level distance maps into one anomaly map and one score per image.
//!
//! A rule may need statistics of the held-out normals: quantiles or variance per level, mean and standard deviation per pixel. It is fitted
//! to these images first; no test image is used.

use std::borrow::Cow;

use rayon::prelude::*;

use super::resample::{gaussian, resize_bilinear};
use super::threshold::quantile_of_sorted;
use super::{Aggregate, Border, EvaluateSettings, ImageScoreRule, LevelMaps, Normalise};

/// Quantiles of a level's held-out values that are mapped to 0 and [`UNIT`] (Batzner et al. 2024, EfficientAD).
const QUANTILES: (f64, f64) = (0.9, 0.995);
/// Value to which the upper quantile is mapped.
const UNIT: f64 = 0.1;

/// Smallest number of held-out images for a standard deviation per pixel.
const MIN_REWEIGHTED: usize = 2;

/// The anomaly map of one image at evaluation resolution.
#[derive(Debug, Clone, PartialEq)]
pub struct FinalMap {
    /// Pixels per side.
    pub side: usize,
    /// Values, row-major.
    pub values: Vec<f32>,
    /// Score of the image.
    pub score: f32,
}

impl AsRef<[f32]> for FinalMap {
    fn as_ref(&self) -> &[f32] {
        &self.values
    }
}

/// Transform of a level's values before levels are joined, (v − offset) · scale, and the weight of the level.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Level {
    offset: f32,
    scale: f32,
    weight: f32,
}

/// Mean and standard deviation of every pixel of the held-out maps.
#[derive(Debug, Clone, PartialEq)]
struct Pixels {
    mean: Vec<f32>,
    /// Average of the pixel's own standard deviation and the mean one of all pixels: with few images, a pixel's own one is uncertain.
    deviation: Vec<f32>,
}

/// A map rule, fitted to the held-out normals.
#[derive(Debug, Clone, PartialEq)]
pub struct MapRule {
    settings: EvaluateSettings,
    levels: Vec<Level>,
    pixels: Option<Pixels>,
}

impl MapRule {
    /// Fits the rule of `settings` to the maps of held-out normals; `side` is that of the final maps.
    pub fn fit(settings: &EvaluateSettings, held_out: &[LevelMaps], side: usize) -> Self {
        let mut rule = Self { settings: settings.clone(), levels: levels(settings, held_out), pixels: None };
        if settings.border == Border::Reweight {
            rule.pixels = pixels(rule.final_maps(held_out, side).iter());
        }
        rule
    }

    /// Returns the result of `of` for each held-out image, with the rule fitted to the other images. With a rule that was also fitted to
    /// it, an image would look more normal than a new image. Returns `None` if too few images remain to fit the rule.
    pub fn leave_one_out<T: Send>(
        settings: &EvaluateSettings,
        held_out: &[LevelMaps],
        side: usize,
        of: impl Fn(usize, &Self) -> T + Sync,
    ) -> Option<Vec<T>> {
        let without_pixels = Self { settings: settings.clone(), levels: levels(settings, held_out), pixels: None };
        let images = held_out.first().map_or(0, LevelMaps::len);
        let reweights = settings.border == Border::Reweight;
        let min = if reweights { MIN_REWEIGHTED } else { 1 };
        if settings.is_fitted() && images <= min {
            return None;
        }
        let shared = (reweights && !settings.fits_levels()).then(|| without_pixels.final_maps(held_out, side));
        let rule = |image: usize| match &shared {
            Some(maps) => {
                let others = maps.iter().enumerate().filter(|(other, _)| *other != image).map(|(_, map)| map);
                Cow::Owned(Self { pixels: pixels(others), ..without_pixels.clone() })
            }
            None if settings.fits_levels() => {
                let others: Vec<LevelMaps> = held_out.iter().map(|maps| maps.without(image)).collect();
                Cow::Owned(Self::fit(settings, &others, side))
            }
            None => Cow::Borrowed(&without_pixels),
        };
        Some((0..images).into_par_iter().map(|image| of(image, &rule(image))).collect())
    }

    /// Returns the final maps of all images, in their order.
    pub fn final_maps(&self, levels: &[LevelMaps], side: usize) -> Vec<FinalMap> {
        let images = levels.first().map_or(0, LevelMaps::len);
        (0..images).into_par_iter().map(|image| self.final_map(levels, image, side)).collect()
    }

    /// Returns the final map of one image at `side`².
    pub fn final_map(&self, levels: &[LevelMaps], image: usize, side: usize) -> FinalMap {
        let size = self.settings.fuse_size;
        let fused = join(self.settings.aggregate, levels, &self.levels, image, size);
        let mut values = resize_bilinear(&fused, size, size, side, side);
        if self.settings.smoothing_sigma > 0.0 {
            values = gaussian(&values, side, self.settings.smoothing_sigma);
        }
        if let Border::Crop { border_crop: pixels } = self.settings.border {
            crop(&mut values, side, pixels);
        }
        if let Some(Pixels { mean, deviation }) = &self.pixels {
            for ((value, mean), deviation) in values.iter_mut().zip(mean).zip(deviation) {
                *value = (*value - mean) / deviation;
            }
        }
        let score = image_score(self.settings.image_score, &values);
        FinalMap { side, values, score }
    }
}

/// Joins the levels of one image at `size`².
fn join(aggregate: Aggregate, maps: &[LevelMaps], levels: &[Level], image: usize, size: usize) -> Vec<f32> {
    let mut fused = vec![if aggregate == Aggregate::Product { 1.0 } else { 0.0 }; size * size];
    for (level, &Level { offset, scale, weight }) in maps.iter().zip(levels) {
        let map = resize_bilinear(level.image(image), level.height, level.width, size, size);
        for (fused, value) in fused.iter_mut().zip(map) {
            let value = (value - offset) * scale;
            match aggregate {
                Aggregate::Product => *fused *= value,
                Aggregate::Sum | Aggregate::Mean | Aggregate::Weighted => *fused += weight * value,
            }
        }
    }
    fused
}

fn levels(settings: &EvaluateSettings, held_out: &[LevelMaps]) -> Vec<Level> {
    let scaled: Vec<(f64, f64)> = held_out
        .iter()
        .map(|maps| match settings.normalise {
            Normalise::None => (0.0, 1.0),
            Normalise::HeldOut => {
                let mut sorted = maps.values.clone();
                sorted.par_sort_unstable_by(f32::total_cmp);
                let at = |q| quantile_of_sorted(&sorted, q).unwrap_or(0.0);
                let (low, high) = (at(QUANTILES.0), at(QUANTILES.1));
                // If the quantiles are equal, the values have no scale of their own.
                (low, if high > low { UNIT / (high - low) } else { 1.0 })
            }
        })
        .collect();
    let weights: Vec<f64> = match settings.aggregate {
        Aggregate::Product | Aggregate::Sum => vec![1.0; held_out.len()],
        Aggregate::Mean => vec![1.0 / held_out.len() as f64; held_out.len()],
        Aggregate::Weighted => {
            let inverse: Vec<f64> = held_out
                .iter()
                .zip(&scaled)
                .map(|(maps, (_, scale))| 1.0 / (variance(&maps.values) * scale * scale).max(f64::MIN_POSITIVE))
                .collect();
            let total: f64 = inverse.iter().sum();
            // A level without spread on normals would take all the weight, or its weight would overflow.
            match total.is_finite() && inverse.iter().all(|weight| *weight < 1e12) {
                true => inverse.iter().map(|weight| weight / total).collect(),
                false => vec![1.0 / held_out.len() as f64; held_out.len()],
            }
        }
    };
    scaled
        .into_iter()
        .zip(weights)
        .map(|((offset, scale), weight)| Level { offset: offset as f32, scale: scale as f32, weight: weight as f32 })
        .collect()
}

fn variance(values: &[f32]) -> f64 {
    let count = values.len().max(1) as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
    values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count
}

/// Returns `None` for fewer than two maps, and for maps that are all equal.
fn pixels<'m>(maps: impl Iterator<Item = &'m FinalMap> + Clone) -> Option<Pixels> {
    let count = maps.clone().count();
    let length = maps.clone().next().filter(|_| count >= MIN_REWEIGHTED)?.values.len();
    let count = count as f64;
    let mut mean = vec![0.0_f64; length];
    let mut deviation = vec![0.0_f64; length];
    for map in maps.clone() {
        mean.iter_mut().zip(&map.values).for_each(|(sum, &v)| *sum += f64::from(v) / count);
    }
    for map in maps {
        for ((sum, &v), mean) in deviation.iter_mut().zip(&map.values).zip(&mean) {
            *sum += (f64::from(v) - mean).powi(2) / (count - 1.0);
        }
    }
    deviation.iter_mut().for_each(|square| *square = square.sqrt());
    let typical = deviation.iter().sum::<f64>() / length as f64;
    (typical > 0.0).then(|| Pixels {
        mean: mean.into_iter().map(|v| v as f32).collect(),
        deviation: deviation.into_iter().map(|own| ((own + typical) / 2.0) as f32).collect(),
    })
}

/// Sets the outermost pixels to 0. The map keeps its size, and defects there are missed.
fn crop(values: &mut [f32], side: usize, pixels: usize) {
    let inside = pixels..side.saturating_sub(pixels);
    for (index, value) in values.iter_mut().enumerate() {
        if !inside.contains(&(index / side)) || !inside.contains(&(index % side)) {
            *value = 0.0;
        }
    }
}

fn image_score(rule: ImageScoreRule, values: &[f32]) -> f32 {
    match rule {
        ImageScoreRule::Max => values.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        ImageScoreRule::TopK { top_k: share } => {
            let count = ((share * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let mut values = values.to_vec();
            let (above, at, _) = values.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a));
            // Sort, so that the order of the sum does not depend on the selection algorithm.
            above.sort_unstable_by(f32::total_cmp);
            let sum: f64 = above.iter().map(|&v| f64::from(v)).sum::<f64>() + f64::from(*at);
            (sum / count as f64) as f32
        }
    }
}

/// Returns the mean of the product map over all images: the selection criterion of the official ST-FPM code on held-out normals.
pub fn mean_product_score(maps: &[LevelMaps], size: usize) -> f64 {
    let plain = vec![Level { offset: 0.0, scale: 1.0, weight: 1.0 }; maps.len()];
    let images = maps.first().map_or(0, LevelMaps::len);
    let total: f64 = (0..images)
        .map(|image| join(Aggregate::Product, maps, &plain, image, size).iter().map(|&v| f64::from(v)).sum::<f64>())
        .sum();
    total / (images * size * size) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> EvaluateSettings {
        EvaluateSettings { fuse_size: 4, ..EvaluateSettings::of_stfpm(4) }
    }

    fn level(value: f32) -> LevelMaps {
        LevelMaps { height: 2, width: 2, values: vec![value; 8] }
    }

    fn last_map(settings: &EvaluateSettings, levels: &[LevelMaps]) -> FinalMap {
        MapRule::fit(settings, levels, 8).final_maps(levels, 8).pop().expect("two images")
    }

    #[test]
    fn each_rule_joins_levels_by_its_formula() {
        let levels = [level(2.0), level(3.0), level(4.0)];
        let score = |aggregate| last_map(&EvaluateSettings { aggregate, ..settings() }, &levels).score;
        assert_eq!(score(Aggregate::Product), 24.0);
        assert_eq!(score(Aggregate::Sum), 9.0);
        assert_eq!(score(Aggregate::Mean), 3.0);
        // Without any spread, all levels have the same weight.
        assert_eq!(score(Aggregate::Weighted), 3.0);
        assert_eq!(mean_product_score(&levels, 4), 24.0);
    }

    #[test]
    fn levels_are_weighted_by_the_inverse_of_their_variance() {
        let spread = |scale: f32| LevelMaps { height: 1, width: 2, values: vec![-scale, scale, -scale, scale] };
        let rule = EvaluateSettings { aggregate: Aggregate::Weighted, fuse_size: 2, ..settings() };
        let levels = levels(&rule, &[spread(1.0), spread(2.0)]);
        assert!((levels[0].weight - 0.8).abs() < 1e-6 && (levels[1].weight - 0.2).abs() < 1e-6, "{levels:?}");
    }

    #[test]
    fn normalised_levels_have_their_quantiles_at_0_and_a_tenth() {
        let values: Vec<f32> = (0..=1000).map(|v| v as f32).collect();
        let maps = LevelMaps { height: 1, width: 1001, values };
        let rule = EvaluateSettings { normalise: Normalise::HeldOut, ..settings() };
        let Level { offset, scale, .. } = levels(&rule, &[maps])[0];
        assert_eq!(offset, 900.0);
        assert!(((995.0 - offset) * scale - 0.1).abs() < 1e-6);
    }

    #[test]
    fn a_cropped_border_is_0_and_the_map_keeps_its_size() {
        let rule = EvaluateSettings { border: Border::Crop { border_crop: 2 }, ..settings() };
        let map = last_map(&rule, &[level(3.0)]);
        assert_eq!(map.values.len(), 64);
        assert_eq!(map.values.iter().filter(|v| **v == 3.0).count(), 16);
        assert_eq!(map.values[2 * 8 + 1], 0.0);
        assert_eq!(map.values[2 * 8 + 2], 3.0);
    }

    #[test]
    fn a_reweighted_map_shows_how_unusual_each_pixel_is() {
        // There are two held-out images; the left pixel varies, the right one hardly does.
        let held_out = [LevelMaps { height: 1, width: 2, values: vec![0.0, 5.0, 4.0, 5.0] }];
        let rule = EvaluateSettings { border: Border::Reweight, fuse_size: 2, ..settings() };
        let fitted = MapRule::fit(&rule, &held_out, 2);
        let of =
            |values: Vec<f32>| fitted.final_maps(&[LevelMaps { height: 1, width: 2, values }], 2)[0].values.clone();
        let map = of(vec![4.0, 9.0]);
        assert!(map[1] > map[0] && map[0] > 0.0, "{map:?}");
        assert!(of(vec![2.0, 5.0]).iter().all(|v| v.abs() < 1e-6));
        // A single image has no spread, so the map stays as it is.
        let fitted = MapRule::fit(&rule, &[LevelMaps { height: 1, width: 2, values: vec![1.0, 2.0] }], 2);
        assert_eq!(fitted.pixels, None);
    }

    #[test]
    fn a_held_out_image_is_scored_by_a_rule_fitted_without_it() {
        use rand::Rng;
        // Twelve held-out and 400 new normal images of noise: 1 in 13 exceeds a threshold at the highest held-out score.
        let maps = |seed: u64, images: usize| {
            let mut random = crate::data::stream(seed, "normals", 0, 0);
            let value = |_| (0..8).map(|_| f64::from(random.next_u32()) / f64::from(u32::MAX)).sum::<f64>() as f32;
            LevelMaps { height: 8, width: 8, values: (0..64 * images).map(value).collect() }
        };
        let alarms = |rule: &EvaluateSettings, seed: u64| {
            let (held_out, new) = ([maps(2 * seed, 12)], [maps(2 * seed + 1, 400)]);
            let score = |image: usize, rule: &MapRule| rule.final_map(&held_out, image, 8).score;
            let scores = MapRule::leave_one_out(rule, &held_out, 8, score).expect("enough");
            let threshold = scores.into_iter().fold(f32::NEG_INFINITY, f32::max);
            let above = |map: &FinalMap| map.score > threshold;
            MapRule::fit(rule, &held_out, 8).final_maps(&new, 8).into_iter().filter(above).count() as f64 / 400.0
        };
        let reweighted = EvaluateSettings { border: Border::Reweight, fuse_size: 8, ..settings() };
        let normalised = EvaluateSettings { normalise: Normalise::HeldOut, fuse_size: 8, ..settings() };
        let both = EvaluateSettings { border: Border::Reweight, ..normalised };
        for rule in [&reweighted, &normalised, &both, &EvaluateSettings { fuse_size: 8, ..settings() }] {
            let mean = (0..40).map(|seed| alarms(rule, seed)).sum::<f64>() / 40.0;
            // Quantiles of few images change when one image is left out, so its own score tends to be too high, not too low.
            assert!((0.02..1.0 / 13.0 + 0.03).contains(&mean), "{rule:?}: {mean}");
        }
        assert_eq!(MapRule::leave_one_out(&reweighted, &[maps(0, 2)], 8, |image, _| image), None);
    }

    #[test]
    fn the_top_share_is_averaged() {
        let values: Vec<f32> = (1..=100).map(|v| v as f32).collect();
        assert_eq!(image_score(ImageScoreRule::Max, &values), 100.0);
        assert_eq!(image_score(ImageScoreRule::TopK { top_k: 0.03 }, &values), 99.0);
        assert_eq!(image_score(ImageScoreRule::TopK { top_k: 0.001 }, &values), 100.0);
        assert_eq!(image_score(ImageScoreRule::TopK { top_k: 1.0 }, &values), 50.5);
    }
}
