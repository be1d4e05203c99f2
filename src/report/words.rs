//! The sentences of a report, for the page and for Markdown alike.

use crate::analysis::{Costs, Groups, Guidance, Variant, Verdict};
use crate::store::SweepRow;
use crate::text::signed;

/// A remark that a reader must know before the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    /// Opening words, in bold.
    pub lead: Option<&'static str>,
    pub text: String,
}

/// Text below the title of one protocol's part, if there are several parts.
pub(super) const APART: &str =
    "These numbers were measured in another way than those of the other parts, and are not to be ranked with them.";

/// Text above the pictures.
pub(super) const PICTURES: &str = "Distance between teacher and prediction at each level, coarse to fine, and the fused map over the input with the ground truth outlined. A \
     column has one scale for all rows: of a level 0 to the highest 99.9 % quantile of a row's test images, of the fused map 0 to twice the row's \
     held-out threshold, so that the middle colour is where an image becomes anomalous.";

/// Text above the curves.
pub(super) const CURVES: &str = "Of the selected epochs: the mean over a variant's seeds at every place, and the range from the lowest to the highest of them. Curves of \
     pixels are thinned from the exact ones, those of images are exact.";

/// Says what guided the search; `None` if nothing did.
pub(super) fn guidance(sweep: &SweepRow) -> Option<Remark> {
    let objective = Guidance::of(sweep).objective()?;
    let metric = objective.metric();
    Some(match objective.is_on_test() {
        false => Remark {
            lead: None,
            text: format!(
                "The search was guided by {metric}, measured on held-out normal images with defects that didact painted on them: no \
                 label and no test image had a part in it."
            ),
        },
        true => Remark {
            lead: Some("Selected on test."),
            text: format!(
                "The search was guided by {metric} on the test images themselves: what it found best is an oracle, its numbers are \
                 better than new images would give, and every table and figure here is marked so."
            ),
        },
    })
}

/// Returns what a reader must know if protocols are mixed.
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

/// The findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Why there are no findings.
    Nothing(&'static str),
    /// Each variant's label with its sentence.
    Variants(Vec<(String, String)>),
}

/// Writes one sentence per variant: whether it helps, by how much, at what cost, and how certain that is. `costs` belong to the variants of
/// `groups`.
pub(super) fn found(groups: &Groups<'_>, costs: &[Costs], verdicts: &[Verdict]) -> Found {
    let Some(baseline) = groups.variants.iter().position(|variant| variant.baseline) else {
        return Found::Nothing("There is no re-run baseline in this sweep: nothing is compared.");
    };
    if groups.variants.iter().all(|variant| variant.baseline) {
        return Found::Nothing("Only ST-FPM was run: there is nothing to compare it with here.");
    }
    let reference = &costs[baseline];
    let sentence = |(variant, costs): (&Variant, &Costs)| {
        let found: Vec<String> =
            verdicts.iter().filter(|v| v.is_of(&variant.trial, &variant.label)).map(clause).collect();
        let found = if found.is_empty() { "no pair of runs with numbers yet".to_owned() } else { found.join("; ") };
        let cost = costs.against(reference);
        let cost = cost.map(|cost| format!(" Cost: {cost}.")).unwrap_or_default();
        (variant.label.clone(), format!("{found}.{cost}"))
    };
    let others = groups.variants.iter().zip(costs).filter(|(variant, _)| !variant.baseline);
    Found::Variants(others.map(sentence).collect())
}

/// Describes one verdict: "pixel AUROC +0.0120 (95 % +0.0050 to +0.0190), better".
fn clause(verdict: &Verdict) -> String {
    let interval = verdict.interval.map(|(low, high)| format!(" (95 % {} to {})", signed(low), signed(high)));
    let without = verdict.without().map(|without| format!(", {without}"));
    format!(
        "{} {}{}, {}{}",
        verdict.metric.label,
        signed(verdict.difference),
        interval.unwrap_or_default(),
        verdict.verdict,
        without.unwrap_or_default()
    )
}
