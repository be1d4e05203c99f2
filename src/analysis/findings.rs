//! What a report finds, for programs.

use serde::Serialize;

use super::comparison::{comparisons, sides};
use super::effects::{Effects, effects};
use super::grouping::{Groups, Ranking, groups};
use super::rows::Rows;
use super::verdict::Verdict;
use crate::store::Artifacts;

/// What was found under one protocol.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Findings {
    /// Labels of the variants, the baseline among them.
    pub variants: Vec<String>,
    /// Categories.
    pub categories: Vec<String>,
    /// What guided the search, where that was the test set, and whether protocols are mixed: nothing of this may be told without it.
    pub mark: Option<String>,
    /// What the protocols differ in, where they are mixed.
    pub across: Option<String>,
    /// Every variant against the re-run baseline.
    pub verdicts: Vec<Verdict>,
    /// What the axes of the search do.
    pub effects: Vec<Effects>,
}

/// The findings of a sweep, one entry a protocol.
pub fn findings(rows: &Rows, artifacts: &Artifacts, ranking: Ranking) -> Vec<Findings> {
    let of_groups = |groups: &Groups<'_>| {
        let verdicts = comparisons(groups, &sides(rows, groups, artifacts));
        Findings::of(groups, verdicts, effects(groups))
    };
    groups(rows, ranking).iter().map(of_groups).collect()
}

impl Findings {
    /// What was found of one group.
    pub(crate) fn of(groups: &Groups<'_>, verdicts: Vec<Verdict>, effects: Vec<Effects>) -> Self {
        Self {
            variants: groups.variants.iter().map(|variant| variant.label.clone()).collect(),
            categories: groups.categories.iter().map(|(category, _)| category.clone()).collect(),
            mark: groups.mark(),
            across: groups.across.clone(),
            verdicts,
            effects,
        }
    }
}
