//! Curves with a limited number of points, for plots.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::metrics::{Sweep, pro_points};

/// Number of steps of x; a curve keeps at most two points per step.
const STEPS: usize = 200;

/// Points (x, y).
pub type Curve = Vec<(f64, f64)>;

/// ROC, per-region overlap and precision–recall curves; a curve is empty if it is undefined.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Curves {
    /// Image level: (false positive rate, true positive rate).
    pub image_roc: Curve,
    /// Pixel level: (false positive rate, true positive rate).
    pub pixel_roc: Curve,
    /// Per-region overlap: (false positive rate up to the limit, mean overlap).
    pub pro: Curve,
    /// Pixel level: (recall, precision).
    pub precision_recall: Curve,
}

impl Curves {
    /// File name in the artifact.
    pub const FILE: &str = "curves.json";

    /// Reads the curves of an evaluate artifact.
    pub fn read(folder: &Path) -> std::io::Result<Self> {
        serde_json::from_slice(&std::fs::read(folder.join(Self::FILE))?).map_err(std::io::Error::other)
    }

    /// Thins the curves of both sweeps. The overlap curve ends at `limit`.
    pub fn of(images: &Sweep, pixels: Option<&Sweep>, limit: f64) -> Self {
        let image_roc = thin(roc(images), 1.0);
        let Some(pixels) = pixels else { return Self { image_roc, ..Self::default() } };
        let positives = pixels.positives() as f64;
        let precision_recall = pixels.thresholds().filter(|t| t.true_positives > 0).map(|t| {
            let hits = t.true_positives as f64;
            (hits / positives, hits / (hits + t.false_positives as f64))
        });
        let pro = pro_points(pixels).into_iter().flatten().take_while(|(x, _)| *x <= limit);
        Self {
            image_roc,
            pixel_roc: thin(roc(pixels), 1.0),
            pro: thin(pro, limit),
            precision_recall: thin(precision_recall, 1.0),
        }
    }
}

fn roc(sweep: &Sweep) -> impl Iterator<Item = (f64, f64)> + '_ {
    let counts = sweep.both_classes().ok();
    counts.into_iter().flat_map(|(positives, negatives)| {
        let rate = |count: u64, of: u64| count as f64 / of as f64;
        let points =
            sweep.thresholds().map(move |t| (rate(t.false_positives, negatives), rate(t.true_positives, positives)));
        std::iter::once((0.0, 0.0)).chain(points)
    })
}

/// Keeps the first and the last point in each of [`STEPS`] equal steps of x in 0..=`end`, so that a vertical step of the curve stays
/// visible. The millions of points of a pixel curve are never in memory at once.
fn thin(curve: impl Iterator<Item = (f64, f64)>, end: f64) -> Curve {
    let mut thinned = Curve::new();
    let (mut current, mut last) = (None, None);
    for point in curve {
        let step = (point.0 / end * (STEPS - 1) as f64).floor() as usize;
        if current == Some(step) {
            last = Some(point);
        } else {
            thinned.extend(last.take());
            thinned.push(point);
            current = Some(step);
        }
    }
    thinned.extend(last);
    thinned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thinned_curve_keeps_its_ends_and_few_points() {
        let curve = thin((0..100_000).map(|i| (f64::from(i) / 99_999.0, f64::from(i))), 1.0);
        assert_eq!(curve.len(), 2 * STEPS - 1);
        assert_eq!((curve[0], curve[curve.len() - 1]), ((0.0, 0.0), (1.0, 99_999.0)));
        assert!(curve.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(thin(std::iter::empty(), 1.0).is_empty());
        // A ROC of few images rises at single values of x.
        let stairs = [(0.0, 0.0), (0.0, 0.4), (0.0, 0.8), (0.5, 0.8), (0.5, 1.0), (1.0, 1.0)];
        assert_eq!(thin(stairs.into_iter(), 1.0), [0, 2, 3, 4, 5].map(|index| stairs[index]));
    }
}
