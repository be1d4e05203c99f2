//! The colours of an anomaly map.

/// Nine evenly spaced points of the colour map "inferno" (van der Walt and Smith, CC0). Its lightness rises evenly, so twice as bright
/// means twice the value.
const INFERNO: [[f32; 3]; 9] = [
    [0.0, 0.0, 4.0],
    [31.0, 12.0, 72.0],
    [85.0, 15.0, 109.0],
    [136.0, 34.0, 106.0],
    [186.0, 54.0, 85.0],
    [227.0, 89.0, 51.0],
    [249.0, 140.0, 10.0],
    [249.0, 201.0, 50.0],
    [252.0, 255.0, 164.0],
];

/// Returns the colour of a value in 0..1; a value outside gets the colour of the nearest end.
pub(super) fn heat(value: f32) -> [u8; 3] {
    let position = value.clamp(0.0, 1.0) * (INFERNO.len() - 1) as f32;
    let low = (position as usize).min(INFERNO.len() - 2);
    let share = position - low as f32;
    std::array::from_fn(|c| (INFERNO[low][c] + (INFERNO[low + 1][c] - INFERNO[low][c]) * share).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::heat;

    #[test]
    fn lightness_rises_and_the_ends_hold() {
        let light = |value| {
            let [r, g, b] = heat(value).map(f32::from);
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        assert!((0..20).all(|i| light(i as f32 / 20.0) < light((i + 1) as f32 / 20.0)));
        assert_eq!((heat(-1.0), heat(2.0)), ([0, 0, 4], [252, 255, 164]));
    }
}
