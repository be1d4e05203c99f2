//! Lightings of the test images, as the evaluations of a sweep name them.

use std::collections::BTreeSet;

use crate::evaluate::ResultName;
use crate::evaluate::metrics::Metric;
use crate::stages::{EvaluateJob, LightingJob, StageJob, StageKind};
use crate::store::StageRow;

/// The lighting of the training images in the data sets that name lightings.
pub(crate) const OF_TRAINING: &str = "regular";

/// What was measured under which lightings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lightings {
    /// The metrics, in their order.
    pub metrics: Vec<Metric>,
    /// The lightings: that of the training images, then the others in alphabetical order.
    pub names: Vec<String>,
}

impl Lightings {
    /// Collects what the evaluations among these stages measure.
    pub(super) fn of(stages: &[StageRow]) -> Self {
        let (mut metrics, mut names): (Vec<Metric>, BTreeSet<String>) = (Vec::new(), BTreeSet::new());
        // Most sweeps have no such evaluation, and parsing all jobs of a large one takes long.
        let candidates =
            stages.iter().filter(|stage| stage.kind == StageKind::Evaluate && stage.job.contains("\"lighting\""));
        for stage in candidates {
            let Ok(StageJob::Evaluate(EvaluateJob { lighting: Some(lighting), .. })) = serde_json::from_str(&stage.job)
            else {
                continue;
            };
            let LightingJob { metrics: measured, images } = lighting;
            metrics.extend(measured.into_iter().filter(|metric| !metrics.contains(metric)).collect::<Vec<_>>());
            names.extend(images);
        }
        let (first, others): (Vec<String>, Vec<String>) = names.into_iter().partition(|name| name == OF_TRAINING);
        Self { metrics, names: first.into_iter().chain(others).collect() }
    }

    /// Returns the names of all numbers.
    pub(super) fn results(&self) -> Vec<ResultName> {
        let of =
            |metric: &Metric| self.names.iter().map(|name| ResultName::UnderLighting(*metric, name.clone())).collect();
        self.metrics.iter().flat_map(|metric| -> Vec<ResultName> { of(metric) }).collect()
    }
}
