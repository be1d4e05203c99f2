//! Which row goes where: the gathers that convolutions, pooling and concatenation are made of.
//!
//! A pattern speaks of the rows of one image, so that it serves every batch size; a row has one pixel's channels, or a part
//! of them.

use super::taken::Taken;

/// A square window that slides over an image, all sides in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Window {
    /// Rows of the image.
    pub height: usize,
    /// Columns of the image.
    pub width: usize,
    /// Side of the window.
    pub kernel: usize,
    /// Step.
    pub stride: usize,
    /// Pixels around the image.
    pub padding: usize,
}

impl Window {
    /// Rows of the result.
    pub fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Columns of the result.
    pub fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Places of the window.
    pub fn places(&self) -> usize {
        self.out_height() * self.out_width()
    }

    /// Pixels of a window.
    pub fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// The most windows that a pixel can lie in.
    pub fn cover(&self) -> usize {
        self.kernel.div_ceil(self.stride).pow(2)
    }

    /// The windows' places along one axis that a pixel lies in, with the tap that it is of each, in order.
    fn along(&self, pixel: usize, places: usize) -> Vec<(usize, usize)> {
        let padded = pixel + self.padding;
        let covers = |place: &usize| (place * self.stride..place * self.stride + self.kernel).contains(&padded);
        (0..places).filter(covers).map(|place| (place, padded - place * self.stride)).collect()
    }
}

/// Rows of a source, in the order of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Pattern {
    /// The image with a border around it; the border is outside.
    Padded(Window),
    /// Every window's pixels, of the image with its border: im2row.
    Windows(Window),
    /// For every pixel the `nth` (window, tap) that it lies in; the first row after all of these where there is none.
    Covering(Window, usize),
    /// So many rows and one more, which is outside.
    OneMore(usize),
    /// The weights (tap, input, output) of a convolution as (tap from the last, output, input): those of its transpose.
    Turned {
        /// Taps of the kernel.
        taps: usize,
        /// Input channels.
        input: usize,
        /// Output channels.
        output: usize,
    },
    /// Pixels of an image of twice the height and width, from (pixel, row, column) blocks of 2×2.
    Unblocked(usize, usize),
    /// The inverse of `Unblocked`.
    Blocked(usize, usize),
    /// Pixels of a resampled image, by one pair of taps.
    Taken(Taken),
    /// For every pixel the `nth` of a resampled image's that takes it; the first row after all of these where there is none.
    Takers(Taken, usize),
    /// Pixels of `parts.0 + parts.1` rows each, the first parts from a source with `parts.0` rows a pixel.
    Joined {
        /// Pixels of an image.
        pixels: usize,
        /// Rows of a pixel in the first and in the second source.
        parts: (usize, usize),
        /// Which source this is.
        second: bool,
    },
    /// The rows of one source back from the rows that `Joined` made.
    Parted {
        /// Pixels of an image.
        pixels: usize,
        /// Rows of a pixel in the first and in the second source.
        parts: (usize, usize),
        /// Which source this is.
        second: bool,
    },
}

impl Pattern {
    /// The source's row for each row of the result; none is outside.
    pub fn rows(&self) -> Vec<Option<usize>> {
        match *self {
            Self::Padded(window) => {
                let inside = |place: usize, side: usize| place.checked_sub(window.padding).filter(|&at| at < side);
                grid(window.height + 2 * window.padding, window.width + 2 * window.padding)
                    .map(|(y, x)| Some(inside(y, window.height)? * window.width + inside(x, window.width)?))
                    .collect()
            }
            Self::Windows(window) => {
                let width = window.width + 2 * window.padding;
                grid(window.out_height(), window.out_width())
                    .flat_map(|(y, x)| {
                        grid(window.kernel, window.kernel)
                            .map(move |(i, j)| Some((y * window.stride + i) * width + x * window.stride + j))
                    })
                    .collect()
            }
            Self::Covering(window, nth) => {
                let rows: Vec<_> = (0..window.height).map(|y| window.along(y, window.out_height())).collect();
                let columns: Vec<_> = (0..window.width).map(|x| window.along(x, window.out_width())).collect();
                let none = window.places() * window.taps();
                grid(window.height, window.width)
                    .map(|(y, x)| {
                        let covering =
                            rows[y].iter().flat_map(|row| columns[x].iter().map(move |column| (row, column)));
                        let row = |((y, i), (x, j)): (&(usize, usize), &(usize, usize))| {
                            (y * window.out_width() + x) * window.taps() + i * window.kernel + j
                        };
                        Some(covering.map(row).nth(nth).unwrap_or(none))
                    })
                    .collect()
            }
            Self::OneMore(rows) => (0..rows).map(Some).chain([None]).collect(),
            Self::Turned { taps, input, output } => (0..taps)
                .rev()
                .flat_map(|tap| grid(output, input).map(move |(o, i)| Some((tap * input + i) * output + o)))
                .collect(),
            Self::Unblocked(height, width) => grid(2 * height, 2 * width)
                .map(|(y, x)| Some(((y / 2) * width + x / 2) * 4 + (y % 2) * 2 + x % 2))
                .collect(),
            Self::Blocked(height, width) => grid(height, width)
                .flat_map(|(y, x)| grid(2, 2).map(move |(a, b)| Some((2 * y + a) * 2 * width + 2 * x + b)))
                .collect(),
            Self::Taken(taken) => taken.sources().into_iter().map(Some).collect(),
            Self::Takers(taken, nth) => taken.nth_takers(nth).into_iter().map(Some).collect(),
            Self::Joined { pixels, parts: (first, second), second: of_second } => grid(pixels, first + second)
                .map(|(pixel, part)| match of_second {
                    false => (part < first).then_some(pixel * first + part),
                    true => part.checked_sub(first).map(|part| pixel * second + part),
                })
                .collect(),
            Self::Parted { pixels, parts: (first, second), second: of_second } => {
                let (from, count) = if of_second { (first, second) } else { (0, first) };
                grid(pixels, count).map(|(pixel, part)| Some(pixel * (first + second) + from + part)).collect()
            }
        }
    }
}

/// All (row, column) of a grid, row by row.
fn grid(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// `Covering` is the transpose of `Padded` then `Windows`: each pair of a pixel and a window's tap stands in both.
        #[test]
        fn every_tap_of_every_window_is_covered_once(
            height in 3_usize..9, width in 3_usize..9, odd in 0_usize..3, stride in 1_usize..3,
        ) {
            let window = Window { height, width, kernel: 2 * odd + 1, stride, padding: odd };
            let padded = Pattern::Padded(window).rows();
            let mut read: Vec<(usize, usize)> = Pattern::Windows(window)
                .rows()
                .iter()
                .enumerate()
                .filter_map(|(row, at)| Some((padded[at.expect("inside the border")]?, row)))
                .collect();
            let none = window.places() * window.taps();
            let mut written: Vec<(usize, usize)> = (0..window.cover())
                .flat_map(|nth| Pattern::Covering(window, nth).rows().into_iter().enumerate())
                .filter_map(|(pixel, row)| Some((pixel, row.filter(|&row| row != none)?)))
                .collect();
            read.sort_unstable();
            written.sort_unstable();
            prop_assert_eq!(read, written);
        }
    }

    #[test]
    fn blocks_and_parts_are_inverse() {
        let inverse = |there: Pattern, back: Pattern| {
            let back = back.rows();
            let there = there.rows();
            there.iter().enumerate().all(|(at, row)| row.is_none_or(|row| back[row] == Some(at)))
        };
        assert!(inverse(Pattern::Unblocked(3, 2), Pattern::Blocked(3, 2)));
        for second in [false, true] {
            let (pixels, parts) = (5, (2, 3));
            assert!(inverse(Pattern::Joined { pixels, parts, second }, Pattern::Parted { pixels, parts, second }));
        }
    }
}
