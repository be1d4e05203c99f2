//! A map rule fitted to the held-out normals, with their scores and the resulting threshold.

use std::io;
use std::path::Path;

use super::threshold::PixelMoments;
use super::{EvaluateSettings, MapRule, ScoreHeader, Snapshot, quantile};

/// A map rule that was fitted to the held-out normals, with their scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// The map rule.
    pub rule: MapRule,
    /// Scores of the held-out normals, each by the rule fitted to the other ones; empty if too few images are held out.
    pub normal_scores: Vec<f32>,
    /// Score above which an image is called defective: a quantile of the held-out normals' scores. `None` if too few are held out.
    pub threshold: Option<f64>,
    /// Value above which a pixel is called defective: mean + 3 standard deviations over all pixels of the held-out normals' maps. Each map is
    /// by the rule fitted to the other images. `None` if too few are held out.
    pub pixel_threshold: Option<f64>,
}

impl Calibrated {
    /// Fits the rule of `settings` to the held-out maps of one snapshot of a score artifact; `side` is that of the final maps.
    pub fn read(
        score: &Path,
        header: &ScoreHeader,
        snapshot: &Snapshot,
        settings: &EvaluateSettings,
        side: usize,
    ) -> io::Result<Self> {
        let held_out = header.maps(score, snapshot, "held-out", header.held_out)?;
        let rule = MapRule::fit(settings, &held_out, side);
        let measured = |image: usize, rule: &MapRule| {
            let map = rule.final_map(&held_out, image, side);
            (map.score, PixelMoments::of(&map.values))
        };
        let (normal_scores, moments): (Vec<f32>, Vec<PixelMoments>) =
            MapRule::leave_one_out(settings, &held_out, side, measured).unwrap_or_default().into_iter().unzip();
        let threshold = quantile(&normal_scores, settings.threshold_quantile);
        let pixel_threshold = moments.into_iter().reduce(PixelMoments::with).map(PixelMoments::threshold);
        Ok(Self { rule, normal_scores, threshold, pixel_threshold })
    }
}
