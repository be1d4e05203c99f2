//! Chooses the test images of a category to show: best, median and worst, the normal image nearest to a false alarm, and every kind
//! of defect.
//!
//! All rows show the same image, so that no row can choose its own. Each row ranks the images by score relative to its held-out threshold,
//! which is their order by score. The mean of an image's ranks decides.

use std::cmp::Ordering;

use crate::evaluate::ImageScore;

/// A test image to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    /// Index among the test images.
    pub index: usize,
    /// Part of the file name, such as "best".
    pub slug: String,
    /// Why the image is shown: "the best of 17 defective images".
    pub reason: String,
}

/// Returns the images to show, each once. `rows` are the scores of the same test images in every row.
pub(super) fn cases(rows: &[&[ImageScore]]) -> Vec<Case> {
    let Some(images) = rows.first() else { return Vec::new() };
    let ranked = |wanted: &dyn Fn(Option<&str>) -> bool| {
        by_mean_rank(rows, (0..images.len()).filter(|&index| wanted(images[index].defect.as_deref())).collect())
    };
    let mut cases: Vec<Case> = Vec::new();
    let mut show = |index: Option<&usize>, slug: &str, reason: String| {
        if let Some(&index) = index.filter(|index| cases.iter().all(|case| case.index != **index)) {
            cases.push(Case { index, slug: slug.to_owned(), reason });
        }
    };
    let defective = ranked(&|defect| defect.is_some());
    let of = format!("of {} defective images", defective.len());
    show(defective.last(), "best", format!("the best {of}"));
    show(middle(&defective), "median", format!("the median {of}"));
    show(defective.first(), "worst", format!("the worst {of}"));
    let normal = ranked(&|defect| defect.is_none());
    show(normal.last(), "good", format!("the nearest to a false alarm of {} normal images", normal.len()));
    let mut kinds: Vec<&str> = images.iter().filter_map(|image| image.defect.as_deref()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        let shown = |case: &Case| images[case.index].defect.as_deref() == Some(kind);
        if !cases.iter().any(shown) {
            let of_kind = ranked(&|defect| defect == Some(kind));
            let reason = format!("the median of {} images of this kind", of_kind.len());
            let slug = format!("kind-{kind}");
            cases.extend(middle(&of_kind).map(|&index| Case { index, slug, reason }));
        }
    }
    cases
}

/// Returns the median of the defective images; `None` if there is none.
pub(super) fn median(rows: &[&[ImageScore]]) -> Option<Case> {
    let images = rows.first()?;
    let defective: Vec<usize> = (0..images.len()).filter(|index| images[*index].defect.is_some()).collect();
    let reason = format!("the median of {} defective images", defective.len());
    let ranked = by_mean_rank(rows, defective);
    middle(&ranked).map(|&index| Case { index, slug: "median".to_owned(), reason })
}

fn middle(ranked: &[usize]) -> Option<&usize> {
    ranked.get(ranked.len().checked_sub(1)? / 2)
}

/// Sorts images from the lowest to the highest mean rank of their scores; ties keep their order.
fn by_mean_rank(rows: &[&[ImageScore]], mut images: Vec<usize>) -> Vec<usize> {
    let order = |row: &[ImageScore], a: usize, b: usize| row[a].score.total_cmp(&row[b].score);
    let rank = |index: usize| -> usize {
        let below =
            |row: &&[ImageScore]| images.iter().filter(|&&other| order(row, other, index) == Ordering::Less).count();
        rows.iter().map(below).sum()
    };
    let ranks: std::collections::BTreeMap<usize, usize> = images.iter().map(|&index| (index, rank(index))).collect();
    images.sort_by_key(|index| ranks[index]);
    images
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(scores: &[(f32, Option<&str>)]) -> Vec<ImageScore> {
        let image = |&(score, defect): &(f32, Option<&str>)| ImageScore {
            image: String::new(),
            defect: defect.map(str::to_owned),
            score,
        };
        scores.iter().map(image).collect()
    }

    fn shown(rows: &[&[ImageScore]]) -> Vec<(usize, String)> {
        cases(rows).into_iter().map(|case| (case.index, case.slug)).collect()
    }

    #[test]
    fn the_ends_the_middle_the_nearest_normal_and_every_kind_are_shown_once() {
        let cut = Some("cut");
        let one = row(&[(1.0, None), (3.0, None), (5.0, cut), (9.0, cut), (2.0, cut), (4.0, Some("hole")), (4.5, cut)]);
        let expected = [(3, "best"), (6, "median"), (4, "worst"), (1, "good"), (5, "kind-hole")];
        assert_eq!(shown(&[&one]), expected.map(|(index, slug)| (index, slug.to_owned())));
        // Where rows disagree, the mean rank decides: image 2 is second in one row and first in the other.
        let other =
            row(&[(1.0, None), (3.0, None), (9.0, cut), (5.0, cut), (2.0, cut), (4.0, Some("hole")), (1.0, cut)]);
        assert_eq!(shown(&[&one, &other, &other])[0], (2, "best".to_owned()));
        assert_eq!(median(&[&one]).map(|case| case.index), Some(6));
        assert_eq!(median(&[&row(&[(1.0, None)])]), None);
    }

    #[test]
    fn few_images_are_not_shown_twice() {
        let one = row(&[(1.0, Some("cut")), (2.0, None)]);
        assert_eq!(shown(&[&one]), [(0, "best".to_owned()), (1, "good".to_owned())]);
        assert!(shown(&[]).is_empty() && shown(&[&[]]).is_empty());
    }
}
