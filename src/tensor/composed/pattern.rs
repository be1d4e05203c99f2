//! The gathers of rows in convolution, pooling, resampling and concatenation.
//!
//! A pattern describes the rows of one image, so that it serves every batch size. A row holds the channels of one pixel, or a block of
//! them.

use super::tap_pair::TapPair;
use crate::tensor::Conv2d;
use crate::tensor::geometry::Window;

/// A window over an image of a given size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct WindowedImage {
    /// The window.
    pub window: Window,
    /// Rows of the image.
    pub height: usize,
    /// Columns of the image.
    pub width: usize,
}

impl WindowedImage {
    /// Returns the number of rows of the result.
    pub fn out_height(&self) -> usize {
        self.window.output_side(self.height)
    }

    /// Returns the number of columns of the result.
    pub fn out_width(&self) -> usize {
        self.window.output_side(self.width)
    }

    /// Returns the number of positions of the window.
    pub fn positions(&self) -> usize {
        self.out_height() * self.out_width()
    }

    /// Returns the number of pixels of the window.
    pub fn taps(&self) -> usize {
        self.window.taps()
    }

    /// Returns the largest number of window positions that cover a pixel.
    pub fn max_covering(&self) -> usize {
        self.window.kernel.div_ceil(self.window.stride).pow(2)
    }

    /// Returns the positions along one axis whose window covers a pixel, in order, each with the tap that falls on the pixel.
    fn covering(&self, pixel: usize, positions: usize) -> Vec<(usize, usize)> {
        let Window { kernel, stride, padding } = self.window;
        let padded = pixel + padding;
        let covers = |position: &usize| (position * stride..position * stride + kernel).contains(&padded);
        (0..positions).filter(covers).map(|position| (position, padded - position * stride)).collect()
    }
}

/// The first or the second input of a binary operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operand {
    /// The first.
    First,
    /// The second.
    Second,
}

/// The source row of each row of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Pattern {
    /// The image with the window's border around it. The border is outside the source.
    Padded(WindowedImage),
    /// The pixels of every window over the image with its border: im2row.
    Windows(WindowedImage),
    /// For every pixel the `nth` (position, tap) that covers it, or the first row after all of these if none does.
    Covering(WindowedImage, usize),
    /// A number of rows, and one more that is outside the source.
    ExtraRow(usize),
    /// The weights of [`Conv2d::rotated`], one per row, from the weights of a convolution.
    Rotated {
        /// Side of the kernel.
        kernel: usize,
        /// Input channels.
        input: usize,
        /// Output channels.
        output: usize,
    },
    /// Pixels of an image of twice this height and width, from blocks of 2×2 as (block, row, column).
    BlocksToPixels(usize, usize),
    /// The inverse of `BlocksToPixels`.
    PixelsToBlocks(usize, usize),
    /// Pixels of a resampled image, by one pair of taps.
    Resampled(TapPair),
    /// For every pixel of the source the `nth` pixel of the resampled image that reads it, or the first row after all of these if none
    /// does.
    ResampledFrom(TapPair, usize),
    /// Pixels of `blocks.0 + blocks.1` rows each, from one of the concatenated sources.
    Concatenated {
        /// Number of pixels of an image.
        pixels: usize,
        /// Rows per pixel in the first and in the second source.
        blocks: (usize, usize),
        /// The source.
        operand: Operand,
    },
    /// The rows of one source, recovered from the rows of `Concatenated`.
    Split {
        /// Number of pixels of an image.
        pixels: usize,
        /// Rows per pixel in the first and in the second source.
        blocks: (usize, usize),
        /// The source.
        operand: Operand,
    },
}

impl Pattern {
    /// Returns the source row of each row of the result, or `None` for rows outside the source.
    pub fn rows(&self) -> Vec<Option<usize>> {
        match *self {
            Self::Padded(WindowedImage { window: Window { padding, .. }, height, width }) => {
                let inside = |position: usize, side: usize| position.checked_sub(padding).filter(|&at| at < side);
                grid(height + 2 * padding, width + 2 * padding)
                    .map(|(y, x)| Some(inside(y, height)? * width + inside(x, width)?))
                    .collect()
            }
            Self::Windows(image) => {
                let Window { kernel, stride, padding } = image.window;
                let width = image.width + 2 * padding;
                grid(image.out_height(), image.out_width())
                    .flat_map(|(y, x)| {
                        grid(kernel, kernel).map(move |(i, j)| Some((y * stride + i) * width + x * stride + j))
                    })
                    .collect()
            }
            Self::Covering(image, nth) => {
                let rows: Vec<_> = (0..image.height).map(|y| image.covering(y, image.out_height())).collect();
                let columns: Vec<_> = (0..image.width).map(|x| image.covering(x, image.out_width())).collect();
                let none = image.positions() * image.taps();
                grid(image.height, image.width)
                    .map(|(y, x)| {
                        let covering =
                            rows[y].iter().flat_map(|row| columns[x].iter().map(move |column| (row, column)));
                        let row = |((y, i), (x, j)): (&(usize, usize), &(usize, usize))| {
                            (y * image.out_width() + x) * image.taps() + i * image.window.kernel + j
                        };
                        Some(covering.map(row).nth(nth).unwrap_or(none))
                    })
                    .collect()
            }
            Self::ExtraRow(rows) => (0..rows).map(Some).chain([None]).collect(),
            Self::Rotated { kernel, input, output } => {
                let conv = Conv2d { input, output, kernel, stride: 1, padding: 0, input_gradient: true };
                conv.rotated(&(0..conv.weights()).map(Some).collect::<Vec<_>>())
            }
            Self::BlocksToPixels(height, width) => grid(2 * height, 2 * width)
                .map(|(y, x)| Some(((y / 2) * width + x / 2) * 4 + (y % 2) * 2 + x % 2))
                .collect(),
            Self::PixelsToBlocks(height, width) => grid(height, width)
                .flat_map(|(y, x)| grid(2, 2).map(move |(a, b)| Some((2 * y + a) * 2 * width + 2 * x + b)))
                .collect(),
            Self::Resampled(taps) => taps.sources().into_iter().map(Some).collect(),
            Self::ResampledFrom(taps, nth) => taps.nth_readers(nth).into_iter().map(Some).collect(),
            Self::Concatenated { pixels, blocks: (first, second), operand } => grid(pixels, first + second)
                .map(|(pixel, block)| match operand {
                    Operand::First => (block < first).then_some(pixel * first + block),
                    Operand::Second => block.checked_sub(first).map(|block| pixel * second + block),
                })
                .collect(),
            Self::Split { pixels, blocks: (first, second), operand } => {
                let (from, count) = match operand {
                    Operand::First => (0, first),
                    Operand::Second => (first, second),
                };
                grid(pixels, count).map(|(pixel, block)| Some(pixel * (first + second) + from + block)).collect()
            }
        }
    }
}

/// Returns all (row, column) of a grid, row by row.
fn grid(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// `Covering` is the transpose of `Padded` followed by `Windows`: both contain the same pairs of a pixel and a tap of a window.
        #[test]
        fn every_tap_of_every_window_is_covered_once(
            height in 3_usize..9, width in 3_usize..9, odd in 0_usize..3, stride in 1_usize..3,
        ) {
            let image = WindowedImage { window: Window { kernel: 2 * odd + 1, stride, padding: odd }, height, width };
            let padded = Pattern::Padded(image).rows();
            let mut read: Vec<(usize, usize)> = Pattern::Windows(image)
                .rows()
                .iter()
                .enumerate()
                .filter_map(|(row, at)| Some((padded[at.expect("inside the border")]?, row)))
                .collect();
            let none = image.positions() * image.taps();
            let mut written: Vec<(usize, usize)> = (0..image.max_covering())
                .flat_map(|nth| Pattern::Covering(image, nth).rows().into_iter().enumerate())
                .filter_map(|(pixel, row)| Some((pixel, row.filter(|&row| row != none)?)))
                .collect();
            read.sort_unstable();
            written.sort_unstable();
            prop_assert_eq!(read, written);
        }
    }

    #[test]
    fn blocks_and_concatenation_have_inverses() {
        let inverse = |there: Pattern, back: Pattern| {
            let back = back.rows();
            let there = there.rows();
            there.iter().enumerate().all(|(at, row)| row.is_none_or(|row| back[row] == Some(at)))
        };
        assert!(inverse(Pattern::BlocksToPixels(3, 2), Pattern::PixelsToBlocks(3, 2)));
        for operand in [Operand::First, Operand::Second] {
            let (pixels, blocks) = (5, (2, 3));
            let joined = Pattern::Concatenated { pixels, blocks, operand };
            assert!(inverse(joined, Pattern::Split { pixels, blocks, operand }));
        }
    }
}
