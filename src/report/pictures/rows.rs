//! Opens the maps that a picture or a gallery shows next to each other, and chooses their seed.

use std::collections::BTreeMap;

use super::source::Source;
use crate::analysis::{Groups, Rows, Variant};
use crate::evaluate::Selection;
use crate::store::{Artifacts, RunState};

/// Opens a run's maps for each of the variants; they have the same images and the same levels. The place of a variant without such a run,
/// or whose maps cannot be shown, is empty; in the latter case a note says why.
pub(in crate::report) fn open_rows(
    (rows, groups, artifacts): (&Rows, &Groups<'_>, &Artifacts),
    variants: &[&Variant],
    category: &str,
    seed: i64,
    notes: &mut Vec<String>,
) -> Vec<Option<Source>> {
    let mut opened: Vec<Option<Source>> = Vec::new();
    for variant in variants {
        let run = groups.runs(variant, category).find(|run| run.state == RunState::Done && run.seed == seed);
        let mut note = |why: &str| notes.push(format!("no picture of {} in {category}: {why}", variant.label));
        let source = run.and_then(|run| match Source::open(rows, artifacts, run, variant) {
            Ok(source) if opened.iter().flatten().next().is_none_or(|first| first.fits(&source)) => Some(source),
            Ok(_) => {
                note("its images or levels differ from those of the other rows");
                None
            }
            Err(error) => {
                note(&error.to_string());
                None
            }
        });
        opened.push(source);
    }
    opened
}

/// Returns the seeds of finished runs of these variants: first those with which most variants are done.
pub(in crate::report) fn seeds(groups: &Groups<'_>, variants: &[&Variant], category: &str) -> Vec<i64> {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for variant in variants {
        for run in groups.runs(variant, category).filter(|run| run.state == RunState::Done) {
            *counts.entry(run.seed).or_default() += 1;
        }
    }
    let mut seeds: Vec<(i64, usize)> = counts.into_iter().collect();
    seeds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    seeds.into_iter().map(|(seed, _)| seed).collect()
}

/// Returns the variants except the baseline in the order of their means in the report's first metric, best first. Variants without a mean
/// come last.
pub(in crate::report) fn best_first<'g>(groups: &'g Groups<'_>) -> Vec<&'g Variant> {
    let metric = groups.first_metric();
    let categories = groups.common_categories(Selection::Selected, metric);
    let gain = |variant: &Variant| {
        let mean = groups.mean(variant, &categories, Selection::Selected, metric);
        mean.map_or(f64::NEG_INFINITY, |mean| metric.direction.gain(mean))
    };
    let mut others: Vec<(f64, &Variant)> =
        groups.variants.iter().filter(|variant| !variant.baseline).map(|variant| (gain(variant), variant)).collect();
    others.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    others.into_iter().map(|(_, variant)| variant).collect()
}
