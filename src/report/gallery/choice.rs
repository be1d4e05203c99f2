//! Chooses and orders the test images of a gallery by how much two variants disagree about them.

use crate::evaluate::ImageScore;

/// Maximum number of images of a category.
pub(super) const MAX_IMAGES: usize = 60;

/// Returns each image's rank by score: 1 is the most anomalous, and equal scores have the same rank.
pub(super) fn ranks(images: &[ImageScore]) -> Vec<usize> {
    let mut scores: Vec<f32> = images.iter().map(|image| image.score).collect();
    scores.sort_by(f32::total_cmp);
    // The number of higher scores, plus one.
    let rank = |score: f32| scores.len() - scores.partition_point(|other| other.total_cmp(&score).is_le()) + 1;
    images.iter().map(|image| rank(image.score)).collect()
}

/// Returns the images to show: those whose ranks differ most come first, and equal ones keep their order. The worst image of the first
/// variant is always among them. Without another variant, the most anomalous images come first.
pub(super) fn images(first: &[ImageScore], other: Option<&[ImageScore]>) -> Vec<usize> {
    let of_first = ranks(first);
    let order: Vec<usize> = match other.map(ranks) {
        Some(of_other) => of_first.iter().zip(of_other).map(|(a, b)| usize::MAX - a.abs_diff(b)).collect(),
        None => of_first,
    };
    let mut images: Vec<usize> = (0..first.len()).collect();
    images.sort_by_key(|image| order[*image]);
    if let Some(worst) = worst(first).filter(|worst| !images.iter().take(MAX_IMAGES).any(|image| image == worst)) {
        images.insert(MAX_IMAGES - 1, worst);
    }
    images.truncate(MAX_IMAGES);
    images
}

/// Returns the defective image with the lowest score: the one that a variant misses first. The first of equal ones.
pub(super) fn worst(images: &[ImageScore]) -> Option<usize> {
    let defective = (0..images.len()).filter(|index| images[*index].defect.is_some());
    defective.min_by(|a, b| images[*a].score.total_cmp(&images[*b].score))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(scores: &[(f32, bool)]) -> Vec<ImageScore> {
        let image = |&(score, defective): &(f32, bool)| ImageScore {
            image: String::new(),
            defect: defective.then(|| "cut".to_owned()),
            score,
        };
        scores.iter().map(image).collect()
    }

    #[test]
    fn the_highest_score_has_rank_one_and_equal_scores_share_a_rank() {
        assert_eq!(ranks(&scored(&[(0.5, true), (2.0, true), (0.5, false), (0.1, false)])), [2, 1, 2, 4]);
    }

    #[test]
    fn images_with_the_largest_difference_of_ranks_come_first() {
        let one = scored(&[(4.0, true), (3.0, true), (2.0, false), (1.0, false)]);
        let other = scored(&[(4.0, true), (1.0, true), (3.0, false), (2.0, false)]);
        // Ranks 1, 2, 3, 4 and 1, 4, 2, 3.
        assert_eq!(images(&one, Some(&other)), [1, 2, 3, 0]);
        assert_eq!(images(&other, None), [0, 2, 3, 1]);
        assert_eq!(worst(&other), Some(1));
        assert_eq!(worst(&scored(&[(1.0, false)])), None);
    }

    #[test]
    fn the_worst_image_is_shown_even_if_all_agree_about_it() {
        let many: Vec<(f32, bool)> = (0..100).map(|index| (100.0 - index as f32, index == 99)).collect();
        let many = scored(&many);
        let shown = images(&many, Some(&many));
        assert_eq!((shown.len(), shown[58], shown[59]), (MAX_IMAGES, 58, 99));
    }
}
