//! The findings of a report, for programs.

use serde::Serialize;

use super::analysed::{Analysis, ComparedGroups};
use super::effects::Effects;
use super::tuned::Tuned;
use super::verdict::Verdict;

/// Findings under one protocol.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Findings {
    /// Labels of the variants, including the baseline.
    pub variants: Vec<String>,
    /// Names of the categories.
    pub categories: Vec<String>,
    /// Warns if the test set guided the search or if protocols are mixed. Every use of these findings must show it.
    pub mark: Option<String>,
    /// What the protocols differ in, if they are mixed.
    pub across: Option<String>,
    /// Verdicts on every variant compared with the re-run baseline.
    pub verdicts: Vec<Verdict>,
    /// Effects of the search's axes.
    pub effects: Vec<Effects>,
    /// The chosen trials and what is known about them; absent if the sweep chooses none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuned: Option<Tuned>,
}

/// Returns the findings of a sweep, one entry per protocol.
pub fn findings(analysis: &Analysis<'_>) -> Vec<Findings> {
    let of = |ComparedGroups { groups, comparisons, effects, tuned, .. }: &ComparedGroups<'_>| Findings {
        variants: groups.variants.iter().map(|variant| variant.label.clone()).collect(),
        categories: groups.categories.iter().map(|(category, _)| category.clone()).collect(),
        mark: groups.mark(),
        across: groups.across.clone(),
        verdicts: comparisons.clone(),
        effects: effects.clone(),
        tuned: tuned.cloned(),
    };
    analysis.protocols.iter().map(of).collect()
}
