//! The summary at the start of a page: the question, the answer in a sentence, the cost, and what is missing.

use std::collections::BTreeMap;

use super::tables::{best, by_metric};
use crate::analysis::{FEWEST_SEEDS, Rows, Scope, Tuned, VariantDecision, Verdict, is_significant};
use crate::store::RunState;
use crate::text::{counted, duration, p_value, signed};

/// Describes the runs by state and the total cost: "11 of 12 runs done, 1 failed. Computing took …".
pub(super) fn state(rows: &Rows) -> String {
    let mut states: BTreeMap<RunState, usize> = BTreeMap::new();
    rows.all_runs().for_each(|run| *states.entry(run.state).or_default() += 1);
    let all: usize = states.values().sum();
    let done = states.remove(&RunState::Done).unwrap_or(0);
    let missing: String = states.iter().map(|(state, count)| format!(", {count} {state}")).collect();
    let spent = spent(rows).map(|spent| format!(" {spent}")).unwrap_or_default();
    let all = counted(all, "run");
    format!("{done} of {all} done{missing}.{spent} The numbers below are from finished runs only.")
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
    (!computed.is_empty()).then(|| format!("Computing took {seconds} in {}{saved}.", counted(computed.len(), "stage")))
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

/// An answer to the question in one metric.
struct Answer {
    /// Opening words: "Yes", "No", "Not shown" or "Too few seeds".
    lead: String,
    /// The finding, without opening words: "in pixel AUROC …".
    finding: String,
    /// Whether the test settled it in favour of a variant.
    helps: bool,
}

/// Answers the question in the first metric, and in every other metric whose answer is another one; `None` if nothing was compared.
pub(super) fn answer(comparisons: &[Verdict]) -> Option<String> {
    let answers: Vec<Answer> = by_metric(comparisons).filter_map(answer_in).collect();
    let (first, others) = answers.split_first()?;
    let different: Vec<&Answer> = others.iter().filter(|other| other.helps != first.helps).collect();
    if different.is_empty() {
        return Some(format!("{}: {}.", first.lead, first.finding));
    }
    let findings = std::iter::once(first).chain(different).map(|answer| answer.finding.as_str());
    Some(format!("Mixed: {}.", findings.collect::<Vec<_>>().join("; ")))
}

/// Answers the question by the verdicts of one metric.
fn answer_in(of_metric: &[Verdict]) -> Option<Answer> {
    let best = best(of_metric)?;
    let (label, superlative) = (best.metric.label, best.metric.direction.best());
    let settled =
        |better: bool| of_metric.iter().filter(move |v| v.p.is_some_and(is_significant) && (v.gain() > 0.0) == better);
    let (better, worse) = (settled(true).count(), settled(false).count());
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
    let (lead, finding) = match (better, of_metric.len()) {
        _ if of_metric.iter().all(|v| v.p.is_none()) && of_metric.iter().any(|v| v.method == Scope::FewSeeds) => (
            "Too few seeds".to_owned(),
            format!(
                "a claim about {label} needs {FEWEST_SEEDS} seeds that both variants have. {variant} has the {superlative} mean difference \
                 from {reference}: {of_best}"
            ),
        ),
        (0, _) if worse == of_metric.len() => (
            format!("No{}", on_these_images(false)),
            format!("in {label} every variant is worse than {reference}; the best of them, {variant}, by {of_best}"),
        ),
        (0, _) => (
            "Not shown".to_owned(),
            format!(
                "in {label} no variant is distinguishably better than {reference}. {variant} has the {superlative} mean difference: \
                 {of_best}{others}"
            ),
        ),
        (1, _) => (
            format!("Yes{}", on_these_images(true)),
            format!("in {label} {variant} is better than {reference} by {of_best}{others}"),
        ),
        (more, all) => (
            format!("Yes{}", on_these_images(true)),
            format!(
                "in {label} {more} of {all} variants are better than {reference}; the {superlative} of them, {variant}, by {of_best}{others}"
            ),
        ),
    };
    Some(Answer { lead, finding, helps: better > 0 })
}

/// Describes a difference: "+0.0012 (95 % CI −0.0001 to +0.0024, p (Holm) = 0.031, Student's t over seeds, on these images, 5 seeds)".
fn described(verdict: &Verdict) -> String {
    let interval = verdict.interval.map(|(low, high)| format!("95 % CI {} to {}", signed(low), signed(high)));
    let p = verdict.p.map(|p| format!("p (Holm) {}", p_value(p)));
    let seeds = counted(verdict.seeds, "seed");
    let method = interval.is_some().then(|| verdict.method.to_string());
    let facts: Vec<String> = [interval, p, method, Some(seeds), verdict.without()].into_iter().flatten().collect();
    format!("{} ({})", signed(verdict.difference), facts.join(", "))
}
