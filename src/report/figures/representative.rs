//! The run that a mark leads to.

use crate::analysis::{Groups, Variant};
use crate::store::{RunRow, RunState};

/// Returns the finished run that stands for a variant: that of its first category, with the lowest seed.
pub(super) fn representative<'r>(groups: &Groups<'r>, variant: &Variant) -> Option<&'r str> {
    let first = |category: &str| finished(groups, variant, category).next();
    groups.categories.iter().find_map(|(category, _)| first(category)).map(|run| run.id.as_str())
}

/// Returns the finished run of a variant with this category and seed.
pub(super) fn run_of<'r>(groups: &Groups<'r>, variant: &Variant, category: &str, seed: i64) -> Option<&'r str> {
    finished(groups, variant, category).find(|run| run.seed == seed).map(|run| run.id.as_str())
}

/// Returns the finished runs of a variant and category, by seed.
pub(super) fn finished<'r>(groups: &Groups<'r>, variant: &Variant, category: &str) -> impl Iterator<Item = &'r RunRow> {
    groups.runs(variant, category).filter(|run| run.state == RunState::Done)
}
