//! Draws the pictures of a group's categories.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::cases::cases;
use super::compose::{Picture, PictureLayout, compose};
use super::source::Source;
use crate::analysis::{Groups, Rows, Variant};
use crate::evaluate::ImageScore;
use crate::report::error::ReportError;
use crate::store::{Artifacts, RunState};

/// Maximum number of rows of one picture: ST-FPM and at most five others.
const MAX_ROWS: usize = 6;

/// Draws the pictures of every category. Also returns notes on what could not be drawn.
///
/// # Errors
/// A picture cannot be drawn.
pub(in crate::report) fn pictures(
    rows: &Rows,
    groups: &Groups<'_>,
    artifacts: &Artifacts,
    prefix: &str,
) -> Result<(Vec<Picture>, Vec<String>), ReportError> {
    let (mut pictures, mut notes) = (Vec::new(), Vec::new());
    for (category, _) in &groups.categories {
        let sources = sources(rows, groups, artifacts, category, &mut notes);
        let Some(first) = sources.first() else { continue };
        let scores: Vec<&[ImageScore]> = sources.iter().map(|source| source.images.as_slice()).collect();
        let of_category: Result<Vec<Picture>, ReportError> = cases(&scores)
            .into_par_iter()
            .map(|case| {
                let image = &first.images[case.index];
                let kind = image.defect.as_deref().unwrap_or("good");
                let drawn = compose(&PictureLayout {
                    sources: &sources,
                    index: case.index,
                    name: format!("{prefix}maps-{category}-{}", case.slug),
                    caption: groups.marked(&format!(
                        "{category}, {} ({kind}): {}, ranked by image score relative to the held-out threshold (mean rank over the \
                         rows); seed {}{}",
                        image.image,
                        case.reason,
                        first.seed,
                        left_out(groups)
                    )),
                    mark: groups.mark(),
                });
                drawn.map_err(|source| ReportError::Draw { figure: format!("{category} {}", image.image), source })
            })
            .collect();
        pictures.extend(of_category?);
    }
    Ok((pictures, notes))
}

/// Opens the sources for the rows of one picture: they have the same images and the same levels.
fn sources(
    rows: &Rows,
    groups: &Groups<'_>,
    artifacts: &Artifacts,
    category: &str,
    notes: &mut Vec<String>,
) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    let seed = first_seed(groups, category);
    for variant in shown(&groups.variants) {
        let mut done = groups.runs(variant, category).filter(|run| run.state == RunState::Done);
        let Some(run) = done.find(|run| Some(run.seed) == seed) else { continue };
        match Source::open(rows, artifacts, run, variant) {
            Ok(source) if sources.first().is_none_or(|first| first.fits(&source)) => sources.push(source),
            Ok(_) => {
                notes.push(format!(
                    "no picture of {} in {category}: its images or levels differ from those of the other rows",
                    variant.label
                ));
            }
            Err(error) => notes.push(format!("no picture of {} in {category}: {error}", variant.label)),
        }
    }
    sources
}

/// Returns the first seed with which most variants are done.
fn first_seed(groups: &Groups<'_>, category: &str) -> Option<i64> {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for variant in &groups.variants {
        for run in groups.runs(variant, category).filter(|run| run.state == RunState::Done) {
            *counts.entry(run.seed).or_default() += 1;
        }
    }
    counts.into_iter().max_by_key(|(seed, count)| (*count, std::cmp::Reverse(*seed))).map(|(seed, _)| seed)
}

/// Returns the shown variants: auto-encoder variants, then the baseline.
fn shown(variants: &[Variant]) -> impl Iterator<Item = &Variant> {
    let (baseline, others): (Vec<&Variant>, Vec<&Variant>) = variants.iter().partition(|variant| variant.baseline);
    let room = MAX_ROWS - baseline.len().min(1);
    others.into_iter().take(room).chain(baseline.into_iter().take(1))
}

/// Returns what a caption adds if not all variants are shown.
fn left_out(groups: &Groups<'_>) -> String {
    match (shown(&groups.variants).count(), groups.variants.len()) {
        (shown, all) if shown < all => format!("; {shown} of {all} variants"),
        _ => String::new(),
    }
}
