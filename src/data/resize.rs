//! Pillow's antialiased bilinear resizing, exact to the last bit.
//!
//! The filter is part of the network's input: single grey levels of rounding noise change the features of a smooth image by several per
//! cent. So this file follows `ImagingResample` (Pillow, 8 bits per channel): a triangle filter whose support grows with the scale, weights
//! with 22 fractional bits, columns first, rounded to 8 bits between the two passes.

/// Fractional bits of a weight: 32, minus 8 for the value, minus 2 for sign and overflow.
const PRECISION: u32 = 22;
/// Channels per pixel.
const CHANNELS: usize = 3;

/// Inputs of one output position: the first input position, and one weight per position from there.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

fn taps(from: usize, to: usize) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    let support = scale.max(1.0);
    (0..to)
        .map(|position| {
            let centre = (position as f64 + 0.5) * scale;
            let first = (centre - support + 0.5).max(0.0) as usize;
            let last = ((centre + support + 0.5) as usize).min(from);
            let triangle = |position: usize| {
                let distance = ((position as f64 - centre + 0.5) / support).abs();
                (1.0 - distance).max(0.0)
            };
            let weights: Vec<f64> = (first..last).map(triangle).collect();
            let total: f64 = weights.iter().sum();
            let fixed = |weight: f64| (0.5 + weight / total * f64::from(1 << PRECISION)) as i32;
            Taps { first, weights: weights.into_iter().map(fixed).collect() }
        })
        .collect()
}

/// Returns the weighted sum of `values`, `step` apart, rounded to 8 bits.
fn blend(values: &[u8], step: usize, weights: &[i32]) -> u8 {
    let sum = weights.iter().zip(values.iter().step_by(step)).map(|(weight, value)| weight * i32::from(*value));
    let sum: i32 = (1 << (PRECISION - 1)) + sum.sum::<i32>();
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// Resizes a row-major RGB image to `side`².
pub(super) fn resize_rgb(rgb: &[u8], width: usize, height: usize, side: usize) -> Vec<u8> {
    let narrow = if width == side { rgb.to_vec() } else { columns(rgb, width, side) };
    if height == side { narrow } else { rows(&narrow, side, height) }
}

fn columns(rgb: &[u8], width: usize, side: usize) -> Vec<u8> {
    let taps = taps(width, side);
    let mut out = Vec::with_capacity(rgb.len() / width * side);
    for row in rgb.chunks_exact(width * CHANNELS) {
        for Taps { first, weights } in &taps {
            out.extend((0..CHANNELS).map(|channel| blend(&row[first * CHANNELS + channel..], CHANNELS, weights)));
        }
    }
    out
}

fn rows(rgb: &[u8], side: usize, height: usize) -> Vec<u8> {
    let line = side * CHANNELS;
    let mut out = Vec::with_capacity(side * line);
    for Taps { first, weights } in taps(height, side) {
        out.extend((0..line).map(|offset| blend(&rgb[first * line + offset..], line, &weights)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ramp(width: usize, height: usize) -> Vec<u8> {
        (0..width * height * CHANNELS).map(|i| (i * 97) as u8).collect()
    }

    #[test]
    fn small_images_equal_pillows_to_the_last_bit() {
        // Computed with PIL.Image.fromarray(ramp).resize((side, side), Image.BILINEAR), Pillow 12
        let smaller = [
            49, 112, 200, 70, 167, 93, 134, 180, 72, 189, 42, 127, 136, 99, 196, 57, 154, 179, 121, 189, 59, 176, 75,
            114, 124, 87, 184, 45, 142, 167, 109, 206, 47, 164, 127, 102, 193, 74, 171, 70, 129, 208, 96, 193, 88, 151,
            114, 89,
        ];
        assert_eq!(resize_rgb(&ramp(7, 5), 7, 5, 4), smaller);
        let smallest = [
            114, 111, 151, 120, 153, 114, 139, 107, 152, 93, 142, 121, 134, 147, 98, 125, 116, 151, 115, 141, 115, 151,
            118, 138, 112, 117, 137, 126, 140, 114, 145, 104, 139, 108, 157, 108, 144, 134, 113, 139, 103, 148, 115,
            141, 102, 151, 104, 144,
        ];
        assert_eq!(resize_rgb(&ramp(13, 9), 13, 9, 4), smallest);
        let larger = [
            0, 97, 194, 9, 106, 203, 26, 123, 220, 44, 141, 174, 61, 158, 63, 70, 167, 8, 53, 150, 119, 62, 159, 128,
            79, 176, 145, 97, 162, 131, 114, 115, 84, 123, 92, 61, 123, 177, 61, 132, 186, 70, 149, 203, 87, 156, 167,
            105, 151, 78, 122, 150, 34, 131, 192, 76, 130, 201, 85, 139, 218, 102, 156, 183, 110, 174, 94, 105, 191,
            49, 103, 200, 135, 104, 201, 144, 113, 178, 161, 130, 131, 147, 148, 117, 100, 165, 134, 77, 174, 143, 59,
            156, 253, 68, 165, 198, 85, 182, 87, 103, 200, 41, 120, 217, 58, 129, 226, 67,
        ];
        assert_eq!(resize_rgb(&ramp(3, 4), 3, 4, 6), larger);
    }

    proptest! {
        #[test]
        fn a_flat_image_stays_flat(width in 1_usize..50, height in 1_usize..50, side in 1_usize..40, grey: u8) {
            let flat = vec![grey; width * height * CHANNELS];
            prop_assert_eq!(resize_rgb(&flat, width, height, side), vec![grey; side * side * CHANNELS]);
        }
    }
}
