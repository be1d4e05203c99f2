//! The pictures of a run's test images: sheets of inputs and of maps, and contours.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::contour::contour;
use super::map_picture::map_picture;
use super::sheet::sheets;
use crate::cause::Cause;
use crate::data::{Image, Picture};
use crate::evaluate::resize_bilinear;
use crate::report::pictures::Source;
use crate::stages::{Key, short_key};

/// Maximum number of pixels per side of a picture.
const MAX_SIDE: usize = 256;
/// Maximum number of points per side from which a contour is drawn. Finer contours would make the pages large.
const CONTOUR_POINTS: usize = 128;
/// Share of a contour point's area that must be defective. Thin scratches would vanish with half of it.
const DEFECTIVE_SHARE: f32 = 0.3;

/// The pictures of a run. Tiles of all sheets have the order of the test images.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RunPictures {
    /// Pixels per side of a tile.
    pub side: usize,
    /// Start of the names of the sheets with the inputs, below the folder of the pages.
    pub inputs: String,
    /// Start of the names of the sheets with the maps.
    pub maps: String,
    /// Contours of the test images.
    pub contours: Vec<Contours>,
}

/// Contours on one test image, as paths of an SVG with the size of a tile; empty if there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Contours {
    /// The defect's.
    pub truth: String,
    /// The held-out threshold's on the map.
    pub threshold: String,
}

/// Files with their paths and bytes.
pub(super) type Files = Vec<(String, Vec<u8>)>;

/// Returns the name of a sheet.
pub(super) fn sheet_name(start: &str, sheet: usize) -> String {
    format!("{start}-{}.jpg", sheet + 1)
}

/// The inputs that have been written. Runs on the same images share them.
#[derive(Debug, Default)]
pub(super) struct WrittenInputs(Mutex<HashSet<Key>>);

impl WrittenInputs {
    fn is_first(&self, key: &Key) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone())
    }
}

impl RunPictures {
    /// Draws the pictures of a run. Also returns the files, with their names below the folder of the pages.
    ///
    /// # Errors
    /// A picture cannot be encoded.
    pub(super) fn of(source: &Source, run: &str, written: &WrittenInputs) -> Result<(Self, Files), Cause> {
        let images = 0..source.images.len();
        let inputs: Vec<Image> = images.into_par_iter().map(|index| small(source.input(index))).collect();
        let threshold = source.calibrated.threshold;
        let drawn: Vec<(Image, Contours)> = inputs
            .par_iter()
            .enumerate()
            .map(|(index, input)| {
                let map = source.fused(index);
                let of_map = |level: f64| resampled_contour(&map.values, map.side, level as f32, input.side);
                let contours = Contours {
                    truth: source
                        .mask(index)
                        .map(|mask| truth(&mask.resized(input.side).pixels, input.side))
                        .unwrap_or_default(),
                    threshold: threshold.map(of_map).unwrap_or_default(),
                };
                (map_picture(input, &map, threshold), contours)
            })
            .collect();
        let (maps, contours): (Vec<Image>, Vec<Contours>) = drawn.into_iter().unzip();
        let pictures = Self {
            side: inputs.first().map_or(1, |input| input.side),
            inputs: format!("images/inputs-{}", short_key(source.features_key.as_str())),
            maps: format!("images/maps-{}", short_key(run)),
            contours,
        };
        let mut files = Vec::new();
        let mut add = |start: &str, tiles: &[Image]| {
            let sheets = sheets(tiles)?.into_iter().enumerate();
            files.extend(sheets.map(|(sheet, bytes)| (sheet_name(start, sheet), bytes)));
            Ok::<_, Cause>(())
        };
        if written.is_first(&source.features_key) {
            add(&pictures.inputs, &inputs)?;
        }
        add(&pictures.maps, &maps)?;
        Ok((pictures, files))
    }
}

fn small(image: Image) -> Image {
    if image.side <= MAX_SIDE {
        return image;
    }
    Picture { width: image.side, height: image.side, rgb: image.rgb }.resized(MAX_SIDE)
}

/// Returns the contour of a map at a level, in a square with side `size`.
pub(in crate::report) fn resampled_contour(values: &[f32], side: usize, level: f32, size: usize) -> String {
    let points = size.min(CONTOUR_POINTS);
    contour(&resize_bilinear(values, side, side, points, points), points, level, size as f64)
}

/// Returns the contour of a mask with `side` pixels per side.
pub(in crate::report) fn truth(pixels: &[bool], side: usize) -> String {
    let step = side.div_ceil(CONTOUR_POINTS);
    let points = side / step;
    let share = |place: usize| {
        let (y, x) = (place / points * step, place % points * step);
        let inside = (0..step * step).filter(|at| pixels[(y + at / step) * side + x + at % step]).count();
        inside as f32 / (step * step) as f32
    };
    let shares: Vec<f32> = (0..points * points).map(share).collect();
    contour(&shares, points, DEFECTIVE_SHARE, (points * step) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contour_of_a_mask_surrounds_it_also_if_it_is_thin() {
        let side = 256;
        let scratch: Vec<bool> =
            (0..side * side).map(|at| at / side == 100 && (50..90).contains(&(at % side))).collect();
        let path = truth(&scratch, side);
        let start = path.strip_prefix('M').and_then(|path| path.split_once('l')).expect("a line").0;
        let (x, y) = start.split_once(' ').expect("a point");
        let pixels = |units: &str| units.parse::<f64>().expect("a number") / 4.0;
        assert!((48.0..=92.0).contains(&pixels(x)) && (98.0..=104.0).contains(&pixels(y)), "{start}");
        assert_eq!(truth(&vec![false; side * side], side), "");
    }
}
