//! A fully grown regression tree, and the boxes of the space on which it is constant.

use rand::Rng;

use crate::data::below;

/// An axis with finitely many levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factor {
    /// Number of levels.
    pub levels: usize,
    /// Whether levels are split in their order; otherwise any two groups are possible.
    pub ordered: bool,
}

/// A box of the space with the mean of the values in it.
pub(super) struct Leaf {
    /// For each factor, which of its levels are inside.
    pub inside: Vec<Vec<bool>>,
    /// Prediction in this box.
    pub value: f64,
}

/// A grown tree. Its boxes fill the space without overlap.
pub(super) struct Tree {
    pub leaves: Vec<Leaf>,
}

/// Points and values that a tree is grown from.
struct Sample<'s> {
    factors: &'s [Factor],
    points: &'s [Vec<usize>],
    values: &'s [f64],
}

/// A split: the levels of one factor that go left, and the remaining sum of squares.
struct Cut {
    factor: usize,
    left: Vec<bool>,
    squares: f64,
}

impl Tree {
    /// Grows a tree from a bootstrap sample of the same size. Each split considers five of six axes, as in the paper's forests.
    pub(super) fn bootstrapped(
        factors: &[Factor],
        points: &[Vec<usize>],
        values: &[f64],
        random: &mut impl Rng,
    ) -> Self {
        let sample = Sample { factors, points, values };
        let drawn = points.iter().map(|_| below(random, points.len())).collect();
        let full_space = factors.iter().map(|factor| vec![true; factor.levels]).collect();
        let mut leaves = Vec::new();
        // A list instead of recursion, because a long search gives deep trees.
        let mut open: Vec<(Vec<usize>, Vec<Vec<bool>>)> = vec![(drawn, full_space)];
        while let Some((rows, inside)) = open.pop() {
            match sample.best_cut(&rows, &inside, random) {
                None => leaves.push(Leaf { inside, value: sample.mean(&rows) }),
                Some(cut) => {
                    let is_left = |row: &usize| cut.left[points[*row][cut.factor]];
                    let (left, right) = rows.into_iter().partition(is_left);
                    let mut right_inside = inside.clone();
                    right_inside[cut.factor].iter_mut().zip(&cut.left).for_each(|(inside, left)| *inside &= !left);
                    let mut left_inside = inside;
                    left_inside[cut.factor].iter_mut().zip(&cut.left).for_each(|(inside, left)| *inside &= left);
                    open.push((left, left_inside));
                    open.push((right, right_inside));
                }
            }
        }
        Self { leaves }
    }
}

impl Sample<'_> {
    fn mean(&self, rows: &[usize]) -> f64 {
        rows.iter().map(|&row| self.values[row]).sum::<f64>() / rows.len() as f64
    }

    /// Returns the split with the smallest sum of squares; `None` if all values or all points are equal. A split without gain is also
    /// made, because an interaction of two axes may appear only below it.
    fn best_cut(&self, rows: &[usize], inside: &[Vec<bool>], random: &mut impl Rng) -> Option<Cut> {
        if rows.iter().all(|&row| self.values[row] == self.values[rows[0]]) {
            return None;
        }
        let differ =
            |factor: &usize| rows.iter().any(|&row| self.points[row][*factor] != self.points[rows[0]][*factor]);
        let mut factors: Vec<usize> = (0..self.factors.len()).filter(differ).collect();
        let wanted = (5 * factors.len()).div_ceil(6);
        while factors.len() > wanted {
            factors.swap_remove(below(random, factors.len()));
        }
        // Break ties at random: if no axis gains alone, none should always be first.
        for index in (1..factors.len()).rev() {
            factors.swap(index, below(random, index + 1));
        }
        factors
            .into_iter()
            .filter_map(|factor| self.cut(rows, factor, &inside[factor]))
            .reduce(|best, cut| if cut.squares < best.squares { cut } else { best })
    }

    /// Returns the best split of one factor. Groups of unordered levels are found in the order of their means (Breiman et al. 1984,
    /// §4.2.2).
    fn cut(&self, rows: &[usize], factor: usize, inside: &[bool]) -> Option<Cut> {
        let mut levels: Vec<(usize, f64, f64, f64)> = (0..inside.len()).map(|level| (level, 0.0, 0.0, 0.0)).collect();
        for &row in rows {
            let (_, count, sum, squares) = &mut levels[self.points[row][factor]];
            let value = self.values[row];
            (*count, *sum, *squares) = (*count + 1.0, *sum + value, *squares + value * value);
        }
        levels.retain(|(_, count, ..)| *count > 0.0);
        let ordered = self.factors[factor].ordered;
        if !ordered {
            levels.sort_by(|(_, n, a, _), (_, m, b, _)| (a / n).total_cmp(&(b / m)));
        }
        let total = levels.iter().fold((0.0, 0.0, 0.0), |t, l| (t.0 + l.1, t.1 + l.2, t.2 + l.3));
        let spread = |(count, sum, squares): (f64, f64, f64)| squares - sum * sum / count;
        let mut left = (0.0, 0.0, 0.0);
        let mut best: Option<(usize, f64)> = None;
        for (index, level) in levels.iter().enumerate().take(levels.len().checked_sub(1)?) {
            left = (left.0 + level.1, left.1 + level.2, left.2 + level.3);
            let squares = spread(left) + spread((total.0 - left.0, total.1 - left.1, total.2 - left.2));
            if best.is_none_or(|(_, smallest)| squares < smallest) {
                best = Some((index, squares));
            }
        }
        let (last_left, squares) = best?;
        let left = match ordered {
            // A level without data goes with its nearer neighbour.
            true => {
                let middle = (levels[last_left].0 + levels[last_left + 1].0) as f64 / 2.0;
                (0..inside.len()).map(|level| (level as f64) <= middle).collect()
            }
            false => {
                (0..inside.len()).map(|level| levels[..=last_left].iter().any(|(known, ..)| *known == level)).collect()
            }
        };
        Some(Cut { factor, left, squares })
    }
}
