//! Each variant of a report against the re-run baseline: same category, same seed, one difference a pair.

use super::Rows;
use super::grouping::{Groups, Variant};
use super::side::Side;
use super::verdict::{Verdict, families};
use crate::store::Artifacts;

/// All variants against the baseline; empty where there is no baseline with numbers.
pub(super) fn comparisons(rows: &Rows, groups: &Groups<'_>, artifacts: &Artifacts) -> Vec<Verdict> {
    let Some(baseline) = groups.baseline() else { return Vec::new() };
    let side = |variant: &Variant| Side::of_variant(rows, groups, variant, artifacts);
    let others: Vec<Side> = groups.variants.iter().filter(|variant| !variant.baseline).map(side).collect();
    let noted: Vec<(&Side, Option<String>)> = others.iter().map(|other| (other, groups.across.clone())).collect();
    families(&side(baseline), &noted)
}
