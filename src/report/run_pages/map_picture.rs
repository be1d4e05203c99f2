//! An anomaly map over its image, for pictures whose contours are drawn as lines above them.

use crate::data::Image;
use crate::evaluate::{FinalMap, resize_bilinear};
use crate::report::overlay::{MapScale, overlay};

/// Draws a map over its image, without a line at the threshold.
pub(in crate::report) fn map_picture(input: &Image, map: &FinalMap, threshold: Option<f64>) -> Image {
    let values = resize_bilinear(&map.values, map.side, map.side, input.side, input.side);
    let highest = map.values.iter().copied().fold(f32::MIN, f32::max);
    let scale = MapScale::of(threshold, highest).without_line();
    Image { side: input.side, rgb: overlay(&input.rgb, input.side, &values, scale) }
}
