//! Ground truth: which pixels are defective.

use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat};

use super::DataError;
use super::decode::decode;

/// If a mask file has more distinct values than this, the values do not number kinds of defects.
const MAX_KINDS: usize = 16;

/// Ground truth of any size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Pixels, row-major; true = defective.
    pub pixels: Vec<bool>,
}

impl Mask {
    /// Decodes a mask file. A pixel is defective if any of its colour values is above `above` (255 is white). With 0, the numbers of kinds
    /// in LOCO and VisA also count as defective.
    pub fn open(path: &Path, above: u8) -> Result<Self, DataError> {
        Self::open_turned(path, above, Orientation::NoTransforms)
    }

    /// Decodes a mask file and applies a turn, so that it fits its image.
    pub(super) fn open_turned(path: &Path, above: u8, turn: Orientation) -> Result<Self, DataError> {
        check_format(path, above)?;
        let mut decoded = decode(path)?.image;
        decoded.apply_orientation(turn);
        let mask = Self::of(&decoded, above);
        if mask.is_uniform() && alpha_varies(&decoded) {
            return Err(DataError::MaskAlpha { path: path.to_owned() });
        }
        Ok(mask)
    }

    fn of(decoded: &DynamicImage, above: u8) -> Self {
        // This factor scales 8 bits to 16.
        let above = u16::from(above) * 257;
        let pixels = match decoded.color().has_color() {
            true => decoded.to_rgb16().pixels().map(|pixel| pixel.0.iter().any(|&value| value > above)).collect(),
            false => decoded.to_luma16().pixels().map(|pixel| pixel.0[0] > above).collect(),
        };
        Self { width: decoded.width() as usize, height: decoded.height() as usize, pixels }
    }

    /// Returns the number of defective pixels.
    pub(super) fn defective(&self) -> usize {
        self.pixels.iter().filter(|defect| **defect).count()
    }

    fn is_uniform(&self) -> bool {
        self.pixels.windows(2).all(|two| two[0] == two[1])
    }

    /// Returns the pixels that are defective in either of two masks of the same size.
    pub(super) fn or(mut self, other: &Self) -> Self {
        self.pixels.iter_mut().zip(&other.pixels).for_each(|(pixel, other)| *pixel |= other);
        self
    }

    /// Resizes to a square by nearest neighbour.
    pub fn resized(&self, side: usize) -> Self {
        let pixels = nearest(self.width, self.height, side).into_iter().map(|index| self.pixels[index]).collect();
        Self { width: side, height: side, pixels }
    }
}

/// Returns the source of each pixel of a square, by Pillow's rule for the nearest neighbour: source = ⌊(target + ½) · scale⌋.
pub(super) fn nearest(width: usize, height: usize, side: usize) -> Vec<usize> {
    let source = |i: usize, length: usize| (((i as f64 + 0.5) * length as f64 / side as f64) as usize).min(length - 1);
    let columns: Vec<usize> = (0..side).map(|x| source(x, width)).collect();
    let rows = (0..side).map(|y| source(y, height) * width);
    rows.flat_map(|row| columns.iter().map(move |x| row + x)).collect()
}

/// A mask with the values that mark its kinds of defects, which are above 0.
pub(super) struct MarkedMask {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Values, row-major; 0 is normal.
    pub pixels: Vec<u8>,
}

impl MarkedMask {
    /// Decodes a mask file and applies a turn. Values up to `above` are normal.
    pub(super) fn open_turned(path: &Path, above: u8, turn: Orientation) -> Result<Self, DataError> {
        let mut decoded = decode(path)?.image;
        decoded.apply_orientation(turn);
        let grey = decoded.into_luma8();
        let (width, height) = (grey.width() as usize, grey.height() as usize);
        let marked = |value| if value > above { value } else { 0 };
        Ok(Self { width, height, pixels: grey.into_raw().into_iter().map(marked).collect() })
    }
}

/// Returns whether an alpha channel has more than one value.
fn alpha_varies(decoded: &DynamicImage) -> bool {
    decoded.color().has_alpha() && {
        let rgba = decoded.to_rgba8();
        let mut alpha = rgba.pixels().map(|pixel| pixel.0[3]);
        alpha.next().is_some_and(|first| alpha.any(|other| other != first))
    }
}

/// Refuses a file whose format changes values, whatever its name, unless the threshold is above 0.
pub(super) fn check_format(path: &Path, above: u8) -> Result<(), DataError> {
    let io = |source| DataError::Io { path: path.to_owned(), source };
    let reader = image::ImageReader::open(path).map_err(io)?.with_guessed_format().map_err(io)?;
    match reader.format() {
        Some(ImageFormat::Jpeg | ImageFormat::WebP) if above == 0 => {
            Err(DataError::MaskFormat { path: path.to_owned() })
        }
        _ => Ok(()),
    }
}

/// Returns whether a mask file looks blurred: it has more than [`MAX_KINDS`] values other than 0, some in the lower and some in the upper
/// half.
pub(super) fn is_blurred(path: &Path) -> Result<bool, DataError> {
    let grey = decode(path)?.image.into_luma8();
    let mut has = [false; 256];
    grey.pixels().for_each(|pixel| has[usize::from(pixel.0[0])] = true);
    let values = has[1..].iter().filter(|has| **has).count();
    Ok(values > MAX_KINDS && has[1..128].contains(&true) && has[128..].contains(&true))
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
        let mask = Mask::open(&path, 0).expect("decodes");
        assert_eq!(mask.pixels, [false, true, false, false, false, false, false, true]);
        assert_eq!(mask.resized(2).pixels, [true, false, false, true]);
        // Only values above the threshold count, for any colour and bit depth.
        let mask = Mask::open(&path, 127).expect("decodes");
        assert_eq!((mask.defective(), mask.pixels[7]), (1, true));
        image::RgbImage::from_pixel(2, 1, image::Rgb([0, 0, 128])).save(&path).expect("written");
        assert_eq!([127, 128].map(|above| Mask::open(&path, above).expect("decodes").defective()), [2, 0]);
        let deep = |value: u16| image::ImageBuffer::<image::Luma<u16>, _>::from_pixel(1, 1, image::Luma([value]));
        for (value, defective) in [(127 * 257, 0), (127 * 257 + 1, 1)] {
            deep(value).save(&path).expect("written");
            assert_eq!(Mask::open(&path, 127).expect("decodes").defective(), defective);
        }
    }

    #[test]
    fn a_mask_in_the_alpha_channel_is_refused_but_a_uniform_alpha_channel_is_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("mask.png");
        for grey in [0, 255] {
            let mut mask = image::RgbaImage::from_pixel(3, 3, image::Rgba([grey, grey, grey, 0]));
            mask.save(&path).expect("written");
            assert!(Mask::open(&path, 0).is_ok());
            mask.put_pixel(1, 1, image::Rgba([grey, grey, grey, 255]));
            mask.save(&path).expect("written");
            let message = Mask::open(&path, 0).expect_err("alpha").to_string();
            assert!(message.contains("alpha channel") && message.contains("mask.png"), "{message}");
        }
    }

    #[test]
    fn a_jpeg_is_recognised_by_its_content_and_accepted_with_a_threshold() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("mask.png");
        let mut mask = image::GrayImage::new(32, 32);
        (8..24).for_each(|x| (8..24).for_each(|y| mask.put_pixel(x, y, image::Luma([255]))));
        mask.save_with_format(&path, ImageFormat::Jpeg).expect("written");
        assert!(matches!(Mask::open(&path, 0), Err(DataError::MaskFormat { .. })));
        assert_eq!(Mask::open(&path, 127).expect("decodes").defective(), 256);
    }

    #[test]
    fn many_values_are_a_blurred_mask_but_a_few_numbers_are_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("mask.png");
        for (values, blurred) in
            [((0..=255).collect::<Vec<u8>>(), true), (vec![0, 236, 240, 255], false), ((0..12).collect(), false)]
        {
            image::GrayImage::from_vec(values.len() as u32, 1, values).expect("fits").save(&path).expect("written");
            assert_eq!(is_blurred(&path).expect("decodes"), blurred);
        }
    }
}
