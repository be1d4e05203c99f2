//! Decoding, resizing, normalising.

use std::path::Path;

use super::DataError;
use super::resize::resize_rgb;

/// ImageNet's mean per channel, RGB.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// ImageNet's deviation per channel, RGB.
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// A square RGB image, row-major, 8 bits a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Pixels a side.
    pub side: usize,
    /// (row, column, channel).
    pub rgb: Vec<u8>,
}

/// An RGB image of any size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// (row, column, channel).
    pub rgb: Vec<u8>,
}

impl Picture {
    /// Decodes a file; grey becomes RGB, 16 bits become 8, an alpha channel is dropped.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let decoded = decode(path)?.into_rgb8();
        Ok(Self { width: decoded.width() as usize, height: decoded.height() as usize, rgb: decoded.into_raw() })
    }

    /// Resizes to a square with Pillow's antialiased `BILINEAR`.
    pub fn resized(&self, side: usize) -> Image {
        Image { side, rgb: resize_rgb(&self.rgb, self.width, self.height, side) }
    }
}

/// Decodes by content, whatever the file's ending says.
pub(super) fn decode(path: &Path) -> Result<image::DynamicImage, DataError> {
    let io = |source| DataError::Io { path: path.to_owned(), source };
    let reader = image::ImageReader::open(path).map_err(io)?.with_guessed_format().map_err(io)?;
    reader.decode().map_err(|error| DataError::Decode { path: path.to_owned(), reason: error.to_string() })
}

/// (x/255 − mean) / deviation per channel, (row, column, channel).
pub fn normalise(image: &Image) -> Vec<f32> {
    let mut values = Vec::with_capacity(image.rgb.len());
    for pixel in image.rgb.chunks_exact(3) {
        for c in 0..3 {
            values.push((f32::from(pixel[c]) / 255.0 - MEAN[c]) / DEVIATION[c]);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Pillow's algorithm in floating point: triangle filter whose support grows with the scale.
    fn reference(picture: &Picture, side: usize) -> Vec<f32> {
        let taps = |length: usize| -> Vec<Vec<(usize, f64)>> {
            let scale = length as f64 / side as f64;
            let support = scale.max(1.0);
            (0..side)
                .map(|i| {
                    let centre = (i as f64 + 0.5) * scale;
                    let weights: Vec<(usize, f64)> = (0..length)
                        .map(|j| (j, (1.0 - ((j as f64 + 0.5 - centre) / support).abs()).max(0.0)))
                        .filter(|(_, w)| *w > 0.0)
                        .collect();
                    let sum: f64 = weights.iter().map(|(_, w)| w).sum();
                    weights.into_iter().map(|(j, w)| (j, w / sum)).collect()
                })
                .collect()
        };
        let (columns, rows) = (taps(picture.width), taps(picture.height));
        let mut out = Vec::new();
        for row in &rows {
            for column in &columns {
                for c in 0..3 {
                    let value: f64 = row
                        .iter()
                        .flat_map(|&(y, wy)| {
                            column
                                .iter()
                                .map(move |&(x, wx)| wy * wx * f64::from(picture.rgb[(y * picture.width + x) * 3 + c]))
                        })
                        .sum();
                    out.push(value as f32);
                }
            }
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn resizing_agrees_with_the_antialiased_triangle(width in 3_usize..40, height in 3_usize..40, side in 2_usize..24, seed: u8) {
            let rgb = (0..width * height * 3).map(|i| (i * 97 + usize::from(seed) * 31) as u8).collect();
            let picture = Picture { width, height, rgb };
            for (ours, exact) in picture.resized(side).rgb.iter().zip(reference(&picture, side)) {
                prop_assert!((f32::from(*ours) - exact).abs() <= 1.1, "{ours} against {exact}");
            }
        }
    }

    #[test]
    fn channels_stay_red_green_blue() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("red.png");
        image::RgbImage::from_pixel(4, 6, image::Rgb([250, 10, 60])).save(&path).expect("written");
        let image = Picture::open(&path).expect("decodes").resized(2);
        assert_eq!(image.rgb[..3], [250, 10, 60]);
        let values = normalise(&image);
        assert!((values[0] - (250.0 / 255.0 - 0.485) / 0.229).abs() < 1e-6);
        assert!((values[2] - (60.0 / 255.0 - 0.406) / 0.225).abs() < 1e-6);
    }

    #[test]
    fn grey_becomes_rgb() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("grey.bmp");
        image::GrayImage::from_pixel(3, 3, image::Luma([77])).save(&path).expect("written");
        assert_eq!(Picture::open(&path).expect("decodes").rgb, vec![77; 27]);
    }

    #[test]
    fn a_text_file_is_named_in_the_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("broken.png");
        std::fs::write(&path, "not an image").expect("written");
        let message = Picture::open(&path).expect_err("not an image").to_string();
        assert!(message.contains("broken.png") && message.contains("PNG, JPEG and BMP"), "{message}");
    }
}
