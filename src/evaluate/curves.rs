//! Curves with a fixed number of points, for drawing.

use serde::{Deserialize, Serialize};

use super::metrics::{Sweep, pro_points};

/// Points a curve keeps.
const POINTS: usize = 200;

/// Points (x, y).
pub type Curve = Vec<(f64, f64)>;

/// ROC, per-region overlap and precision–recall; empty where undefined.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Curves {
    /// Image level: (false positive rate, true positive rate).
    pub image_roc: Curve,
    /// Pixel level: (false positive rate, true positive rate).
    pub pixel_roc: Curve,
    /// (false positive rate up to the limit, mean overlap).
    pub pro: Curve,
    /// Pixel level: (recall, precision).
    pub precision_recall: Curve,
}

impl Curves {
    /// Thins the curves of both sweeps; the overlap runs to `limit`.
    pub fn of(images: &Sweep, pixels: Option<&Sweep>, limit: f64) -> Self {
        let Some(pixels) = pixels else { return Self { image_roc: thin(roc(images)), ..Self::default() } };
        let pro =
            pro_points(pixels).map(|points| points.take_while(|(x, _)| *x <= limit).collect()).unwrap_or_default();
        let positives = pixels.positives() as f64;
        let precision_recall = pixels
            .thresholds()
            .filter(|t| t.true_positives > 0)
            .map(|t| {
                let hits = t.true_positives as f64;
                (hits / positives, hits / (hits + t.false_positives as f64))
            })
            .collect();
        Self {
            image_roc: thin(roc(images)),
            pixel_roc: thin(roc(pixels)),
            pro: thin(pro),
            precision_recall: thin(precision_recall),
        }
    }
}

fn roc(sweep: &Sweep) -> Curve {
    let Ok((positives, negatives)) = sweep.both_classes() else { return Curve::new() };
    let rate = |count: u64, of: u64| count as f64 / of as f64;
    let points = sweep.thresholds().map(|t| (rate(t.false_positives, negatives), rate(t.true_positives, positives)));
    std::iter::once((0.0, 0.0)).chain(points).collect()
}

/// At most [`POINTS`] points, evenly spread along x, first and last among them.
fn thin(curve: Curve) -> Curve {
    let (Some(first), Some(last)) = (curve.first(), curve.last()) else { return curve };
    if curve.len() <= POINTS {
        return curve;
    }
    let (from, to) = (first.0, last.0);
    let mut thinned: Curve = (0..POINTS - 1)
        .map(|i| {
            let x = from + (to - from) * i as f64 / (POINTS - 1) as f64;
            curve[curve.partition_point(|point| point.0 < x).min(curve.len() - 1)]
        })
        .collect();
    thinned.push(*last);
    thinned.dedup();
    thinned
}
