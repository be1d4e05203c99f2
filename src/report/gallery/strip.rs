//! The strip: one still picture of the images that two variants disagree about most, for readers without the script and for paper.

use super::sheet::jpeg;
use crate::cause::Cause;
use crate::data::Image;
use crate::report::pictures::{Source, outline, overlaid, resized};

/// Maximum number of images of a strip.
pub(super) const MAX_SHOWN: usize = 6;
/// Side of a tile and space between tiles, in pixels.
const TILE: usize = 96;
const GAP: usize = 4;

/// A drawn strip: one column for each image, with the input in the first row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Strip {
    pub jpeg: Vec<u8>,
    pub width: usize,
    pub height: usize,
}

/// Draws the images at `shown`, first the inputs with the ground truth, then a row of overlays for each source.
pub(super) fn strip(sources: &[&Source], shown: &[usize]) -> Result<Strip, Cause> {
    let place = |cells: usize| cells * (TILE + GAP);
    let (width, height) = (place(shown.len()) - GAP, place(1 + sources.len()) - GAP);
    let mut rgb = vec![255; 3 * width * height];
    let mut put = |tile: &Image, left: usize, top: usize| {
        for (y, row) in tile.rgb.chunks_exact(3 * TILE).enumerate() {
            rgb[3 * ((top + y) * width + left)..][..3 * TILE].copy_from_slice(row);
        }
    };
    for (column, index) in shown.iter().copied().enumerate() {
        let input = resized(&sources[0].input(index), TILE);
        let mask = sources.iter().find_map(|source| source.mask(index));
        let overlays = sources.iter().map(|source| overlaid(&input, &source.fused(index), source.calibrated.threshold));
        for (row, mut tile) in std::iter::once(input.clone()).chain(overlays).enumerate() {
            mask.iter().for_each(|mask| outline(&mut tile, mask, 1));
            put(&tile, place(column), place(row));
        }
    }
    Ok(Strip { jpeg: jpeg(&rgb, width, height)?, width, height })
}
