//! Ground truth: which pixels are defective.

use std::path::Path;

use image::metadata::Orientation;

use super::DataError;
use super::decode::decode;

/// Ground truth of any size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row-major; true = defective.
    pub pixels: Vec<bool>,
}

impl Mask {
    /// Decodes a mask file: every value above 0 is defective (LOCO and VisA encode kinds as other values than 255).
    pub fn open(path: &Path) -> Result<Self, DataError> {
        Self::open_turned(path, Orientation::NoTransforms)
    }

    /// Decodes a mask file and turns it as its image is turned.
    pub(super) fn open_turned(path: &Path, turn: Orientation) -> Result<Self, DataError> {
        let mut decoded = decode(path)?;
        decoded.image.apply_orientation(turn);
        let decoded = decoded.image.into_luma16();
        Ok(Self {
            width: decoded.width() as usize,
            height: decoded.height() as usize,
            pixels: decoded.into_raw().into_iter().map(|value| value > 0).collect(),
        })
    }

    /// The pixels that are defective in either of two masks of one size.
    pub(super) fn or(mut self, other: &Self) -> Self {
        self.pixels.iter_mut().zip(&other.pixels).for_each(|(mine, theirs)| *mine |= theirs);
        self
    }

    /// Nearest neighbour to a square, Pillow's rule: source = ⌊(target + ½) · scale⌋.
    pub fn resized(&self, side: usize) -> Self {
        let place =
            |i: usize, length: usize| (((i as f64 + 0.5) * length as f64 / side as f64) as usize).min(length - 1);
        let columns: Vec<usize> = (0..side).map(|x| place(x, self.width)).collect();
        let pixels = (0..side)
            .flat_map(|y| {
                let row = place(y, self.height) * self.width;
                columns.iter().map(move |x| row + x)
            })
            .map(|index| self.pixels[index])
            .collect();
        Self { width: side, height: side, pixels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_value_above_zero_is_a_defect() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("mask.png");
        let mut mask = image::GrayImage::new(4, 2);
        mask.put_pixel(1, 0, image::Luma([1]));
        mask.put_pixel(3, 1, image::Luma([255]));
        mask.save(&path).expect("written");
        let mask = Mask::open(&path).expect("decodes");
        assert_eq!(mask.pixels, [false, true, false, false, false, false, false, true]);
        assert_eq!(mask.resized(2).pixels, [true, false, false, true]);
    }
}
