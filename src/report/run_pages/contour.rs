//! The contour of a map at a level, as the path of an SVG.

use std::collections::HashMap;
use std::fmt::Write;

/// Units of a path per pixel. A path is drawn at a quarter of its size, so that its numbers are short.
const UNITS: f64 = 4.0;
/// The transform that a path needs.
pub(in crate::report) const TRANSFORM: &str = "scale(.25)";

/// A point of a path, in units.
type Point = (i32, i32);

/// Returns the path of the contour of a square map at `level`, by marching squares. Pixels are those of a square with side `size`. The path
/// is empty if the map does not cross the level.
pub(super) fn contour(values: &[f32], side: usize, level: f32, size: f64) -> String {
    path(&segments(values, side, level, UNITS * size / side as f64))
}

/// Returns the straight pieces of the contour, one or two per square between four pixels' centres.
fn segments(values: &[f32], side: usize, level: f32, scale: f64) -> Vec<[Point; 2]> {
    let at = |x: usize, y: usize| values[y * side + x];
    // Where the contour crosses the line from one pixel's centre to the next one.
    let between =
        |from: f32, to: f32| ((from > level) != (to > level)).then(|| f64::from((level - from) / (to - from)));
    let mut segments = Vec::new();
    for y in 0..side.saturating_sub(1) {
        for x in 0..side - 1 {
            let corners = [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1)];
            let (left, top) = (x as f64 + 0.5, y as f64 + 0.5);
            let crossings = [
                between(corners[0], corners[1]).map(|part| (left + part, top)),
                between(corners[1], corners[2]).map(|part| (left + 1.0, top + part)),
                between(corners[3], corners[2]).map(|part| (left + part, top + 1.0)),
                between(corners[0], corners[3]).map(|part| (left, top + part)),
            ];
            let units = |(x, y): (f64, f64)| ((x * scale).round() as i32, (y * scale).round() as i32);
            let found: Vec<Point> = crossings.into_iter().flatten().map(units).collect();
            // With four crossings, lines from top to right and from bottom to left keep the contour closed.
            segments.extend(found.chunks_exact(2).map(|two| [two[0], two[1]]).filter(|[from, to]| from != to));
        }
    }
    segments
}

/// Joins segments to lines that are as long as possible.
fn path(segments: &[[Point; 2]]) -> String {
    let mut at: HashMap<Point, Vec<usize>> = HashMap::new();
    for (index, ends) in segments.iter().enumerate() {
        ends.iter().for_each(|end| at.entry(*end).or_default().push(index));
    }
    let mut used = vec![false; segments.len()];
    let mut path = String::new();
    // Open lines begin where only one segment ends; what is left then is closed.
    let is_end = |index: &usize| segments[*index].iter().any(|end| at[end].len() == 1);
    let all = || 0..segments.len();
    for first in all().filter(is_end).chain(all()) {
        if used[first] {
            continue;
        }
        let [mut from, to] = segments[first];
        if at[&to].len() == 1 {
            from = to;
        }
        // Writing to a text cannot fail.
        let _ = write!(path, "M{} {}l", from.0, from.1);
        while let Some(&next) = at[&from].iter().find(|index| !used[**index]) {
            used[next] = true;
            let [one, other] = segments[next];
            let to = if one == from { other } else { one };
            let (dx, dy) = (to.0 - from.0, to.1 - from.1);
            let space = if path.ends_with('l') || dx < 0 { "" } else { " " };
            let _ = write!(path, "{space}{dx}{}{dy}", if dy < 0 { "" } else { " " });
            from = to;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::contour;

    #[test]
    fn a_single_high_pixel_is_surrounded_half_way_by_one_line() {
        let mut values = vec![0.0; 9];
        values[4] = 1.0;
        assert_eq!(contour(&values, 3, 0.5, 3.0), "M6 4l-2 2 2 2 2-2-2-2");
        assert_eq!(contour(&values, 3, 2.0, 3.0), "");
    }

    #[test]
    fn a_line_to_the_frame_is_drawn_in_one_piece() {
        let values: Vec<f32> = (0..25).map(|index| if index % 5 >= 2 { 1.0 } else { 0.0 }).collect();
        let path = contour(&values, 5, 0.5, 5.0);
        assert!(path == "M8 2l0 4 0 4 0 4 0 4" || path == "M8 18l0-4 0-4 0-4 0-4", "{path}");
    }
}
