//! Which pixel of an image each pixel of a resampled image reads by one pair of taps, and back.

use crate::tensor::Resampling;

/// One pair of taps of a resampling, one along the rows and one along the columns, over images of a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TapPair {
    map: Resampling,
    height: usize,
    width: usize,
    /// Of the rows and of the columns.
    taps: (usize, usize),
}

impl TapPair {
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

    /// The outputs that read each source, in order.
    fn readers(&self) -> Vec<Vec<usize>> {
        let mut readers = vec![Vec::new(); self.height * self.width];
        self.sources().into_iter().enumerate().for_each(|(output, source)| readers[source].push(output));
        readers
    }

    /// The most outputs that read one source.
    pub(super) fn most_readers(&self) -> usize {
        self.readers().iter().map(Vec::len).max().unwrap_or(0)
    }

    /// For every source the `nth` output that reads it; the number of outputs where there is none.
    pub(super) fn nth_readers(&self, nth: usize) -> Vec<usize> {
        let none = self.map.output_side(self.height) * self.map.output_side(self.width);
        self.readers().iter().map(|readers| readers.get(nth).copied().unwrap_or(none)).collect()
    }
}
