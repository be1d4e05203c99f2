//! Sheets of square tiles below each other: photographs as JPEG, and layers of few colours as PNG with transparency.

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use png::{BitDepth, ColorType, Compression, Encoder, Filter};

use crate::cause::Cause;
use crate::data::{Image, Mask};
use crate::evaluate::{FinalMap, resize_bilinear};
use crate::report::overlay::{MapScale, Paint};
use crate::report::pictures::{OUTLINE, outlined_pixels};

/// JPEG quality of photographs, out of 100.
const QUALITY: u8 = 70;
/// Number of steps of a layer's colours. More would cost bytes, and nobody could tell them apart.
const STEPS: usize = 16;
/// Palette indices of the line along the threshold and of its edge, after the steps of the heat and zero.
const LINE: u8 = STEPS as u8 + 1;
const EDGE: u8 = LINE + 1;

/// Encodes photographs of the same side.
pub(super) fn photographs(tiles: &[Image], side: usize) -> Result<Vec<u8>, Cause> {
    let rgb: Vec<u8> = tiles.iter().flat_map(|tile| tile.rgb.iter().copied()).collect();
    jpeg(&rgb, side, tiles.len() * side)
}

/// Encodes RGB pixels as JPEG.
pub(super) fn jpeg(rgb: &[u8], width: usize, height: usize) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    encoder.encode(rgb, width as u32, height as u32, ExtendedColorType::Rgb8)?;
    Ok(bytes)
}

/// Encodes the layers of maps, as palette indices of [`indices`].
pub(super) fn layers(tiles: &[Vec<u8>], side: usize) -> Result<Vec<u8>, Cause> {
    let heat = (0..=STEPS).map(|step| Paint::Heat(step as f32 / STEPS as f32));
    let palette: Vec<[u8; 4]> = heat.chain([Paint::Line, Paint::Edge]).map(rgba).collect();
    indexed(tiles, side, &palette)
}

/// Encodes outlines of defects; an image without a mask has none.
pub(super) fn outlines(masks: &[Option<Mask>], side: usize) -> Result<Vec<u8>, Cause> {
    let tile = |mask: &Option<Mask>| match mask {
        Some(mask) => outlined_pixels(mask, side, 1).into_iter().map(u8::from).collect(),
        None => vec![0; side * side],
    };
    let [red, green, blue] = OUTLINE;
    indexed(&masks.iter().map(tile).collect::<Vec<_>>(), side, &[[0; 4], [red, green, blue, 255]])
}

/// Returns a map's layer as palette indices.
pub(super) fn indices(map: &FinalMap, threshold: Option<f64>, side: usize) -> Vec<u8> {
    let values = resize_bilinear(&map.values, map.side, map.side, side, side);
    let scale = MapScale::of(threshold, map.values.iter().copied().fold(f32::MIN, f32::max));
    let index = |paint| match paint {
        Paint::Heat(share) => (share * STEPS as f32).round() as u8,
        Paint::Line => LINE,
        Paint::Edge => EDGE,
    };
    scale.layer(&values, side).map(index).collect()
}

fn rgba(paint: Paint) -> [u8; 4] {
    let ([red, green, blue], opacity) = paint.colour();
    [red, green, blue, (opacity * 255.0).round() as u8]
}

fn indexed(tiles: &[Vec<u8>], side: usize, palette: &[[u8; 4]]) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, side as u32, (tiles.len() * side) as u32);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(palette.iter().flat_map(|[red, green, blue, _]| [*red, *green, *blue]).collect::<Vec<u8>>());
    encoder.set_trns(palette.iter().map(|colour| colour[3]).collect::<Vec<u8>>());
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&tiles.concat())?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rgba_pixels(png: &[u8]) -> image::RgbaImage {
        image::load_from_memory(png).expect("decodes").into_rgba8()
    }

    #[test]
    fn a_layer_is_invisible_at_zero_and_has_the_colours_of_the_overlay() {
        let hot = FinalMap { side: 8, values: (0..64).map(|pixel| (pixel % 8) as f32).collect(), score: 7.0 };
        let cold = FinalMap { side: 8, values: vec![0.0; 64], score: 0.0 };
        let tiles = [indices(&cold, Some(3.5), 8), indices(&hot, Some(3.5), 8)];
        let sheet = rgba_pixels(&layers(&tiles, 8).expect("encoded"));
        assert_eq!((sheet.width(), sheet.height()), (8, 16));
        assert!((0..8).all(|x| sheet.get_pixel(x, 3).0[3] == 0), "the first tile is empty");
        assert_eq!((sheet.get_pixel(0, 12).0[3], sheet.get_pixel(7, 12).0), (0, rgba(Paint::Heat(1.0))));
        assert_eq!([3, 4].map(|x| sheet.get_pixel(x, 12).0), [Paint::Edge, Paint::Line].map(rgba));
    }

    #[test]
    fn layers_of_many_maps_are_small() {
        let map = |image: usize| {
            let coarse: Vec<f32> = (0..64).map(|pixel: usize| ((pixel * 37 + image * 11) % 29) as f32 / 29.0).collect();
            FinalMap { side: 8, values: coarse, score: 1.0 }
        };
        let tiles: Vec<Vec<u8>> = (0..60).map(|image| indices(&map(image), Some(0.5), 64)).collect();
        let bytes = layers(&tiles, 64).expect("encoded").len();
        // 15 categories with 60 images and 5 variants then have less than 4.5 million bytes, before base64.
        assert!(bytes < 60 * 1000, "{bytes}");
    }

    #[test]
    fn outlines_are_opaque_where_the_defect_ends() {
        let mask = Mask { width: 4, height: 4, pixels: (0..16).map(|pixel| pixel % 4 < 2).collect() };
        let sheet = rgba_pixels(&outlines(&[None, Some(mask)], 4).expect("encoded"));
        let drawn: Vec<u32> = (0..4).filter(|x| sheet.get_pixel(*x, 6).0[3] == 255).collect();
        assert_eq!((drawn, sheet.get_pixel(1, 2).0[3], sheet.get_pixel(1, 6).0), (vec![1], 0, [0, 255, 255, 255]));
    }
}
