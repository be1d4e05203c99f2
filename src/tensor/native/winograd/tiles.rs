//! Division of an output into blocks of tiles, and the pixels of tiles.

use super::{PRODUCTS, TILE, TILE_INPUTS};
use crate::tensor::Conv2d;
use crate::tensor::native::Nhwc;

/// Most tiles per block: enough to use every transformed kernel often.
const BLOCK_TILES: usize = 64;
/// Values that stay in a core's second-level cache of 1 MB.
const CACHED_VALUES: usize = 230_000;
/// Tiles per block if there are too few for [`FULL_BLOCKS`] full blocks, so that threads can still share the work.
const SMALL_BLOCK_TILES: usize = 32;
const FULL_BLOCKS: usize = 4;
/// Fewest tiles per block that are worth a visit of all kernels.
const SMALLEST_BLOCK: usize = 12;

/// Tiles that are processed together: whole images, or rows of tiles of one image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    first_image: usize,
    images: usize,
    first_row: usize,
    rows: usize,
    columns: usize,
}

/// One tile of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tile {
    /// Number of the tile in the block.
    pub(super) index: usize,
    pub(super) image: usize,
    /// Top output row; `left` is the left output column.
    pub(super) top: usize,
    pub(super) left: usize,
}

/// Returns the number of tiles per block.
///
/// If the 36 matrices of (in × out) fit into a core's cache, blocks are so small that they fit beside them. Otherwise these matrices come
/// from a slower cache for every block, so blocks are large.
fn block_tiles(conv: &Conv2d) -> usize {
    let room = (CACHED_VALUES / PRODUCTS).saturating_sub(conv.input * conv.output) / (conv.input + conv.output);
    if room < SMALLEST_BLOCK { BLOCK_TILES } else { room.min(BLOCK_TILES) }
}

/// Returns the blocks of an output, in the order of its memory. Their shape depends only on the convolution and the shape of the output.
pub(super) fn blocks((images, height, width, _): Nhwc, conv: &Conv2d) -> Vec<Block> {
    let (rows, columns) = (height.div_ceil(TILE), width.div_ceil(TILE));
    let tiles = images * rows * columns;
    let most = block_tiles(conv);
    let wanted = tiles.div_ceil(FULL_BLOCKS).clamp(SMALL_BLOCK_TILES.min(most), most);
    let even = |total: usize, wanted: usize| total.div_ceil(total.div_ceil(wanted.clamp(1, total)));
    let block_images = even(images, wanted / (rows * columns));
    let block_rows = if block_images > 1 { rows } else { even(rows, wanted / columns) };
    let row_blocks = move |first_image: usize| {
        (0..rows).step_by(block_rows).map(move |first_row| Block {
            first_image,
            images: block_images.min(images - first_image),
            first_row,
            rows: block_rows.min(rows - first_row),
            columns,
        })
    };
    (0..images).step_by(block_images).flat_map(row_blocks).collect()
}

impl Block {
    /// Returns the number of tiles.
    pub(super) fn len(&self) -> usize {
        self.images * self.rows * self.columns
    }

    /// Returns the index of its first output and the number of its outputs, in an output of this shape.
    pub(super) fn outputs(&self, (_, height, width, channels): Nhwc) -> (usize, usize) {
        let line = width * channels;
        let first_row = self.first_row * TILE;
        let rows = (self.rows * TILE).min(height - first_row);
        ((self.first_image * height + first_row) * line, self.images * rows * line)
    }

    pub(super) fn tiles(self) -> impl Iterator<Item = Tile> {
        (0..self.len()).map(move |index| {
            let row = index / self.columns;
            Tile {
                index,
                image: self.first_image + row / self.rows,
                top: (self.first_row + row % self.rows) * TILE,
                left: index % self.columns * TILE,
            }
        })
    }
}

/// Images that tiles are cut from, with zeros outside.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) values: &'a [f32],
    pub(super) shape: Nhwc,
    /// Distance by which a tile's pixels start above and left of its outputs, in pixels.
    pub(super) padding: usize,
    /// One pixel of zeros.
    pub(super) zeros: &'a [f32],
}

impl<'a> Source<'a> {
    /// Returns the channels of the N×N pixels of a tile.
    #[inline(always)]
    pub(super) fn pixels<const N: usize>(&self, tile: Tile) -> [[&'a [f32]; N]; N] {
        let (_, height, width, channels) = self.shape;
        let mut pixels = [[self.zeros; N]; N];
        let inside = |from: usize, step: usize, side: usize| {
            (from + step).checked_sub(self.padding).filter(|&coordinate| coordinate < side)
        };
        for (i, row) in pixels.iter_mut().enumerate() {
            let Some(y) = inside(tile.top, i, height) else { continue };
            let line = &self.values[(tile.image * height + y) * width * channels..][..width * channels];
            for (j, pixel) in row.iter_mut().enumerate() {
                if let Some(x) = inside(tile.left, j, width) {
                    *pixel = &line[x * channels..][..channels];
                }
            }
        }
        pixels
    }
}

/// Gap between matrices, in values. Without it, the same element of all matrices would use the same few cache lines.
const GAP: usize = 16;

/// Returns the distance from one of the 36 matrices to the next, in values.
pub(super) fn matrix_stride(tiles: usize, width: usize) -> usize {
    tiles * width + GAP
}

/// Returns the number of values of 36 matrices of (tiles × width).
pub(super) fn buffer_length(tiles: usize, width: usize) -> usize {
    PRODUCTS * matrix_stride(tiles, width)
}

/// Returns row `index` of each of the 36 matrices of rows of `width` values.
#[inline(always)]
pub(super) fn matrix_rows(matrices: &[f32], index: usize, width: usize) -> [[&[f32]; TILE_INPUTS]; TILE_INPUTS] {
    let mut planes = matrices.chunks_exact(matrices.len() / PRODUCTS);
    std::array::from_fn(|_| std::array::from_fn(|_| &planes.next().expect("36")[index * width..][..width]))
}

/// Does the same as [`matrix_rows`] with mutable rows.
#[inline(always)]
pub(super) fn matrix_rows_mut(
    matrices: &mut [f32],
    index: usize,
    width: usize,
) -> [[&mut [f32]; TILE_INPUTS]; TILE_INPUTS] {
    let mut planes = matrices.chunks_exact_mut(matrices.len() / PRODUCTS);
    std::array::from_fn(|_| std::array::from_fn(|_| &mut planes.next().expect("36")[index * width..][..width]))
}
