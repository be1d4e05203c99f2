//! The sentences of a report, for the page and for Markdown alike.

use super::Rows;
use super::costs::Costs;
use super::grouping::{Groups, metric_label};
use super::text::signed;
use super::verdict::Verdict;

/// Something that a reader must know before the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    /// What stands first, in bold.
    pub lead: Option<&'static str>,
    pub text: String,
}

/// What stands below the title of one protocol's part among several.
pub(super) const APART: &str =
    "These numbers were measured in another way than those of the other parts, and are not to be ranked with them.";

/// "12 runs: 11 done, 1 failed".
pub(super) fn population(rows: &Rows) -> String {
    let mut states: Vec<(&str, usize)> = Vec::new();
    for run in &rows.runs {
        match states.iter_mut().find(|(state, _)| *state == run.state) {
            Some((_, count)) => *count += 1,
            None => states.push((&run.state, 1)),
        }
    }
    let states: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let runs = if rows.runs.len() == 1 { "run" } else { "runs" };
    format!("{} {runs}: {}. Numbers below are of the runs that are done.", rows.runs.len(), states.join(", "))
}

/// What must be known where protocols are mixed.
pub(super) fn across(groups: &Groups<'_>) -> Option<Remark> {
    let what = groups.across.as_ref()?;
    Some(Remark {
        lead: Some("Across protocols."),
        text: format!(
            "As asked, numbers that were measured in different ways stand in one table; they do not measure the same thing, and a \
             difference may be one of measuring ({what}). ST-FPM here is that of the first protocol."
        ),
    })
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Why nothing can be said.
    Nothing(&'static str),
    /// Each variant's label with what is said of it.
    Variants(Vec<(String, String)>),
}

/// Does it help, by how much, at what cost, and how sure is that: a sentence a variant.
pub(super) fn found(rows: &Rows, groups: &Groups<'_>, verdicts: &[Verdict]) -> Found {
    let Some(baseline) = groups.baseline() else {
        return Found::Nothing("There is no re-run baseline in this sweep: nothing is compared.");
    };
    if groups.variants.iter().all(|variant| variant.baseline) {
        return Found::Nothing("Only ST-FPM was run: there is nothing to compare it with here.");
    }
    let reference = Costs::of(rows, groups, baseline);
    let sentence = |variant: &super::grouping::Variant| {
        let found: Vec<String> =
            verdicts.iter().filter(|v| v.is_of(&variant.trial, &variant.label)).map(clause).collect();
        let found = if found.is_empty() { "no pair of runs with numbers yet".to_owned() } else { found.join("; ") };
        let cost = Costs::of(rows, groups, variant).against(&reference);
        let cost = cost.map(|cost| format!(" Cost: {cost}.")).unwrap_or_default();
        (variant.label.clone(), format!("{found}.{cost}"))
    };
    Found::Variants(groups.variants.iter().filter(|variant| !variant.baseline).map(sentence).collect())
}

/// "pixel AUROC +0.0120 (95 % +0.0050 to +0.0190), better".
fn clause(verdict: &Verdict) -> String {
    let interval = verdict.interval.map(|(low, high)| format!(" (95 % {} to {})", signed(low), signed(high)));
    format!(
        "{} {}{}, {}",
        metric_label(verdict.metric),
        signed(verdict.difference),
        interval.unwrap_or_default(),
        verdict.verdict
    )
}
