//! The size of tiles, and the convolutions for which they pay.

use crate::tensor::Conv2d;
use crate::tensor::geometry::Nhwc;

/// Outputs along a side of a tile.
pub(super) const TILE: usize = 4;
/// Inputs along a side of a tile.
pub(super) const TILE_INPUTS: usize = TILE + 2;
/// Products per tile, input channel and output channel.
pub(super) const PRODUCTS: usize = TILE_INPUTS * TILE_INPUTS;

/// Smallest number of input and output channels. With fewer, the transforms cost more than they save.
const MIN_CHANNELS: usize = 16;
/// Smallest number of tiles. With fewer, the transform of the weights costs more than it saves.
const MIN_TILES: usize = 32;

/// Returns whether this is the fastest algorithm for the convolution.
pub(in crate::tensor::native) fn is_faster(shape: Nhwc, conv: &Conv2d) -> bool {
    if conv.kernel != 3 || conv.stride != 1 || conv.input.min(conv.output) < MIN_CHANNELS {
        return false;
    }
    let (images, height, width, _) = conv.output_shape(shape);
    let tiles = images * height.div_ceil(TILE) * width.div_ceil(TILE);
    // Tiles that extend far over the border compute unused outputs.
    tiles >= MIN_TILES && images * height * width >= 6 * tiles
}
