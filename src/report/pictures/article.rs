//! The picture of the seed article: one test image, its maps by a variant with auto-encoders and by ST-FPM.

use super::cases::median;
use super::compose::{Picture, PictureLayout, compose};
use super::rows::{best_first, open_rows, seeds};
use super::source::Source;
use crate::analysis::{Groups, Rows, Variant};
use crate::evaluate::ImageScore;
use crate::report::error::ReportError;
use crate::store::Artifacts;

/// What the picture of the article shows.
pub(in crate::report) struct ArticleChoice<'a> {
    /// The variant of the first row; `None` is the one with the best mean.
    pub variant: Option<&'a Variant>,
    /// The category; `None` is the first one.
    pub category: Option<&'a str>,
}

/// Draws the median defective image of a category in two rows: the chosen variant and ST-FPM. Returns no picture if nothing can be drawn,
/// and notes that say why.
///
/// # Errors
/// The picture cannot be drawn.
pub(in crate::report) fn article_picture(
    rows: &Rows,
    groups: &Groups<'_>,
    artifacts: &Artifacts,
    choice: &ArticleChoice<'_>,
    prefix: &str,
) -> Result<(Option<Picture>, Vec<String>), ReportError> {
    let mut notes = Vec::new();
    let variant = choice.variant.or_else(|| best_first(groups).first().copied());
    let variants: Vec<&Variant> = variant.into_iter().chain(groups.baseline()).collect();
    let first = groups.categories.first().map(|(category, _)| category.as_str());
    let Some(category) = choice.category.or(first) else { return Ok((None, notes)) };
    let Some(seed) = seeds(groups, &variants, category).first().copied() else { return Ok((None, notes)) };
    let sources = open_rows((rows, groups, artifacts), &variants, category, seed, &mut notes);
    let sources: Vec<Source> = sources.into_iter().flatten().collect();
    let scores: Vec<&[ImageScore]> = sources.iter().map(|source| source.images.as_slice()).collect();
    let Some(case) = median(&scores) else {
        if !sources.is_empty() {
            notes.push(format!("no picture of {category}: it has no defective test image"));
        }
        return Ok((None, notes));
    };
    let image = &sources[0].images[case.index];
    let kind = image.defect.as_deref().unwrap_or("good");
    let labels: Vec<&str> = sources.iter().map(|source| source.label.as_str()).collect();
    let drawn = compose(&PictureLayout {
        sources: &sources,
        index: case.index,
        name: format!("{prefix}article-{category}"),
        caption: groups.marked(&format!(
            "{category}, {} ({kind}): {} by score, mean rank over both rows; seed {seed}. Rows: {}.",
            image.image,
            case.reason,
            labels.join(" and ")
        )),
        mark: groups.mark(),
    });
    let picture =
        drawn.map_err(|source| ReportError::Draw { figure: format!("{category} {}", image.image), source })?;
    Ok((Some(picture), notes))
}
