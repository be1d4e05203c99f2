//! Composes the tiles of all rows with their labels.

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use resvg::tiny_skia::Pixmap;

use super::source::Source;
use super::tiles::{blocks, fused, outline, overlaid, resized};
use crate::cause::Cause;
use crate::data::Image;
use crate::report::figure::rasterise;
use crate::report::heat::heat;

/// Side of a tile, in pixels: a multiple of the levels' sides at the usual image sizes.
const TILE: usize = 128;
/// Space between tiles, in pixels.
const GAP: usize = 8;
/// Height of the area for the columns' labels and colour scales, in pixels.
const HEAD: usize = 46;
/// Width of the area for the rows' labels, in pixels.
const LABELS: usize = 150;
/// Height of a colour scale, in pixels.
const SCALE: usize = 6;

/// A finished picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Picture {
    /// File name without extension.
    pub name: String,
    /// What the picture shows.
    pub caption: String,
    /// The picture for the page, as JPEG on white; PNGs would make the page five times as large.
    pub jpeg: Vec<u8>,
    /// The same picture without loss, as PNG of twice the size.
    pub png: Vec<u8>,
}

/// The parts of a picture.
pub(super) struct PictureLayout<'a> {
    /// Sources of the rows, at least one.
    pub sources: &'a [Source],
    /// Index of the image that the rows show.
    pub index: usize,
    /// File name without extension.
    pub name: String,
    /// What the picture shows.
    pub caption: String,
    /// The mark that a picture must carry, because people may pass it on without the page.
    pub mark: Option<String>,
}

/// Number of PNG pixels per pixel of the page's picture, in each direction.
const ENLARGED: usize = 2;
/// JPEG quality, out of 100. At this quality small letters stay clean.
const JPEG_QUALITY: u8 = 90;
/// Colour of labels.
const INK: &str = "#222222";

/// Draws a picture.
pub(super) fn compose(layout: &PictureLayout<'_>) -> Result<Picture, Cause> {
    let png = layout.drawn(ENLARGED)?.encode_png()?;
    Ok(Picture { name: layout.name.clone(), caption: layout.caption.clone(), jpeg: jpeg(&layout.drawn(1)?)?, png })
}

/// Encodes a picture without transparent pixels as JPEG.
fn jpeg(pixels: &Pixmap) -> Result<Vec<u8>, Cause> {
    let rgb: Vec<u8> = pixels.data().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).encode(
        &rgb,
        pixels.width(),
        pixels.height(),
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

/// Returns the left and upper edge of a cell, unscaled: the input comes first, then the rows' labels, then the maps.
fn place(column: usize, row: usize) -> (usize, usize) {
    let labels = if column > 0 { LABELS } else { 0 };
    (labels + column * (TILE + GAP), HEAD + row * (TILE + GAP))
}

impl PictureLayout<'_> {
    /// Draws the picture on white, enlarged by `scale`.
    fn drawn(&self, scale: usize) -> Result<Pixmap, Cause> {
        let levels = self.sources[0].levels.len();
        // All rows of a column draw the same value brightest.
        let ceilings: Vec<f32> = (0..levels)
            .map(|level| self.sources.iter().map(|source| source.ceiling(level)).fold(f32::MIN_POSITIVE, f32::max))
            .collect();
        let mut pixels = rasterise(&self.labels(&ceilings), scale as f32)?;
        let tile = TILE * scale;
        let mut put = |image: &Image, (left, top): (usize, usize)| {
            paste(&mut pixels, &image.rgb, image.side, (left * scale, top * scale));
        };
        let input = resized(&self.sources[0].input(self.index), tile);
        let mask = self.sources.iter().find_map(|source| source.mask(self.index));
        put(&input, place(0, 0));
        if let (Some(mask), true) = (&mask, self.sources.len() > 1) {
            let mut marked = input.clone();
            outline(&mut marked, mask, scale);
            put(&marked, place(0, 1));
        }
        for (row, source) in self.sources.iter().enumerate() {
            for (column, level) in (0..levels).rev().enumerate() {
                put(&blocks(&source.levels[level], self.index, ceilings[level], tile), place(1 + column, row));
            }
            let (map, threshold) = (source.fused(self.index), source.calibrated.threshold);
            put(&fused(&map, threshold, tile), place(1 + levels, row));
            let mut over = overlaid(&input, &map, threshold);
            mask.iter().for_each(|mask| outline(&mut over, mask, scale));
            put(&over, place(2 + levels, row));
        }
        for column in 1..3 + levels {
            let (width, height) = (tile, SCALE * scale);
            let rgb: Vec<u8> =
                (0..width * height).flat_map(|p| heat((p % width) as f32 / (width - 1) as f32)).collect();
            let (left, top) = place(column, 0);
            paste(&mut pixels, &rgb, width, (left * scale, (top - SCALE - 4) * scale));
        }
        Ok(pixels)
    }

    /// Returns everything except the tiles, as SVG.
    fn labels(&self, ceilings: &[f32]) -> String {
        let levels = &self.sources[0].levels;
        let (width, height) = place(levels.len() + 3, self.sources.len());
        let (width, height) = (width - GAP, height - GAP);
        let mut labels = "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>".to_owned();
        let middle = |column: usize| place(column, 0).0 + TILE / 2;
        labels += &text("input", (middle(0), 16), 14.0, "middle");
        if self.sources.len() > 1 && self.images_are_defective() {
            labels += &text("below: defect outlined", (middle(0), 31), 10.0, "middle");
        }
        let columns = levels.iter().zip(ceilings).rev();
        let columns =
            columns.map(|(level, ceiling)| (format!("{}×{}", level.height, level.width), format!("{ceiling:.2}")));
        let fused = ["fused", "overlay"].map(|label| (label.to_owned(), "2 thresholds".to_owned()));
        for (column, (label, end)) in columns.chain(fused).enumerate() {
            let left = place(column + 1, 0).0;
            labels += &text(&label, (left + TILE / 2, 16), 14.0, "middle");
            labels += &text("0", (left, 32), 10.0, "start");
            labels += &text(&end, (left + TILE, 32), 10.0, "end");
        }
        let end = place(1, 0).0 - 10;
        // The corner above the rows' labels is empty. It holds the mark, in case somebody passes the picture on alone.
        labels += &self.mark.iter().map(|mark| lines(mark, (end, HEAD / 2))).collect::<String>();
        for (row, source) in self.sources.iter().enumerate() {
            let label = format!("{}, {}", source.label, source.relative_score(self.index));
            labels += &lines(&label, (end, place(0, row).1 + TILE / 2));
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" fill=\"{INK}\" font-family=\"sans-serif\">{labels}</svg>"
        )
    }

    fn images_are_defective(&self) -> bool {
        self.sources[0].images[self.index].defect.is_some()
    }
}

/// Copies an RGB picture with `columns` columns onto another.
fn paste(pixels: &mut Pixmap, rgb: &[u8], columns: usize, (left, top): (usize, usize)) {
    let width = pixels.width() as usize;
    for (y, line) in rgb.chunks_exact(3 * columns).enumerate() {
        let target = &mut pixels.data_mut()[((top + y) * width + left) * 4..][..4 * columns];
        for (to, from) in target.chunks_exact_mut(4).zip(line.chunks_exact(3)) {
            to.copy_from_slice(&[from[0], from[1], from[2], 255]);
        }
    }
}

/// Returns a row's label with one line per setting, right-aligned at x.
fn lines(label: &str, (x, middle): (usize, usize)) -> String {
    let parts: Vec<String> = label.replace(" (", ", (").split(", ").map(str::to_owned).collect();
    let top = middle as f32 - 9.0 * (parts.len() as f32 - 1.0);
    let line = |(line, part): (usize, &String)| {
        let y = top + 18.0 * line as f32 + 5.0;
        // Long names get smaller letters; they are not cut.
        let size = (1.7 * LABELS as f32 / part.chars().count().max(1) as f32).min(14.0);
        text(part, (x, y as usize), size, "end")
    };
    parts.iter().enumerate().map(line).collect()
}

fn text(text: &str, (x, y): (usize, usize), size: f32, anchor: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" font-size=\"{size}\">{text}</text>")
}
