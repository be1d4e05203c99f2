//! Pictures of one image: its map as 16-bit grey, and its map as an overlay.

use std::io::Cursor;

use image::{DynamicImage, ImageBuffer, ImageFormat};

use crate::data::Picture;
use crate::evaluate::{FinalMap, resize_bilinear};
use crate::report::{MapScale, overlay};

/// Returns the lowest and the highest value of a map.
pub(super) fn range(map: &FinalMap) -> (f32, f32) {
    let values = || map.values.iter().copied();
    (values().fold(f32::INFINITY, f32::min), values().fold(f32::NEG_INFINITY, f32::max))
}

/// Encodes the map as a 16-bit grey PNG: black = `minimum`, white = `maximum`.
pub(super) fn map_png(map: &FinalMap, (minimum, maximum): (f32, f32)) -> Result<Vec<u8>, image::ImageError> {
    // A constant map is black.
    let scale = if maximum > minimum { f32::from(u16::MAX) / (maximum - minimum) } else { 0.0 };
    let grey = map.values.iter().map(|value| ((value - minimum) * scale).round() as u16).collect();
    let side = map.side as u32;
    png(ImageBuffer::from_raw(side, side, grey).map(DynamicImage::ImageLuma16))
}

/// Draws the map over the whole picture; returns a PNG of the picture's size.
pub(super) fn overlay_png(picture: &Picture, map: &FinalMap, scale: MapScale) -> Result<Vec<u8>, image::ImageError> {
    let values = resize_bilinear(&map.values, map.side, map.side, picture.height, picture.width);
    let rgb = overlay(&picture.rgb, picture.width, &values, scale);
    png(ImageBuffer::from_raw(picture.width as u32, picture.height as u32, rgb).map(DynamicImage::ImageRgb8))
}

/// Encodes an image as PNG. `image` is never `None`: both callers have a value for every pixel.
fn png(image: Option<DynamicImage>) -> Result<Vec<u8>, image::ImageError> {
    let mut bytes = Cursor::new(Vec::new());
    image.unwrap_or_default().write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_values_encode_the_map() {
        let map = FinalMap { side: 2, values: vec![-1.0, 0.0, 0.5, 3.0], score: 3.0 };
        let bytes = map_png(&map, range(&map)).expect("encoded");
        let grey = image::load_from_memory(&bytes).expect("decodes").into_luma16().into_raw();
        assert_eq!(grey, [0, 16384, 24576, 65535]);
        let values = grey.iter().map(|&grey| -1.0 + f32::from(grey) / 65535.0 * 4.0);
        assert!(values.zip(&map.values).all(|(read, value)| (read - value).abs() < 4.0 / 65535.0));
        let flat = FinalMap { side: 1, values: vec![2.0], score: 2.0 };
        let bytes = map_png(&flat, range(&flat)).expect("encoded");
        assert_eq!(image::load_from_memory(&bytes).expect("decodes").into_luma16().into_raw(), [0]);
    }

    #[test]
    fn an_overlay_has_the_shape_of_its_picture() {
        let picture = Picture { width: 6, height: 4, rgb: vec![90; 72] };
        let map = FinalMap { side: 2, values: vec![0.0, 1.0, 0.0, 1.0], score: 1.0 };
        let png = overlay_png(&picture, &map, MapScale::of(Some(0.5), 1.0)).expect("encoded");
        let drawn = image::load_from_memory(&png).expect("decodes").into_rgb8();
        assert_eq!((drawn.width(), drawn.height()), (6, 4));
        assert_eq!(drawn.get_pixel(0, 0).0, [90; 3], "the picture, where the map is 0");
        assert!(drawn.get_pixel(5, 0).0[0] > 90, "hot at the right");
        assert_eq!((drawn.get_pixel(3, 2).0, drawn.get_pixel(2, 2).0), ([255; 3], [20; 3]), "the line and its edge");
    }
}
