//! Compares each variant of a report with the re-run baseline, in pairs with the same category and seed: one difference per pair.

use super::grouping::Groups;
use super::rows::Rows;
use super::side::Side;
use super::verdict::{Verdict, compare_checked};
use crate::store::Artifacts;

/// Returns one side per variant of `groups`, in the same order.
pub(crate) fn sides(rows: &Rows, groups: &Groups<'_>, artifacts: &Artifacts) -> Vec<Side> {
    groups.variants.iter().map(|variant| Side::of_variant(rows, groups, variant, artifacts)).collect()
}

/// Compares all variants with the baseline. Returns an empty list if no baseline has numbers. `sides` are the sides of `groups`.
pub(crate) fn comparisons(groups: &Groups<'_>, sides: &[Side]) -> Vec<Verdict> {
    let Some(baseline) = groups.variants.iter().position(|variant| variant.baseline) else { return Vec::new() };
    let others = groups.variants.iter().zip(sides).filter(|(variant, _)| !variant.baseline);
    let noted: Vec<(&Side, Option<String>)> = others.map(|(_, side)| (side, groups.across.clone())).collect();
    compare_checked(&sides[baseline], &noted, &groups.metrics)
}
