//! Square tiles of a picture; each tile shows one image or map.

use crate::data::{Image, Mask, Picture};
use crate::evaluate::{FinalMap, LevelMaps, resize_bilinear};
use crate::report::border::inner_border;
use crate::report::heat::heat;
use crate::report::overlay::{MapScale, overlay};

/// Colour of a defect's outline. No photograph of an industrial part has this colour, and no heat map.
pub(in crate::report) const OUTLINE: [u8; 3] = [0, 255, 255];

/// Returns an image resized to another side.
pub(in crate::report) fn resized(image: &Image, side: usize) -> Image {
    Picture { width: image.side, height: image.side, rgb: image.rgb.clone() }.resized(side)
}

/// Draws a level's map with its pixels as blocks.
pub(super) fn blocks(level: &LevelMaps, index: usize, ceiling: f32, side: usize) -> Image {
    let map = level.image(index);
    let rgb = (0..side * side).flat_map(|pixel| {
        let (y, x) = ((pixel / side) * level.height / side, (pixel % side) * level.width / side);
        heat(map[y * level.width + x] / ceiling)
    });
    Image { side, rgb: rgb.collect() }
}

/// Draws a fused map alone.
pub(super) fn fused(map: &FinalMap, threshold: Option<f64>, side: usize) -> Image {
    let brightest = scale(map, threshold).brightest;
    let values = resize_bilinear(&map.values, map.side, map.side, side, side);
    Image { side, rgb: values.iter().flat_map(|value| heat(value / brightest)).collect() }
}

/// Draws a fused map over its input.
pub(in crate::report) fn overlaid(input: &Image, map: &FinalMap, threshold: Option<f64>) -> Image {
    let values = resize_bilinear(&map.values, map.side, map.side, input.side, input.side);
    Image { side: input.side, rgb: overlay(&input.rgb, input.side, &values, scale(map, threshold)) }
}

fn scale(map: &FinalMap, threshold: Option<f64>) -> MapScale {
    MapScale::of(threshold, map.values.iter().copied().fold(f32::MIN, f32::max))
}

/// Draws the border of a mask, `width` pixels inwards. Where the frame cuts a defect off, it draws no border.
pub(in crate::report) fn outline(image: &mut Image, mask: &Mask, width: usize) {
    let pixels = image.rgb.chunks_exact_mut(3).zip(outlined_pixels(mask, image.side, width));
    pixels.filter(|(_, line)| *line).for_each(|(pixel, _)| pixel.copy_from_slice(&OUTLINE));
}

/// Returns which pixels of a square tile belong to the outline of a mask.
pub(in crate::report) fn outlined_pixels(mask: &Mask, side: usize, width: usize) -> Vec<bool> {
    inner_border(&mask.resized(side).pixels, side, width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_is_inside_the_defect_and_not_on_the_frame() {
        let mut image = Image { side: 8, rgb: vec![9; 192] };
        // The left five columns of the lower six rows.
        let pixels = (0..64).map(|index| index / 8 >= 2 && index % 8 < 5).collect();
        outline(&mut image, &Mask { width: 8, height: 8, pixels }, 1);
        let drawn: Vec<usize> = (0..64).filter(|&index| image.rgb[3 * index..][..3] == OUTLINE).collect();
        let expected: Vec<usize> = (16..21).chain((3..8).map(|row| 8 * row + 4)).collect();
        assert_eq!(drawn, expected);
    }

    #[test]
    fn blocks_keep_the_levels_pixels() {
        let level = LevelMaps { height: 2, width: 2, values: vec![0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 2.0] };
        let tile = blocks(&level, 1, 1.0, 4);
        assert_eq!(tile.rgb[..6], [heat(0.0), heat(0.0)].concat());
        assert_eq!(tile.rgb[6..12], [heat(1.0), heat(1.0)].concat());
    }
}
