//! An anomaly map over its image: transparent where the map is low, so that the image stays visible.

use crate::data::Image;
use crate::evaluate::{FinalMap, resize_bilinear};
use crate::report::heat::heat;
use crate::report::overlay::brightest;

/// Share of the brightest value below which a map is transparent: half the held-out threshold.
const TRANSPARENT: f32 = 0.25;
/// Opacity of the brightest value.
const MAX_OPACITY: f32 = 0.8;
/// Start of the colours; the darkest ones would look like shadows.
const FIRST_COLOUR: f32 = 0.35;

/// Draws a map over its image. The opacity rises from half the threshold to twice the threshold.
pub(in crate::report) fn map_picture(input: &Image, map: &FinalMap, threshold: Option<f64>) -> Image {
    let values = resize_bilinear(&map.values, map.side, map.side, input.side, input.side);
    let brightest = brightest(threshold, map.values.iter().copied().fold(f32::MIN, f32::max));
    let mixed = values.iter().zip(input.rgb.chunks_exact(3)).flat_map(|(value, below)| {
        let share = ((value / brightest - TRANSPARENT) / (1.0 - TRANSPARENT)).clamp(0.0, 1.0);
        let opacity = MAX_OPACITY * share.sqrt();
        let above = heat(FIRST_COLOUR + (1.0 - FIRST_COLOUR) * share);
        std::array::from_fn::<u8, 3, _>(|c| {
            (f32::from(below[c]) * (1.0 - opacity) + f32::from(above[c]) * opacity).round() as u8
        })
    });
    Image { side: input.side, rgb: mixed.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_half_the_threshold_stays_as_it_is() {
        let input = Image { side: 2, rgb: vec![100; 12] };
        let map = FinalMap { side: 2, values: vec![0.0, 0.5, 1.0, 9.0], score: 9.0 };
        let drawn = map_picture(&input, &map, Some(1.0)).rgb;
        assert_eq!(drawn[..6], [100; 6]);
        assert_ne!(drawn[6..9], [100; 3]);
        let expected = heat(1.0).map(|c| (100.0 * (1.0 - MAX_OPACITY) + f32::from(c) * MAX_OPACITY).round() as u8);
        assert_eq!(drawn[9..], expected);
    }
}
