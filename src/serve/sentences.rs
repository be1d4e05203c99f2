//! Sentences about a sweep that all of its views share.

use super::progress::RunTotals;
use super::time_left::TimeLeft;
use crate::analysis::{Choice, Tuned, VariantDecision};
use crate::store::{FailedStage, RunState, SearchStatus};
use crate::text::{agreeing, counted};

/// Formats the state of the runs: "sweep demo: 3 of 27 runs done, 2 running, 0 failed; about 12 min left".
pub(crate) fn headline(sweep: &str, runs: &RunTotals, time_left: &TimeLeft) -> String {
    let RunTotals { total, done, running, failed, pruned, cancelled, .. } = runs;
    let given_up = [(pruned, RunState::Pruned), (cancelled, RunState::Cancelled)];
    let given_up = given_up.into_iter().filter(|(count, _)| **count > 0);
    let given_up: String = given_up.map(|(count, state)| format!(", {count} {state}")).collect();
    let left = match time_left {
        TimeLeft::Nothing => String::new(),
        left => format!("; {left}"),
    };
    format!("sweep {sweep}: {done} of {total} runs done, {running} running, {failed} failed{given_up}{left}")
}

/// Formats the number of stages whose processes have ended: "2 stages were running in processes that have ended; …".
pub(crate) fn gone_stages_line(count: i64) -> String {
    let (stages, were) = (counted(count, "stage"), agreeing(count, "was", "were"));
    format!("{stages} {were} running in processes that have ended; the next `didact sweep` continues this work")
}

/// Formats the state of a search: "search for the highest pseudo_pixel_auroc: best so far 0.9512, T07 learning_rate=0.1 (3 runs);
/// 12 trials, 8 with a value, 2 pruned".
pub(crate) fn search_line(search: &SearchStatus) -> String {
    let counts = [(search.valued, "with a value"), (search.pruned, "pruned"), (search.failed, "failed")];
    let counts: Vec<String> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}")).collect();
    let best = match &search.best {
        Some(best) => format!("best so far {:.4}, {} ({})", best.value, best.trial, counted(best.runs, "run")),
        None => "no trial has the values of all its runs".to_owned(),
    };
    format!(
        "search for the highest {}: {best}; {}{}",
        search.objective,
        counted(search.trials, "trial"),
        counts.concat()
    )
}

/// Formats the chosen trials, and what is known about them.
pub(crate) fn tuned_lines(tuned: &Tuned) -> String {
    if tuned.choices.is_empty() {
        return "no trial is chosen before the search has ended".to_owned();
    }
    let choices = tuned.choices.iter().filter(|_| tuned.objective.is_some()).map(Choice::describe);
    let seeds = tuned.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let seeds = std::iter::once(format!("compared on seeds {}", if seeds.is_empty() { "to come" } else { &seeds }));
    let unchosen =
        tuned.unchosen.iter().map(|variant| format!("{variant}: undecided (failed), no trial has all its values"));
    choices
        .chain(unchosen)
        .chain(seeds)
        .chain(tuned.decisions.iter().map(VariantDecision::describe))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Formats a failed stage: "weave · T01 ST-FPM · seed 0: joint: nan: …".
pub(crate) fn failure_line(failure: &FailedStage) -> String {
    let FailedStage { category, trial, seed, kind, .. } = failure;
    let class = failure.class.as_ref().map(|class| format!("{class}: ")).unwrap_or_default();
    let reason = failure.reason.as_deref().unwrap_or("unknown");
    let more = match failure.runs {
        1 => String::new(),
        runs => format!(" (and {})", counted(runs - 1, "more run")),
    };
    format!("{category} · {trial} · seed {seed}{more}: {kind}: {class}{reason}")
}
