//! Plain and slow definitions of the metrics: no sorting, no running counts, no code shared with the implementations that are compared with
//! them.

use super::Metric;
use crate::data::SaturatedDefect;

/// Scores per image, and the defective pixels; images are `width` pixels wide.
pub(super) struct Case {
    pub width: usize,
    pub maps: Vec<Vec<f32>>,
    pub masks: Vec<Option<Vec<bool>>>,
    /// Scores of the held-out normals, and the threshold that they set.
    pub held_out: Vec<f32>,
    pub threshold: f64,
    /// Value above which a pixel is called defective.
    pub pixel_threshold: f64,
    /// Share of a defect that must be found.
    pub saturation: f64,
}

impl Case {
    /// Computes a metric by its definition; returns `None` if it is undefined.
    pub(super) fn value(&self, metric: Metric) -> Option<f64> {
        let (pixels, images) = (self, &self.images());
        match metric.name {
            "pixel_auroc" | "pseudo_pixel_auroc" => pixels.ranked(Self::auroc),
            "image_auroc" | "pseudo_image_auroc" => images.ranked(Self::auroc),
            "pixel_ap" => pixels.ranked(Self::average_precision),
            "image_ap" => images.ranked(Self::average_precision),
            "pixel_f1max" => pixels.ranked(|pixels| pixels.f1_max().0),
            "image_f1max" => images.ranked(|images| images.f1_max().0),
            "aupro" => pixels.ranked(|pixels| pixels.aupro(0.3)),
            "aupro_05" => pixels.ranked(|pixels| pixels.aupro(0.05)),
            "aupro_stfpm_rescaled" => pixels.ranked(Self::rescaled_pro)?,
            "aupimo" => pixels.aupimo(),
            "mean_of_seven" => {
                let seven =
                    ["image_auroc", "image_ap", "image_f1max", "pixel_auroc", "pixel_ap", "pixel_f1max", "aupro"];
                let values: Option<Vec<f64>> = seven.map(|name| self.value(Metric::named(name)?)).into_iter().collect();
                values.map(|values| values.iter().sum::<f64>() / 7.0)
            }
            "seg_f1" => pixels.f1_above(),
            "class_f1" => images.f1_above(),
            "auspro" => pixels.ranked(|pixels| pixels.auspro(0.3)),
            "auspro_05" => pixels.ranked(|pixels| pixels.auspro(0.05)),
            "image_precision" => {
                let (hits, alarms) = (images.above(true), images.above(false));
                share(hits, hits + alarms)
            }
            "image_recall" => share(images.above(true), images.class(true).len()),
            "image_false_alarms" => share(images.above(false), images.class(false).len()),
            "image_false_alarms_expected" => {
                let above = self.held_out.iter().filter(|score| f64::from(**score) > self.threshold).count();
                share(1 + above, 1 + self.held_out.len()).filter(|_| !self.held_out.is_empty())
            }
            name => panic!("the metric {name} has no plain definition: write it here"),
        }
    }

    /// Returns the images as pixels: each has its highest score, and is defective if one of its pixels is.
    pub(super) fn images(&self) -> Self {
        let highest = |map: &Vec<f32>| vec![map.iter().copied().fold(f32::NEG_INFINITY, f32::max)];
        let defective = |mask: &Option<Vec<bool>>| mask.as_ref().map(|mask| vec![mask.contains(&true)]);
        Self {
            width: 1,
            maps: self.maps.iter().map(highest).collect(),
            masks: self.masks.iter().map(defective).collect(),
            held_out: self.held_out.clone(),
            ..*self
        }
    }

    /// Returns the defects of each image for sPRO: all pixels of the mask, and again every third of them. So defects overlap.
    pub(super) fn saturated(&self) -> Vec<Vec<SaturatedDefect>> {
        let of = |mask: &Option<Vec<bool>>| {
            let marked = |step: u32| {
                let is_marked =
                    |pixel: &u32| mask.as_ref().is_some_and(|mask| mask[*pixel as usize]) && pixel.is_multiple_of(step);
                (0..mask.as_ref().map_or(0, Vec::len) as u32).filter(is_marked).collect::<Vec<u32>>()
            };
            let defect =
                |pixels: Vec<u32>| SaturatedDefect { saturation: self.saturation * pixels.len() as f64, pixels };
            [1, 3].map(|step| defect(marked(step))).into_iter().filter(|defect| !defect.pixels.is_empty()).collect()
        };
        self.masks.iter().map(of).collect()
    }

    /// Returns the area under the mean saturated overlap of defects over the false positive rate up to a limit, divided by the limit.
    fn auspro(&self, limit: f64) -> f64 {
        let defects: Vec<(&Vec<f32>, SaturatedDefect)> = self
            .maps
            .iter()
            .zip(self.saturated())
            .flat_map(|(map, defects)| defects.into_iter().map(move |defect| (map, defect)))
            .collect();
        let found = |(map, defect): &(&Vec<f32>, SaturatedDefect), threshold: f64| -> f64 {
            let hits = defect.pixels.iter().filter(|pixel| f64::from(map[**pixel as usize]) >= threshold).count();
            (hits as f64 / defect.saturation).min(1.0)
        };
        self.area(limit, |threshold| {
            defects.iter().map(|defect| found(defect, threshold)).sum::<f64>() / defects.len() as f64
        })
    }

    /// Returns F1 of the elements above the threshold of pixels; `None` if nothing is defective.
    fn f1_above(&self) -> Option<f64> {
        let count = |class| self.class(class).iter().filter(|score| **score > self.pixel_threshold).count();
        let positives = self.class(true).len();
        (positives > 0).then(|| {
            let (precision, recall) = (share(count(true), count(true) + count(false)), share(count(true), positives));
            let (precision, recall) = (precision.unwrap_or(0.0), recall.unwrap_or(0.0));
            if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
        })
    }

    /// Computes a value that needs both classes.
    fn ranked<T>(&self, value: impl Fn(&Self) -> T) -> Option<T> {
        (!self.class(true).is_empty() && !self.class(false).is_empty()).then(|| value(self))
    }

    /// Returns the number of elements of one class above the threshold.
    fn above(&self, class: bool) -> usize {
        self.class(class).iter().filter(|score| **score > self.threshold).count()
    }

    /// Returns the mean, over defective images, of the area under recall over ln FPR from 1e-5 to 1e-4. FPR is the rate of normal images
    /// alone.
    fn aupimo(&self) -> Option<f64> {
        let is_normal = |image: &usize| !self.masks[*image].as_ref().is_some_and(|mask| mask.contains(&true));
        let (clean, defective): (Vec<usize>, Vec<usize>) = (0..self.maps.len()).partition(is_normal);
        let mut normal: Vec<f32> = clean.iter().flat_map(|image| self.maps[*image].clone()).collect();
        normal.sort_by(|a, b| b.total_cmp(a));
        let total = normal.len() as f64;
        if total < 10_000.0 || defective.is_empty() {
            return None;
        }
        let area = |image: &usize| -> f64 {
            let pixels = self.maps[*image].iter().zip(self.masks[*image].iter().flatten());
            let defect: Vec<f32> = pixels.filter(|(_, defective)| **defective).map(|(score, _)| *score).collect();
            // Between the rates of n and n + 1 false alarms, the threshold is the next normal score.
            let step = |(above, score): (usize, &f32)| {
                let (from, to) = ((above as f64 / total).max(1e-5), ((above + 1) as f64 / total).min(1e-4));
                let recall = defect.iter().filter(|found| *found > score).count() as f64 / defect.len() as f64;
                if to > from { recall * (to / from).ln() } else { 0.0 }
            };
            normal.iter().enumerate().map(step).sum::<f64>() / 10.0_f64.ln()
        };
        Some(defective.iter().map(area).sum::<f64>() / defective.len() as f64)
    }

    /// Returns the scores of all pixels of one class.
    fn class(&self, wanted: bool) -> Vec<f64> {
        let pixels = |image: usize| {
            let label = move |pixel: usize| self.masks[image].as_ref().is_some_and(|mask| mask[pixel]);
            self.maps[image].iter().enumerate().filter(move |(pixel, _)| label(*pixel) == wanted)
        };
        (0..self.maps.len()).flat_map(pixels).map(|(_, score)| f64::from(*score)).collect()
    }

    /// Returns the scores of the pixels of each 8-connected defect.
    fn defects(&self) -> Vec<Vec<f64>> {
        let mut all = Vec::new();
        for (map, mask) in self.maps.iter().zip(&self.masks) {
            let Some(mask) = mask else { continue };
            let mut open = mask.clone();
            while let Some(first) = open.iter().position(|open| *open) {
                let mut defect = vec![first];
                open[first] = false;
                // Add every pixel that touches a pixel of the defect, until nothing changes.
                while let Some(next) =
                    (0..mask.len()).find(|&pixel| open[pixel] && defect.iter().any(|&in_| self.touch(pixel, in_)))
                {
                    open[next] = false;
                    defect.push(next);
                }
                all.push(defect.into_iter().map(|pixel| f64::from(map[pixel])).collect());
            }
        }
        all
    }

    fn touch(&self, one: usize, other: usize) -> bool {
        (one % self.width).abs_diff(other % self.width) <= 1 && (one / self.width).abs_diff(other / self.width) <= 1
    }

    /// Returns all distinct scores, from high to low.
    fn thresholds(&self) -> Vec<f64> {
        let mut all: Vec<f64> = self.maps.iter().flatten().map(|score| f64::from(*score)).collect();
        all.sort_by(|a, b| b.total_cmp(a));
        all.dedup();
        all
    }

    /// Returns the share of pairs of a defective and a normal pixel in the right order; ties count half.
    fn auroc(&self) -> f64 {
        let (defective, normal) = (self.class(true), self.class(false));
        let pairs = defective.iter().flat_map(|a| normal.iter().map(move |b| (a, b)));
        let wins: f64 = pairs.map(|(a, b)| f64::from(u8::from(a > b)) + f64::from(u8::from(a == b)) / 2.0).sum();
        wins / (defective.len() * normal.len()) as f64
    }

    /// Returns precision weighted by the steps of recall.
    fn average_precision(&self) -> f64 {
        let (defective, normal) = (self.class(true), self.class(false));
        let (mut sum, mut before) = (0.0, 0.0);
        for threshold in self.thresholds() {
            let (hits, alarms) = (at_least(&defective, threshold), at_least(&normal, threshold));
            sum += (hits - before) / defective.len() as f64 * hits / (hits + alarms);
            before = hits;
        }
        sum
    }

    /// Returns the best F1 and the highest score at which it is reached.
    pub(super) fn f1_max(&self) -> (f64, f64) {
        let (defective, normal) = (self.class(true), self.class(false));
        let f1 = |threshold: f64| {
            let (hits, alarms) = (at_least(&defective, threshold), at_least(&normal, threshold));
            2.0 * hits / (hits + alarms + defective.len() as f64)
        };
        let best = self.thresholds().into_iter().map(f1).fold(0.0, f64::max);
        let first = self.thresholds().into_iter().find(|threshold| f1(*threshold) == best).unwrap_or(f64::INFINITY);
        (best, first)
    }

    /// Returns the area under the mean recall of defects over the false positive rate up to a limit, divided by the limit.
    pub(super) fn aupro(&self, limit: f64) -> f64 {
        let defects = self.defects();
        self.area(limit, |threshold| {
            let overlap: f64 = defects.iter().map(|defect| at_least(defect, threshold) / defect.len() as f64).sum();
            overlap / defects.len() as f64
        })
    }

    /// Returns the area under a height over the false positive rate up to a limit, divided by the limit.
    fn area(&self, limit: f64, height: impl Fn(f64) -> f64) -> f64 {
        let normal = self.class(false);
        let mut points = vec![(0.0, 0.0)];
        for threshold in self.thresholds() {
            points.push((at_least(&normal, threshold) / normal.len() as f64, height(threshold)));
        }
        let area = points.windows(2).map(|pair| {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            if x1 <= x0 || x0 >= limit {
                return 0.0;
            }
            let end = x1.min(limit);
            (end - x0) * (2.0 * y0 + (y1 - y0) * (end - x0) / (x1 - x0)) / 2.0
        });
        area.sum::<f64>() / limit
    }

    /// Returns the value that the official ST-FPM code calls PRO; `None` if its curve has no width or height.
    fn rescaled_pro(&self) -> Option<f64> {
        let (defects, normal, thresholds) = (self.defects(), self.class(false), self.thresholds());
        let (highest, lowest) = (thresholds[0], thresholds[thresholds.len() - 1]);
        let step = (highest - lowest) / 4000.0;
        let above =
            |scores: &[f64], at: f64| scores.iter().filter(|score| **score > at).count() as f64 / scores.len() as f64;
        let points = (0..4000).map(|index| highest - f64::from(index) * step).map(|at| {
            let overlap: f64 = defects.iter().map(|defect| above(defect, at)).sum();
            (above(&normal, at), overlap / defects.len() as f64)
        });
        let points: Vec<(f64, f64)> = points.take_while(|(rate, _)| *rate <= 0.3).collect();
        let (first, last) = (*points.first()?, *points.last()?);
        let scaled = |(x, y): (f64, f64)| ((x - first.0) / (last.0 - first.0), (y - first.1) / (last.1 - first.1));
        let scaled: Vec<(f64, f64)> = points.into_iter().map(scaled).collect();
        let area = scaled.windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0);
        (last.0 > first.0 && last.1 > first.1).then(|| area.sum())
    }
}

/// Returns a share; `None` if the whole is 0.
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn at_least(scores: &[f64], threshold: f64) -> f64 {
    scores.iter().filter(|score| **score >= threshold).count() as f64
}
