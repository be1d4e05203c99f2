//! A map rule with what the held-out normals say of it: the scores that they get, and the threshold that follows.

use std::io;
use std::path::Path;

use super::{EvaluateSettings, MapRule, ScoreHeader, Snapshot, quantile};

/// A map rule that was fitted to the held-out normals, and their scores by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// The rule.
    pub rule: MapRule,
    /// Scores of the held-out normals, each by the rule that the others make; empty where these are too few.
    pub normal: Vec<f32>,
    /// The score above which an image is called defective: a quantile of the held-out normals'; none where too few are held out.
    pub threshold: Option<f64>,
}

impl Calibrated {
    /// The rule of `settings` on the held-out maps of one snapshot of a score artifact; `side` is that of the final maps.
    pub fn read(
        score: &Path,
        header: &ScoreHeader,
        snapshot: &Snapshot,
        settings: &EvaluateSettings,
        side: usize,
    ) -> io::Result<Self> {
        let held_out = header.maps(score, snapshot, "held-out", header.held_out)?;
        let rule = MapRule::fit(settings, &held_out, side);
        let score = |image: usize, rule: &MapRule| rule.one(&held_out, image, side).score;
        let normal = MapRule::left_out(settings, &held_out, side, score).unwrap_or_default();
        let threshold = quantile(&normal, settings.threshold_quantile);
        Ok(Self { rule, normal, threshold })
    }
}
