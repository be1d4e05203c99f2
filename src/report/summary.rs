//! The head of a page: what was asked, the answer in a sentence, what it cost, what is missing.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::Rows;
use super::difference::settles;
use super::grouping::{METRICS, metric_label};
use super::text::{duration, signed};
use super::verdict::Verdict;

/// States of runs that will still change.
const OPEN: [&str; 2] = ["pending", "running"];

/// Runs by state, what is missing, and what all of it cost.
pub(super) fn state(rows: &Rows) -> Markup {
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    rows.runs.iter().for_each(|run| *states.entry(&run.state).or_default() += 1);
    let count = |state: &str| states.get(state).copied().unwrap_or(0);
    let open: usize = OPEN.iter().map(|state| count(state)).sum();
    let missing: Vec<String> =
        states.iter().filter(|(state, _)| **state != "done").map(|(state, count)| format!("{count} {state}")).collect();
    let (done, all) = (count("done"), rows.runs.len());
    html! {
        @if open > 0 {
            p.note { strong { "Still running. " } "This page is of the runs that are done; what it says may change with the others." }
        }
        p.quiet {
            (done) " of " (all) (if all == 1 { " run" } else { " runs" }) " done"
            @if !missing.is_empty() { ", " (missing.join(", ")) }
            ". " (spent(rows)) " Numbers below are of the runs that are done."
        }
    }
}

/// "Computing took 1 h 10 min; 40 of 120 stages were shared."
fn spent(rows: &Rows) -> String {
    let stages: BTreeMap<&str, f64> =
        rows.stages.iter().filter_map(|stage| Some((stage.stage_id.as_str(), stage.seconds?))).collect();
    let uses = rows.stages.iter().filter(|stage| stage.seconds.is_some()).count();
    match stages.len() {
        0 => String::new(),
        different => {
            let shared = uses - different;
            let saved =
                if shared > 0 { format!("; {shared} more were shared and not computed again") } else { String::new() };
            format!("Computing took {} in {different} stages{saved}.", duration(stages.values().sum()))
        }
    }
}

/// The answer in one sentence, of the first metric that was compared; none where nothing was.
pub(super) fn answer(comparisons: &[Verdict]) -> Option<String> {
    let metric = METRICS.iter().map(|(name, _)| *name).find(|name| comparisons.iter().any(|v| v.metric == *name))?;
    let family: Vec<&Verdict> = comparisons.iter().filter(|verdict| verdict.metric == metric).collect();
    let best = family.iter().max_by(|a, b| a.difference.total_cmp(&b.difference))?;
    let label = metric_label(metric);
    let of_best = described(best);
    let settled = |better: bool| {
        family.iter().filter(move |v| v.p.is_some_and(settles) && (v.difference > 0.0) == better).count()
    };
    let (better, worse) = (settled(true), settled(false));
    let others = match worse {
        0 => String::new(),
        1 => "; 1 variant is worse".to_owned(),
        more => format!("; {more} variants are worse"),
    };
    Some(match (better, family.len()) {
        (0, _) if worse == family.len() => {
            format!(
                "No: in {label} every variant is worse than {}; the best of them, {}, by {of_best}.",
                best.reference, best.variant
            )
        }
        (0, _) => format!(
            "Not shown: in {label} no variant is distinguishably better than {}; the highest, {}, differs by {of_best}{others}.",
            best.reference, best.variant
        ),
        (1, _) => format!("Yes: in {label} {} is better than {} by {of_best}{others}.", best.variant, best.reference),
        (more, all) => format!(
            "Yes: in {label} {more} of {all} variants are better than {}; the highest, {}, by {of_best}{others}.",
            best.reference, best.variant
        ),
    })
}

/// "+0.0012 (95 % −0.0001 to +0.0024, p (Holm) 0.031, Student's t over seeds, 3 seeds)".
fn described(verdict: &Verdict) -> String {
    let interval = verdict.interval.map(|(low, high)| format!("95 % {} to {}", signed(low), signed(high)));
    let p = verdict.p.map(|p| if p < 0.001 { "p (Holm) < 0.001".to_owned() } else { format!("p (Holm) {p:.3}") });
    let seeds = if verdict.seeds == 1 { "1 seed".to_owned() } else { format!("{} seeds", verdict.seeds) };
    let method = interval.is_some().then(|| verdict.method.to_owned());
    let facts: Vec<String> = [interval, p, method, Some(seeds)].into_iter().flatten().collect();
    format!("{} ({})", signed(verdict.difference), facts.join(", "))
}
