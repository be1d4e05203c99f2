//! The summary at the start of a page: the question, the answer in a sentence, the cost, and what is missing.

use std::collections::BTreeMap;

use super::words::Remark;
use crate::analysis::{FEWEST_SEEDS, Rows, Scope, Tuned, VariantDecision, Verdict, is_significant};
use crate::store::RunState;
use crate::text::{duration, p_value, signed};

/// Returns a remark if some runs are not finished yet.
pub(super) fn unfinished(rows: &Rows) -> Option<Remark> {
    let open = rows.all_runs().filter(|run| run.state.is_open()).count();
    (open > 0).then(|| Remark {
        lead: Some("Still running."),
        text: format!("{open} of {} runs are not finished; the findings below may change.", rows.all_runs().count()),
    })
}

/// Describes the runs by state and the total cost: "11 of 12 runs done, 1 failed. Computing took …".
pub(super) fn state(rows: &Rows) -> String {
    let mut states: BTreeMap<RunState, usize> = BTreeMap::new();
    rows.all_runs().for_each(|run| *states.entry(run.state).or_default() += 1);
    let all: usize = states.values().sum();
    let done = states.remove(&RunState::Done).unwrap_or(0);
    let missing: String = states.iter().map(|(state, count)| format!(", {count} {state}")).collect();
    let runs = if all == 1 { "run" } else { "runs" };
    let spent = spent(rows).map(|spent| format!(" {spent}")).unwrap_or_default();
    format!("{done} of {all} {runs} done{missing}.{spent} The numbers below are from finished runs only.")
}

/// Describes the cost: "Computing took 1 h 10 min in 80 stages; 40 more were shared and not computed again."; `None` if nothing was
/// computed.
fn spent(rows: &Rows) -> Option<String> {
    let computed: Vec<f64> = rows.stages.iter().filter_map(|stage| stage.seconds).collect();
    let wanted = rows.run_stages.values().flatten().filter(|stage| rows.stages[**stage].seconds.is_some()).count();
    // A running sweep may have gained stages after its runs were read.
    let shared = wanted.saturating_sub(computed.len());
    let saved = if shared > 0 { format!("; {shared} more were shared and not computed again") } else { String::new() };
    let seconds = duration(computed.iter().sum());
    (!computed.is_empty()).then(|| format!("Computing took {seconds} in {} stages{saved}.", computed.len()))
}

/// Answers the question by the decisions, a clause for each variant; `None` if nothing is decided that way.
pub(super) fn decided(tuned: &Tuned) -> Option<String> {
    let decide = tuned.decide?;
    let clauses: Vec<String> = tuned.decisions.iter().map(VariantDecision::describe).collect();
    (!clauses.is_empty()).then(|| {
        format!(
            "In {}, against ST-FPM, on these test images, whenever one stops: {}.",
            decide.metric.label,
            clauses.join("; ")
        )
    })
}

/// Answers the question in one sentence, for the first metric that was compared; `None` if nothing was compared.
pub(super) fn answer(comparisons: &[Verdict]) -> Option<String> {
    // Verdicts are in the order of the metrics.
    let metric = comparisons.first()?.metric;
    let of_metric: Vec<&Verdict> = comparisons.iter().filter(|verdict| verdict.metric == metric).collect();
    let (label, superlative) = (metric.label, metric.direction.best());
    let settled = |better: bool| {
        of_metric.iter().copied().filter(move |v| v.p.is_some_and(is_significant) && (v.gain() > 0.0) == better)
    };
    let (better, worse) = (settled(true).count(), settled(false).count());
    let by_gain = |a: &&Verdict, b: &&Verdict| a.gain().total_cmp(&b.gain());
    // Prefer variants that are better by the test, if there are any, because a higher mean may be less certain.
    let best = settled(true).max_by(by_gain).or_else(|| of_metric.iter().copied().max_by(by_gain))?;
    let of_best = described(best);
    // A verdict from few seeds does not cover other images, so the headline must not either.
    let on_these_images = |better: bool| match settled(better).all(|verdict| verdict.method == Scope::Images) {
        true => "",
        false => ", on these test images",
    };
    let others = match worse {
        0 => String::new(),
        1 => format!("; 1 variant is worse{}", on_these_images(false)),
        more => format!("; {more} variants are worse{}", on_these_images(false)),
    };
    let (variant, reference) = (&best.variant, &best.reference);
    if of_metric.iter().all(|v| v.p.is_none()) && of_metric.iter().any(|v| v.method == Scope::FewSeeds) {
        return Some(format!(
            "Too few seeds: a claim about {label} needs {FEWEST_SEEDS} seeds that both variants have. {variant} has the {superlative} mean \
             difference from {reference}: {of_best}."
        ));
    }
    Some(match (better, of_metric.len()) {
        (0, _) if worse == of_metric.len() => format!(
            "No{}: in {label} every variant is worse than {reference}; the best of them, {variant}, by {of_best}.",
            on_these_images(false)
        ),
        (0, _) => format!(
            "Not shown: in {label} no variant is distinguishably better than {reference}. {variant} has the {superlative} mean difference: \
             {of_best}{others}."
        ),
        (1, _) => format!(
            "Yes{}: in {label} {variant} is better than {reference} by {of_best}{others}.",
            on_these_images(true)
        ),
        (more, all) => format!(
            "Yes{}: in {label} {more} of {all} variants are better than {reference}; the {superlative} of them, {variant}, by \
             {of_best}{others}.",
            on_these_images(true)
        ),
    })
}

/// Describes a difference: "+0.0012 (95 % CI −0.0001 to +0.0024, p (Holm) = 0.031, Student's t over seeds, on these images, 5 seeds)".
fn described(verdict: &Verdict) -> String {
    let interval = verdict.interval.map(|(low, high)| format!("95 % CI {} to {}", signed(low), signed(high)));
    let p = verdict.p.map(|p| format!("p (Holm) {}", p_value(p)));
    let seeds = if verdict.seeds == 1 { "1 seed".to_owned() } else { format!("{} seeds", verdict.seeds) };
    let method = interval.is_some().then(|| verdict.method.to_string());
    let facts: Vec<String> = [interval, p, method, Some(seeds), verdict.without()].into_iter().flatten().collect();
    format!("{} ({})", signed(verdict.difference), facts.join(", "))
}
