//! Data for the curves of one category: the points that `evaluate` keeps of the exact pixel curves, the image scores in the store, and the
//! held-out thresholds.

use crate::analysis::MAX_DRAWN;
use crate::analysis::{Groups, Rows};
use crate::evaluate::metrics::{PRO_LIMIT, Sweep};
use crate::evaluate::{Curves, Evaluation};
use crate::stages::StageKind;
use crate::store::RunState;
use crate::store::{Artifacts, RunRow};

/// Curves and scores of one finished run.
pub(super) struct RunCurves {
    /// Index of its variant in the group.
    pub variant: usize,
    /// Key of the run.
    pub id: String,
    /// Seed of the run.
    pub seed: i64,
    /// Image curves from the store, pixel curves from the artifact.
    pub curves: Curves,
    /// Per image: whether it is defective, and its score.
    pub scores: Vec<(bool, f64)>,
    /// Threshold: an image with a higher score is called anomalous.
    pub threshold: Option<f64>,
}

/// Returns the finished runs of a category that have an intact evaluation, grouped by variant.
pub(super) fn finished_runs(rows: &Rows, groups: &Groups<'_>, artifacts: &Artifacts, category: &str) -> Vec<RunCurves> {
    let variants = groups.variants.iter().take(MAX_DRAWN).enumerate();
    let runs = variants.flat_map(|(variant, trial)| groups.runs(trial, category).map(move |run| (variant, run)));
    runs.filter(|(_, run)| run.state == RunState::Done)
        .filter_map(|(variant, run)| RunCurves::of(rows, artifacts, run, variant))
        .collect()
}

impl RunCurves {
    fn of(rows: &Rows, artifacts: &Artifacts, run: &RunRow, variant: usize) -> Option<Self> {
        let (evaluation, _) = rows.selected_stage(&run.id, StageKind::Evaluate)?;
        let folder =
            artifacts.verified_folder(StageKind::Evaluate, &evaluation, &[Curves::FILE, Evaluation::FILE]).ok()?;
        let scores: Vec<(bool, f64)> = rows.scores_of(&run.id).iter().map(|row| (row.label, row.score)).collect();
        // Scores are 32-bit numbers that the store keeps in 64 bits.
        let (labels, values): (Vec<bool>, Vec<f32>) =
            scores.iter().map(|&(label, score)| (label, score as f32)).unzip();
        let images = Sweep::of_labels(&values, &labels).ok()?;
        let curves =
            Curves { image_roc: Curves::of(&images, None, PRO_LIMIT).image_roc, ..Curves::read(&folder).ok()? };
        let threshold = Evaluation::read(&folder).ok()?.held_out_threshold;
        Some(Self { variant, id: run.id.clone(), seed: run.seed, curves, scores, threshold })
    }
}
