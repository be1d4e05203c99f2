//! Each variant of a report against the re-run baseline: same category, same seed, one difference a pair.

use super::grouping::Groups;
use super::rows::Rows;
use super::side::Side;
use super::verdict::{Verdict, families};
use crate::store::Artifacts;

/// The variants of `groups`, in their order.
pub(crate) fn sides(rows: &Rows, groups: &Groups<'_>, artifacts: &Artifacts) -> Vec<Side> {
    groups.variants.iter().map(|variant| Side::of_variant(rows, groups, variant, artifacts)).collect()
}

/// All variants against the baseline; empty where there is no baseline with numbers. `sides`: those of `groups`.
pub(crate) fn comparisons(groups: &Groups<'_>, sides: &[Side]) -> Vec<Verdict> {
    let Some(baseline) = groups.variants.iter().position(|variant| variant.baseline) else { return Vec::new() };
    let others = groups.variants.iter().zip(sides).filter(|(variant, _)| !variant.baseline);
    let noted: Vec<(&Side, Option<String>)> = others.map(|(_, side)| (side, groups.across.clone())).collect();
    families(&sides[baseline], &noted, &groups.metrics)
}
