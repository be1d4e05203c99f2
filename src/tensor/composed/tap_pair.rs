//! Maps each pixel of a resampled image to the pixel of the image that it reads by one pair of taps, and back.

use crate::tensor::Resampling;

/// One pair of taps of a resampling, one along the rows and one along the columns, over images of a given size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TapPair {
    map: Resampling,
    height: usize,
    width: usize,
    /// Tap along the rows and tap along the columns.
    taps: (usize, usize),
}

impl TapPair {
    /// Returns all pairs of taps with their weights.
    pub(super) fn all(map: Resampling, height: usize, width: usize) -> Vec<(Self, f32)> {
        let taps = || map.weights().iter().enumerate();
        let pairs = taps().flat_map(|(a, of_row)| taps().map(move |(b, of_column)| ((a, b), of_row * of_column)));
        pairs.map(|(taps, weight)| (Self { map, height, width, taps }, weight)).collect()
    }

    /// Returns the source of every output.
    pub(super) fn sources(&self) -> Vec<usize> {
        let columns = self.map.sources(self.width, self.taps.1);
        let rows = self.map.sources(self.height, self.taps.0);
        rows.iter().flat_map(|row| columns.iter().map(move |column| row * self.width + column)).collect()
    }

    /// Returns the outputs that read each source, in order.
    fn readers(&self) -> Vec<Vec<usize>> {
        let mut readers = vec![Vec::new(); self.height * self.width];
        self.sources().into_iter().enumerate().for_each(|(output, source)| readers[source].push(output));
        readers
    }

    /// Returns the largest number of outputs that read one source.
    pub(super) fn max_readers(&self) -> usize {
        self.readers().iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Returns for every source the `nth` output that reads it, or the number of outputs if none does.
    pub(super) fn nth_readers(&self, nth: usize) -> Vec<usize> {
        let none = self.map.output_side(self.height) * self.map.output_side(self.width);
        self.readers().iter().map(|readers| readers.get(nth).copied().unwrap_or(none)).collect()
    }
}
