//! Which kernel runs a convolution: the size of its tiles, and into how many parts the sums are split.
//!
//! The choice follows from the shape alone, so that bits do not depend on the GPU. It minimises an estimate of the time on a GPU with
//! [`SLOTS`] places for blocks: blocks run in waves, small tiles read more, and a second pass joins the parts.

use crate::tensor::geometry::Nhwc;
use crate::tensor::{Conv2d, Numerics};

/// Blocks that run at the same time: two on each of 132 multiprocessors.
const SLOTS: usize = 264;
/// Chunks that a part of a sum has at least.
const CHUNKS: usize = 4;
/// Chunks' worth of time in which a block starts and ends.
const OVERHEAD: usize = 48;

/// What a kernel computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Pass {
    Forward,
    Data,
    Weights,
}

/// A kernel's tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tile {
    /// End of the kernel's name.
    pub(super) name: &'static str,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Values of the reduction per chunk.
    depth: usize,
    /// Whether the kernel takes channels that do not divide by 4.
    any: bool,
}

const fn tile(name: &'static str, rows: usize, columns: usize, depth: usize) -> Tile {
    Tile { name, rows, columns, depth, any: false }
}

const TILES: [Tile; 3] = [tile("128x128", 128, 128, 16), tile("128x64", 128, 64, 16), tile("64x64", 64, 64, 32)];
const ANY: Tile = Tile { any: true, ..tile("any", 128, 64, 16) };
const ANY_WEIGHTS: Tile = Tile { any: true, ..tile("any", 64, 64, 32) };

impl Tile {
    /// Returns the cost of a multiply-accumulate in percent of the largest tile's.
    fn cost(self, numerics: Numerics) -> usize {
        match (numerics, self.rows * self.columns, self.any) {
            (Numerics::F32, _, true) => 150,
            (Numerics::Tf32, _, true) => 230,
            (_, 16384, _) => 100,
            (Numerics::F32, 8192, _) => 107,
            (Numerics::Tf32, 8192, _) => 130,
            (Numerics::F32, _, _) => 115,
            (Numerics::Tf32, _, _) => 135,
        }
    }
}

/// A kernel with its grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) tile: Tile,
    /// Parts of each sum.
    pub(super) splits: usize,
}

/// Returns the time of so many blocks, in percent of a full wave's.
fn waves(blocks: usize) -> usize {
    let rest = match blocks % SLOTS {
        0 => 0,
        // A multiprocessor with one block is faster than with two.
        rest if rest <= SLOTS / 2 => 65,
        _ => 100,
    };
    blocks / SLOTS * 100 + rest
}

/// Returns the cost of the pass that joins the parts of `count` sums.
fn joining(numerics: Numerics, count: usize, splits: usize) -> usize {
    let values = count * (2 * splits + 1);
    match numerics {
        Numerics::F32 => 150_000 + values / 8,
        Numerics::Tf32 => 380_000 + values * 3 / 10,
    }
}

/// Chooses the kernel of a convolution of images of this shape.
pub(super) fn choose(pass: Pass, shape: Nhwc, conv: &Conv2d, numerics: Numerics) -> Choice {
    let (images, height, width, _) = shape;
    let (_, out_height, out_width, _) = conv.output_shape(shape);
    let (pixels, taps, classes) =
        (images * out_height * out_width, conv.kernel * conv.kernel, conv.stride * conv.stride);
    let vectors = conv.input.is_multiple_of(4) && conv.output.is_multiple_of(4);
    let any = if pass == Pass::Weights { ANY_WEIGHTS } else { ANY };
    let mut best: Option<(usize, Choice)> = None;
    for tile in TILES.into_iter().filter(|_| vectors).chain([any]) {
        let by_taps = |channels: usize| match tile.any {
            true => (taps * channels).div_ceil(tile.depth),
            false => taps * channels.div_ceil(tile.depth),
        };
        let tiles_of = |rows: usize, columns: usize| rows.div_ceil(tile.rows) * columns.div_ceil(tile.columns);
        let (tiles, count, chunks) = match pass {
            Pass::Forward => (tiles_of(pixels, conv.output), pixels * conv.output, by_taps(conv.input)),
            Pass::Data => {
                let pixels_of_class = images * height.div_ceil(conv.stride) * width.div_ceil(conv.stride);
                let count = images * height * width * conv.input;
                (tiles_of(pixels_of_class, conv.input) * classes, count, by_taps(conv.output).div_ceil(classes))
            }
            Pass::Weights => (tiles_of(conv.depth(), conv.output), conv.weights(), pixels.div_ceil(tile.depth)),
        };
        let most = if pass == Pass::Weights { 128 } else { 16 };
        for splits in 1..=most {
            let chunks_of_part = chunks.div_ceil(splits);
            if splits > 1 && (chunks_of_part < CHUNKS || tiles * splits > 4 * SLOTS) {
                break;
            }
            let work = tile.rows * tile.columns * (chunks_of_part * tile.depth + OVERHEAD) * tile.cost(numerics) / 100;
            let second = if splits > 1 || pass == Pass::Weights { joining(numerics, count, splits) } else { 0 };
            let cost = waves(tiles * splits) * work / 100 + second;
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, Choice { tile, splits }));
            }
        }
    }
    best.expect("one tile takes every shape").1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(pass: Pass, (side, images): (usize, usize), conv: (usize, usize, usize, usize)) -> (&'static str, usize) {
        let (input, output, kernel, stride) = conv;
        let conv = Conv2d { input, output, kernel, stride, padding: kernel / 2, input_gradient: true };
        let Choice { tile, splits } = choose(pass, (images, side, side, input), &conv, Numerics::F32);
        (tile.name, splits)
    }

    #[test]
    fn large_convolutions_get_large_tiles_and_small_ones_are_split() {
        assert_eq!(choice(Pass::Forward, (256, 8), (3, 64, 7, 2)), ("any", 1));
        assert_eq!(choice(Pass::Forward, (32, 32), (128, 128, 3, 1)), ("128x128", 1));
        // 32 large tiles would leave most multiprocessors idle.
        assert_eq!(choice(Pass::Forward, (16, 8), (256, 256, 3, 1)), ("64x64", 2));
        assert_eq!(choice(Pass::Weights, (64, 8), (64, 64, 3, 1)), ("64x64", 29));
    }
}
