//! Places labels so that none overlaps another.

use crate::report::canvas::{Pixel, TEXT, text_width};

/// Height of a label, in pixels.
const HEIGHT: i32 = 15;

/// Moves positions apart until neighbours have a distance of at least `gap`, as little as possible in total. They stay within the bounds if
/// there is room.
pub(in crate::report) fn apart(wanted: &[i32], gap: i32, (low, high): (i32, i32)) -> Vec<i32> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|index| wanted[*index]);
    // Without their gaps, the positions must only ascend. Blocks of positions that descend share their mean.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (place, index) in order.iter().enumerate() {
        let mut block = (f64::from(wanted[*index] - place as i32 * gap), 1);
        while let Some((mean, count)) = blocks.pop_if(|(mean, _)| *mean > block.0) {
            let all = count + block.1;
            block = ((mean * count as f64 + block.0 * block.1 as f64) / all as f64, all);
        }
        blocks.push(block);
    }
    let last = (high - (wanted.len() as i32 - 1) * gap).max(low);
    let means = blocks.into_iter().flat_map(|(mean, count)| std::iter::repeat_n(mean, count));
    let mut placed = vec![0; wanted.len()];
    for ((place, index), mean) in order.into_iter().enumerate().zip(means) {
        placed[index] = (mean.round() as i32).clamp(low, last) + place as i32 * gap;
    }
    placed
}

/// Labels beside points.
pub(super) struct Labels {
    /// Boxes that are taken: left, top, right, bottom.
    taken: Vec<[i32; 4]>,
    /// Bounds of the labels.
    bounds: [i32; 4],
}

impl Labels {
    /// Starts with points that no label may cover.
    pub(super) fn new(bounds: [i32; 4], points: impl Iterator<Item = Pixel>) -> Self {
        Self { taken: points.map(|(x, y)| [x - 4, y - 4, x + 4, y + 4]).collect(), bounds }
    }

    /// Returns the left end of a label near a point, or `None` if there is no room.
    pub(super) fn place(&mut self, (x, y): Pixel, text: &str) -> Option<Pixel> {
        let width = text_width(text, TEXT);
        let beside = [(x + 9, y), (x - 9 - width, y)];
        let around = [-16, 16, -30, 30]
            .into_iter()
            .flat_map(|dy| [(x - width / 2, y + dy), (x + 4, y + dy), (x - 4 - width, y + dy)]);
        beside.into_iter().chain(around).find(|(left, middle)| {
            let label = [*left, middle - HEIGHT / 2, left + width, middle + HEIGHT / 2];
            let [low_x, low_y, high_x, high_y] = self.bounds;
            let inside = label[0] >= low_x && label[1] >= low_y && label[2] <= high_x && label[3] <= high_y;
            let free = inside && self.taken.iter().all(|other| !overlap(&label, other));
            if free {
                self.taken.push(label);
            }
            free
        })
    }
}

fn overlap(one: &[i32; 4], other: &[i32; 4]) -> bool {
    one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_move_only_where_they_would_overlap() {
        assert_eq!(apart(&[10, 100, 12], 16, (0, 200)), [3, 100, 19]);
        assert_eq!(apart(&[198, 199], 16, (0, 200)), [184, 200]);
    }

    proptest! {
        #[test]
        fn labels_never_overlap(wanted in proptest::collection::vec(0..300_i32, 1..12)) {
            let mut placed = apart(&wanted, 15, (0, 300));
            prop_assert!(placed.iter().all(|at| (0..=300).contains(at)), "{:?}", placed);
            placed.sort_unstable();
            prop_assert!(placed.windows(2).all(|pair| pair[1] - pair[0] >= 15), "{:?}", placed);
        }

        #[test]
        fn labels_of_points_are_free_of_each_other(points in proptest::collection::vec((0..300_i32, 0..200_i32), 1..8)) {
            let mut labels = Labels::new([0, 0, 300, 200], points.iter().copied());
            for point in &points {
                labels.place(*point, "T01 skip");
            }
            let boxes = &labels.taken[points.len()..];
            for (index, one) in boxes.iter().enumerate() {
                prop_assert!(labels.taken[..points.len() + index].iter().all(|other| !overlap(one, other)));
                prop_assert!(one[0] >= 0 && one[1] >= 0 && one[2] <= 300 && one[3] <= 200);
            }
        }
    }
}
