//! Sheets: JPEG files with many small pictures, so that a run needs few files. A page shows one tile of a sheet at a time.

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use crate::cause::Cause;
use crate::data::Image;

/// Number of tiles in a row of a sheet, and of rows.
const COLUMNS: usize = 10;
const ROWS: usize = 10;
/// JPEG quality, out of 100.
const QUALITY: u8 = 80;

/// Where a tile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tile {
    /// Index of the sheet.
    pub sheet: usize,
    /// Left and upper edge, in pixels.
    pub corner: (usize, usize),
    /// Width and height of the sheet, in pixels.
    pub sheet_size: (usize, usize),
}

/// Returns the place of a tile among `count` tiles with `side` pixels per side.
pub(super) fn tile(index: usize, count: usize, side: usize) -> Tile {
    let per_sheet = COLUMNS * ROWS;
    let (sheet, place) = (index / per_sheet, index % per_sheet);
    Tile {
        sheet,
        corner: (place % COLUMNS * side, place / COLUMNS * side),
        sheet_size: sheet_size((count - sheet * per_sheet).min(per_sheet), side),
    }
}

fn sheet_size(tiles: usize, side: usize) -> (usize, usize) {
    (tiles.min(COLUMNS) * side, tiles.div_ceil(COLUMNS) * side)
}

/// Encodes tiles of equal size, at least one, as sheets.
pub(super) fn sheets(tiles: &[Image]) -> Result<Vec<Vec<u8>>, Cause> {
    tiles.chunks(COLUMNS * ROWS).map(sheet).collect()
}

fn sheet(tiles: &[Image]) -> Result<Vec<u8>, Cause> {
    let side = tiles[0].side;
    let (width, height) = sheet_size(tiles.len(), side);
    let mut rgb = vec![255; 3 * width * height];
    for (index, tile) in tiles.iter().enumerate() {
        let (left, top) = (index % COLUMNS * side, index / COLUMNS * side);
        for (y, line) in tile.rgb.chunks_exact(3 * side).enumerate() {
            rgb[3 * ((top + y) * width + left)..][..3 * side].copy_from_slice(line);
        }
    }
    jpeg(&rgb, width, height)
}

/// Encodes a picture as JPEG.
pub(in crate::report) fn jpeg(rgb: &[u8], width: usize, height: usize) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    let (width, height) = (u32::try_from(width)?, u32::try_from(height)?);
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode(rgb, width, height, ExtendedColorType::Rgb8)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_found_where_they_were_put() {
        let tiles: Vec<Image> = (0..112).map(|index| Image { side: 16, rgb: vec![2 * index; 3 * 256] }).collect();
        let sheets = sheets(&tiles).expect("encoded");
        assert_eq!(sheets.len(), 2);
        for index in [0, 9, 10, 99, 100, 111] {
            let Tile { sheet, corner: (left, top), sheet_size } = tile(index, tiles.len(), 16);
            let decoded = image::load_from_memory(&sheets[sheet]).expect("a picture").into_rgb8();
            assert_eq!((decoded.width() as usize, decoded.height() as usize), sheet_size);
            let shade = decoded.get_pixel(left as u32 + 8, top as u32 + 8).0[0];
            assert!(shade.abs_diff(2 * index as u8) <= 2, "{index}: {shade}");
        }
    }
}
