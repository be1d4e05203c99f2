//! The findings of a report, for programs.

use serde::Serialize;

use super::comparison::{comparisons, sides};
use super::effects::{Effects, effects};
use super::grouping::{Groups, Ranking, groups};
use super::rows::Rows;
use super::tuned::Tuned;
use super::verdict::Verdict;
use crate::store::Artifacts;

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
pub fn findings(rows: &Rows, artifacts: &Artifacts, ranking: Ranking) -> Vec<Findings> {
    let of_groups = |groups: &Groups<'_>| {
        let verdicts = comparisons(groups, &sides(rows, groups, artifacts));
        Findings::of(groups, verdicts, effects(groups), rows.tuned.as_ref())
    };
    groups(rows, ranking).iter().map(of_groups).collect()
}

impl Findings {
    /// Collects the findings of one group.
    pub(crate) fn of(
        groups: &Groups<'_>,
        verdicts: Vec<Verdict>,
        effects: Vec<Effects>,
        tuned: Option<&Tuned>,
    ) -> Self {
        Self {
            variants: groups.variants.iter().map(|variant| variant.label.clone()).collect(),
            categories: groups.categories.iter().map(|(category, _)| category.clone()).collect(),
            mark: groups.mark(),
            across: groups.across.clone(),
            verdicts,
            effects,
            tuned: tuned.cloned(),
        }
    }
}
