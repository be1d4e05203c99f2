//! Means over cells, for the seeds that all cells have.

use std::collections::BTreeMap;

/// Returns each seed's mean over all cells. Omits seeds that a cell lacks, because their mean would not be comparable.
pub fn complete_means(cells: &[Vec<(i64, f64)>]) -> Vec<(i64, f64)> {
    let mut sums: BTreeMap<i64, (f64, usize)> = BTreeMap::new();
    for (seed, value) in cells.iter().flatten() {
        let sum = sums.entry(*seed).or_default();
        *sum = (sum.0 + value, sum.1 + 1);
    }
    let complete = sums.into_iter().filter(|(_, (_, count))| *count == cells.len());
    complete.map(|(seed, (sum, count))| (seed, sum / count as f64)).collect()
}

#[cfg(test)]
mod tests {
    use super::complete_means;

    #[test]
    fn a_seed_that_is_missing_in_a_cell_has_no_mean() {
        let cells = [vec![(0, 1.0), (1, 5.0)], vec![(0, 3.0)]];
        assert_eq!(complete_means(&cells), [(0, 2.0)]);
        assert_eq!(complete_means(&cells[..1]), [(0, 1.0), (1, 5.0)]);
        assert_eq!(complete_means(&[]), []);
    }
}
