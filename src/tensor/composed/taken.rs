//! Which pixel of an image each pixel of a resampled one takes by one pair of taps, and back.

use crate::tensor::Resampling;

/// One pair of taps of a resampling, over images of a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Taken {
    map: Resampling,
    height: usize,
    width: usize,
    /// Of the rows and of the columns.
    taps: (usize, usize),
}

impl Taken {
    /// All pairs of taps with their weights.
    pub(super) fn all(map: Resampling, height: usize, width: usize) -> Vec<(Self, f32)> {
        let taps = || map.weights().iter().enumerate();
        let pairs = taps().flat_map(|(a, of_row)| taps().map(move |(b, of_column)| ((a, b), of_row * of_column)));
        pairs.map(|(taps, weight)| (Self { map, height, width, taps }, weight)).collect()
    }

    /// The source of every output.
    pub(super) fn sources(&self) -> Vec<usize> {
        let columns = self.map.sources(self.width, self.taps.1);
        let rows = self.map.sources(self.height, self.taps.0);
        rows.iter().flat_map(|row| columns.iter().map(move |column| row * self.width + column)).collect()
    }

    /// The outputs that take each source, in order.
    fn takers(&self) -> Vec<Vec<usize>> {
        let mut takers = vec![Vec::new(); self.height * self.width];
        self.sources().into_iter().enumerate().for_each(|(output, source)| takers[source].push(output));
        takers
    }

    /// The most outputs that take one source.
    pub(super) fn most(&self) -> usize {
        self.takers().iter().map(Vec::len).max().unwrap_or(0)
    }

    /// For every source the `nth` output that takes it; the number of outputs where there is none.
    pub(super) fn nth_takers(&self, nth: usize) -> Vec<usize> {
        let none = self.map.output_side(self.height) * self.map.output_side(self.width);
        self.takers().iter().map(|takers| takers.get(nth).copied().unwrap_or(none)).collect()
    }
}
