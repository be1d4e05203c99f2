//! Verdicts on the chosen trials, from a fixed number of seeds that had no part in the choice.

use super::protocol::Protocol;
use super::rows::Rows;
use super::side::{Side, SideRun};
use super::verdict::{Verdict, compare_checked};
use crate::evaluate::Selection;
use crate::stages::StageKind;
use crate::store::{Artifacts, RunRow, RunState};

/// Compares each chosen trial with that of ST-FPM. `chosen` are the sides of [`chosen_sides`]. Returns an empty list if seeds were added
/// until the answer was settled: tests hold for a fixed number only.
pub(super) fn confirmed(rows: &Rows, chosen: &[Side]) -> Vec<Verdict> {
    let decides = rows.tuned.as_ref().is_some_and(|tuned| tuned.decide.is_some());
    let Some((baseline, others)) = chosen.split_first().filter(|_| !decides) else { return Vec::new() };
    let others: Vec<(&Side, Option<String>)> = others.iter().map(|side| (side, None)).collect();
    compare_checked(baseline, &others, &rows.metrics)
}

/// Returns the runs of each chosen trial on the seeds of the comparison, ST-FPM first. Returns an empty list if the sweep chooses no trial.
pub(super) fn chosen_sides(rows: &Rows, artifacts: &Artifacts) -> Vec<Side> {
    let Some(tuned) = &rows.tuned else { return Vec::new() };
    let run = |run: &RunRow| {
        let of_run = rows.results.iter().filter(|row| row.run_id.as_str() == run.id);
        let selected = of_run.filter(|row| row.selection == Selection::Selected);
        let evaluation = rows.selected_stage(&run.id, StageKind::Evaluate);
        SideRun {
            category: run.category.clone(),
            seed: run.seed,
            protocol: Protocol::of(run),
            values: selected.filter_map(|row| Some((row.name.metric()?, row.value?))).collect(),
            scores: rows.scores_of(&run.id).iter().map(|row| (row.image.clone(), row.label, row.score)).collect(),
            evaluation: evaluation.map(|(key, _)| (artifacts.clone(), key)),
        }
    };
    let side = |choice: &super::choice::Choice| {
        let runs = rows.compared.iter().filter(|run| run.trial_id == choice.trial && run.state == RunState::Done);
        Side { trial: choice.trial.clone(), label: choice.title.clone(), runs: runs.map(run).collect() }
    };
    tuned.choices.iter().map(side).collect()
}
