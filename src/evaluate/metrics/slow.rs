//! The metrics' definitions, as slowly and plainly as they can be written: no sorting, no running counts, nothing shared with what
//! they are held against.

/// Scores by image, and which pixels are defective; images are `width` wide.
pub(super) struct Case {
    pub width: usize,
    pub maps: Vec<Vec<f32>>,
    pub masks: Vec<Option<Vec<bool>>>,
}

impl Case {
    /// Scores of all pixels of one class.
    fn class(&self, wanted: bool) -> Vec<f64> {
        let pixels = |image: usize| {
            let label = move |pixel: usize| self.masks[image].as_ref().is_some_and(|mask| mask[pixel]);
            self.maps[image].iter().enumerate().filter(move |(pixel, _)| label(*pixel) == wanted)
        };
        (0..self.maps.len()).flat_map(pixels).map(|(_, score)| f64::from(*score)).collect()
    }

    /// Scores of the pixels of each 8-connected defect.
    fn defects(&self) -> Vec<Vec<f64>> {
        let mut all = Vec::new();
        for (map, mask) in self.maps.iter().zip(&self.masks) {
            let Some(mask) = mask else { continue };
            let mut open = mask.clone();
            while let Some(first) = open.iter().position(|open| *open) {
                let mut defect = vec![first];
                open[first] = false;
                // Every pixel that touches one that is in; again until nothing changes.
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

    /// All distinct scores, from high to low.
    fn thresholds(&self) -> Vec<f64> {
        let mut all: Vec<f64> = self.maps.iter().flatten().map(|score| f64::from(*score)).collect();
        all.sort_by(|a, b| b.total_cmp(a));
        all.dedup();
        all
    }

    /// The share of pairs of a defective and a normal pixel in the right order; ties count half.
    pub(super) fn auroc(&self) -> f64 {
        let (defective, normal) = (self.class(true), self.class(false));
        let pairs = defective.iter().flat_map(|a| normal.iter().map(move |b| (a, b)));
        let wins: f64 = pairs.map(|(a, b)| f64::from(u8::from(a > b)) + f64::from(u8::from(a == b)) / 2.0).sum();
        wins / (defective.len() * normal.len()) as f64
    }

    /// Precision weighted by the steps of recall.
    pub(super) fn average_precision(&self) -> f64 {
        let (defective, normal) = (self.class(true), self.class(false));
        let (mut sum, mut before) = (0.0, 0.0);
        for threshold in self.thresholds() {
            let (hits, alarms) = (at_least(&defective, threshold), at_least(&normal, threshold));
            sum += (hits - before) / defective.len() as f64 * hits / (hits + alarms);
            before = hits;
        }
        sum
    }

    /// The best F1 and the highest score at which it is reached.
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

    /// The area under the mean recall of defects over the false positive rate up to a limit, divided by the limit.
    pub(super) fn aupro(&self, limit: f64) -> f64 {
        let (defects, normal) = (self.defects(), self.class(false));
        let mut points = vec![(0.0, 0.0)];
        for threshold in self.thresholds() {
            let overlap: f64 = defects.iter().map(|defect| at_least(defect, threshold) / defect.len() as f64).sum();
            points.push((at_least(&normal, threshold) / normal.len() as f64, overlap / defects.len() as f64));
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

    /// What the official ST-FPM code calls PRO; none where its curve has no width or height.
    pub(super) fn rescaled_pro(&self) -> Option<f64> {
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

fn at_least(scores: &[f64], threshold: f64) -> f64 {
    scores.iter().filter(|score| **score >= threshold).count() as f64
}
