//! Draws an anomaly map over its image, in one style for reports and predictions.

use super::heat::heat;

/// The value that is drawn brightest, in held-out thresholds. A pixel at the threshold gets the middle colour.
const BRIGHTEST: f64 = 2.0;

/// Returns the value of a fused map that is drawn brightest; 0 is the darkest. It is a multiple of the held-out threshold, so that maps of
/// different runs and rules are comparable. Without a threshold above 0, it is the map's own highest value.
pub fn brightest(threshold: Option<f64>, highest: f32) -> f32 {
    match threshold {
        Some(threshold) if threshold > 0.0 => (BRIGHTEST * threshold) as f32,
        _ => highest.max(f32::MIN_POSITIVE),
    }
}

/// Returns the picture (RGB, any shape) under the colours of a map with one value per pixel. The higher the value, the less of the picture
/// is visible.
pub fn overlay(rgb: &[u8], map: &[f32], brightest: f32) -> Vec<u8> {
    let mixed = map.iter().zip(rgb.chunks_exact(3)).flat_map(|(value, below)| {
        let share = (value / brightest).clamp(0.0, 1.0);
        let above = heat(share);
        std::array::from_fn::<u8, 3, _>(|c| {
            let opacity = 0.25 + 0.5 * share;
            (f32::from(below[c]) * (1.0 - opacity) + f32::from(above[c]) * opacity) as u8
        })
    });
    mixed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_has_the_middle_colour_and_its_double_the_brightest() {
        assert_eq!((brightest(Some(0.5), 9.0), brightest(None, 9.0), brightest(Some(-1.0), 9.0)), (1.0, 9.0, 9.0));
        let drawn = overlay(&[0; 12], &[-1.0, 0.0, 0.5, 7.0], 1.0);
        assert_eq!(drawn[..3], drawn[3..6], "what is below 0 looks as 0 does");
        let expected = |share: f32| heat(share).map(|c| (f32::from(c) * (0.25 + 0.5 * share)) as u8);
        assert_eq!((&drawn[6..9], &drawn[9..]), (&expected(0.5)[..], &expected(1.0)[..]));
    }
}
