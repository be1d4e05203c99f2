//! Draws the pictures of a group's categories.

use rayon::prelude::*;

use super::cases::cases;
use super::compose::{Picture, PictureLayout, compose};
use super::rows::{open_rows, seeds};
use super::source::Source;
use crate::analysis::{Groups, Rows, Variant};
use crate::evaluate::ImageScore;
use crate::report::error::ReportError;
use crate::store::Artifacts;

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
        // The seed is that of most variants, also of those that are not shown.
        let all: Vec<&Variant> = groups.variants.iter().collect();
        let Some(seed) = seeds(groups, &all, category).first().copied() else { continue };
        let shown: Vec<&Variant> = shown(&groups.variants).collect();
        let sources = open_rows((rows, groups, artifacts), &shown, category, seed, &mut notes);
        let sources: Vec<Source> = sources.into_iter().flatten().collect();
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
