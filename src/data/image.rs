//! Decodes, resizes and normalises images.

use std::path::Path;

use ::image::DynamicImage;
use ::image::metadata::Orientation;

use super::decode::{Decoded, decode};
use super::resize::resize_rgb;
use super::{DataError, Exif, Reading};

/// ImageNet's mean per channel, RGB.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// ImageNet's standard deviation per channel, RGB.
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// A square RGB image, row-major, 8 bits per channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Pixels per side.
    pub side: usize,
    /// Values in the order (row, column, channel).
    pub rgb: Vec<u8>,
}

/// An RGB image of any size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Values in the order (row, column, channel).
    pub rgb: Vec<u8>,
}

impl Picture {
    /// Decodes a file. Grey becomes RGB, 16 bits become 8, and an alpha channel is dropped.
    pub fn open(path: &Path, reading: Reading) -> Result<Self, DataError> {
        let Decoded { mut image, orientation, reservation: _reservation } = decode(path)?;
        if reading.exif == Exif::Apply {
            image.apply_orientation(orientation.unwrap_or(Orientation::NoTransforms));
        }
        let (width, height) = (image.width() as usize, image.height() as usize);
        let rgb = match reading.white_level {
            white if white < u16::MAX && has_16_bits(&image) => {
                let scaled = |value: u16| (u32::from(value.min(white)) * 255 + u32::from(white) / 2) / u32::from(white);
                image.into_rgb16().into_raw().into_iter().map(|value| scaled(value) as u8).collect()
            }
            _ => image.into_rgb8().into_raw(),
        };
        Ok(Self { width, height, rgb })
    }

    /// Resizes to a square with Pillow's antialiased `BILINEAR`.
    pub fn resized(&self, side: usize) -> Image {
        Image { side, rgb: resize_rgb(&self.rgb, self.width, self.height, side) }
    }
}

/// Summary of a picture without its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ImageSummary {
    /// Columns and rows, as stored in the file.
    pub size: (u32, u32),
    /// Whether the EXIF orientation turns or mirrors the image.
    pub is_turned: bool,
    /// Largest value, if there are 16 bits per channel.
    pub largest: Option<u16>,
}

impl ImageSummary {
    /// Summarises a picture that is not a file.
    pub(super) fn drawn(picture: &Picture) -> Self {
        Self { size: (picture.width as u32, picture.height as u32), is_turned: false, largest: None }
    }
}

/// Decodes a file, summarises it and drops the pixels.
pub(super) fn summarise(path: &Path) -> Result<ImageSummary, DataError> {
    let Decoded { image, orientation, reservation: _reservation } = decode(path)?;
    let largest = match &image {
        DynamicImage::ImageLuma16(pixels) => pixels.as_raw().iter().max().copied(),
        DynamicImage::ImageRgb16(pixels) => pixels.as_raw().iter().max().copied(),
        // Alpha is not a grey value.
        DynamicImage::ImageLumaA16(pixels) => pixels.pixels().map(|pixel| pixel.0[0]).max(),
        DynamicImage::ImageRgba16(pixels) => pixels
            .pixels()
            .flat_map(|pixel| {
                let [red, green, blue, _] = pixel.0;
                [red, green, blue]
            })
            .max(),
        _ => None,
    };
    Ok(ImageSummary {
        size: (image.width(), image.height()),
        is_turned: orientation.is_some_and(|orientation| orientation != Orientation::NoTransforms),
        largest,
    })
}

fn has_16_bits(image: &DynamicImage) -> bool {
    let colour = image.color();
    colour.bytes_per_pixel() == 2 * colour.channel_count()
}

/// Returns (x/255 − mean) / deviation per channel, in the order (row, column, channel).
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

    /// Pillow's algorithm in floating point: a triangle filter whose support grows with the scale.
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
        let image = Picture::open(&path, Reading::default()).expect("decodes").resized(2);
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
        assert_eq!(Picture::open(&path, Reading::default()).expect("decodes").rgb, vec![77; 27]);
    }

    #[test]
    fn a_text_file_is_named_in_the_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("broken.png");
        std::fs::write(&path, "not an image").expect("written");
        let message = Picture::open(&path, Reading::default()).expect_err("not an image").to_string();
        assert!(message.contains("broken.png") && message.contains("PNG, JPEG, BMP"), "{message}");
    }
}
