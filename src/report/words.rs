//! The sentences of a report, for the page and for Markdown alike.

use crate::analysis::{Costs, Groups, Guidance, Variant, Verdict};
use crate::store::SweepRow;
use crate::text::signed;

/// A remark that a reader must know before the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    /// Opening words, in bold.
    pub lead: Option<String>,
    pub text: String,
    /// The command that the text announces.
    pub command: Option<String>,
}

impl Remark {
    /// Creates a remark without a command.
    pub(super) fn new(lead: Option<&str>, text: String) -> Self {
        Self { lead: lead.map(str::to_owned), text, command: None }
    }
}

/// Text below the title of one protocol's part, if there are several parts.
pub(super) const SEPARATE_PROTOCOL: &str =
    "These numbers were measured under another protocol than those of the other parts. Do not rank them together.";

/// Text above the pictures.
pub(super) const PICTURES: &str = "Distance between teacher and prediction at each level, from coarse to fine; the fused map \
     alone; and the fused map over the input. All rows of a column share one colour scale, which starts at 0. For a level it ends at the \
     highest of the rows' 99.9 % quantiles over the test images. For the fused map it ends at twice the row's held-out threshold. Over \
     the input, the fused map is invisible at 0 and grows more opaque with its value. Cyan outlines the ground truth. A white line shows \
     where the fused map crosses the threshold.";

/// Text above the curves.
pub(super) const CURVES: &str = "Curves of the selected epochs: at each x value, the mean over a variant's seeds and the range \
     from the lowest to the highest seed. Image curves are exact. Pixel curves use a subset of the exact curve's points.";

/// Returns a remark on the objective of the search; `None` if the search had none.
pub(super) fn guidance(sweep: &SweepRow) -> Option<Remark> {
    let objective = Guidance::of(sweep).objective()?;
    let metric = objective.metric();
    Some(match objective.is_on_test() {
        false => Remark::new(
            None,
            format!(
                "The search was guided by {metric}, measured on held-out normal images with defects that didact painted on them. It \
                 used no label and no test image."
            ),
        ),
        true => Remark::new(
            Some("Selected on test."),
            format!(
                "The search was guided by {metric} on the test images themselves. Its best trial is therefore an oracle: new images \
                 would give worse numbers. Every table and figure here is marked."
            ),
        ),
    })
}

/// Returns a remark if protocols are mixed.
pub(super) fn across(groups: &Groups<'_>) -> Option<Remark> {
    let what = groups.across.as_ref()?;
    Some(Remark::new(
        Some("Across protocols."),
        format!(
            "As requested, the tables mix numbers of different protocols ({what}). These numbers do not measure the same quantity, and \
             a difference may come from the protocol. ST-FPM here is the one of the first protocol."
        ),
    ))
}

/// The findings in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FindingTexts {
    /// Why nothing is compared.
    NotCompared(&'static str),
    /// Each variant's label with its sentence.
    PerVariant(Vec<(String, String)>),
}

/// Writes one sentence per variant: whether it helps, by how much, at what cost, and how certain that is. `costs` belong to the variants of
/// `groups`.
pub(super) fn finding_texts(groups: &Groups<'_>, costs: &[Costs], verdicts: &[Verdict]) -> FindingTexts {
    let Some(baseline) = groups.variants.iter().position(|variant| variant.baseline) else {
        return FindingTexts::NotCompared("This sweep has no re-run baseline, so nothing is compared.");
    };
    if groups.variants.iter().all(|variant| variant.baseline) {
        return FindingTexts::NotCompared("Only ST-FPM was run here, so nothing is compared with it.");
    }
    let reference = &costs[baseline];
    let sentence = |(variant, costs): (&Variant, &Costs)| {
        let clauses: Vec<String> =
            verdicts.iter().filter(|v| v.belongs_to(&variant.trial, &variant.label)).map(clause).collect();
        let clauses =
            if clauses.is_empty() { "no pair of runs has numbers yet".to_owned() } else { clauses.join("; ") };
        let cost = costs.relative_to(reference);
        let cost = cost.map(|cost| format!(" Cost: {cost}.")).unwrap_or_default();
        (variant.label.clone(), format!("{clauses}.{cost}"))
    };
    let others = groups.variants.iter().zip(costs).filter(|(variant, _)| !variant.baseline);
    FindingTexts::PerVariant(others.map(sentence).collect())
}

/// Describes one verdict: "pixel AUROC +0.0120 (95 % CI +0.0050 to +0.0190), better".
fn clause(verdict: &Verdict) -> String {
    let interval = verdict.interval.map(|(low, high)| format!(" (95 % CI {} to {})", signed(low), signed(high)));
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
