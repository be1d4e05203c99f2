//! Draws an anomaly map over its image, in one style for reports and predictions.
//!
//! The colours are a layer: where the map is 0 the image is untouched, and the higher the value, the more opaque is its colour. A white line
//! with a dark edge shows where the map crosses the held-out threshold.

use super::border::{inner_border, near};
use super::heat::heat;

/// The value that is drawn brightest, in held-out thresholds. A pixel at the threshold gets the middle colour.
const BRIGHTEST: f64 = 2.0;
/// Opacity of the brightest value; a little of the image stays visible.
const MAX_OPACITY: f32 = 0.8;
/// The line along the threshold and its edge. Together they are visible on every image and on every colour of the map.
const LINE: [u8; 3] = [255, 255, 255];
const EDGE: [u8; 3] = [20, 20, 20];
/// Side of a picture per pixel of the line's width.
const SIDE_PER_LINE: usize = 200;

/// How the values of a map are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapScale {
    /// The value that is drawn brightest; 0 is invisible.
    pub brightest: f32,
    /// The held-out threshold, where the line is drawn.
    threshold: Option<f64>,
}

impl MapScale {
    /// Returns the scale of a fused map. It is a multiple of the held-out threshold, so that maps of different runs and rules are
    /// comparable. Without a threshold above 0, the map's own highest value is brightest.
    pub fn of(threshold: Option<f64>, highest: f32) -> Self {
        let brightest = match threshold {
            Some(threshold) if threshold > 0.0 => (BRIGHTEST * threshold) as f32,
            _ => highest.max(f32::MIN_POSITIVE),
        };
        Self { brightest, threshold }
    }

    /// Returns the same scale without the line.
    pub(super) fn without_line(self) -> Self {
        Self { threshold: None, ..self }
    }

    /// Returns what is drawn over each pixel of a picture that is `width` pixels wide. The map has one value per pixel.
    pub(super) fn layer(self, map: &[f32], width: usize) -> impl Iterator<Item = Paint> {
        let lines = self.threshold.map(|threshold| Lines::of(map, width, threshold)).filter(|lines| lines.is_any);
        map.iter().enumerate().map(move |(pixel, value)| match &lines {
            Some(lines) if lines.line[pixel] => Paint::Line,
            Some(lines) if lines.edge[pixel] => Paint::Edge,
            _ => Paint::Heat((value / self.brightest).clamp(0.0, 1.0)),
        })
    }
}

/// What is drawn over one pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Paint {
    /// The colour of a value, as a share of the brightest.
    Heat(f32),
    /// The line along the threshold.
    Line,
    /// The dark edge of the line.
    Edge,
}

impl Paint {
    /// Returns colour and opacity.
    pub(super) fn colour(self) -> ([u8; 3], f32) {
        match self {
            Self::Heat(share) => (heat(share), MAX_OPACITY * share),
            Self::Line => (LINE, 1.0),
            Self::Edge => (EDGE, 1.0),
        }
    }
}

/// The line along a threshold: just inside the region above it; and its edge, just outside.
struct Lines {
    line: Vec<bool>,
    edge: Vec<bool>,
    /// Whether any value is above the threshold.
    is_any: bool,
}

impl Lines {
    fn of(map: &[f32], width: usize, threshold: f64) -> Self {
        let region: Vec<bool> = map.iter().map(|value| f64::from(*value) > threshold).collect();
        let side = width.min(map.len() / width);
        let line_width = side.div_ceil(SIDE_PER_LINE);
        let mut edge = near(&region, width, line_width.div_ceil(2));
        edge.iter_mut().zip(&region).for_each(|(edge, inside)| *edge &= !inside);
        Self { line: inner_border(&region, width, line_width), edge, is_any: region.contains(&true) }
    }
}

/// Returns a picture (RGB, `width` pixels wide) under the colours of a map with one value per pixel.
pub fn overlay(rgb: &[u8], width: usize, map: &[f32], scale: MapScale) -> Vec<u8> {
    let mixed = scale.layer(map, width).zip(rgb.chunks_exact(3)).flat_map(|(paint, below)| {
        let (above, opacity) = paint.colour();
        std::array::from_fn::<u8, 3, _>(|c| {
            (f32::from(below[c]) * (1.0 - opacity) + f32::from(above[c]) * opacity).round() as u8
        })
    });
    mixed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_at_zero_and_the_opacity_grows_to_twice_the_threshold() {
        let picture = [10, 100, 200].repeat(4);
        let scale = MapScale { brightest: 1.0, threshold: None };
        let drawn = overlay(&picture, 2, &[-1.0, 0.0, 0.5, 7.0], scale);
        assert_eq!(drawn[..6], picture[..6], "0 and less leave the picture as it is");
        // Half way: 0.6 of the picture and 0.4 of (186, 54, 85); at the end 0.2 of the picture and 0.8 of (252, 255, 164).
        assert_eq!(drawn[6..], [80, 82, 154, 204, 224, 171]);
    }

    #[test]
    fn the_scale_ends_at_twice_a_threshold_above_zero() {
        let brightest = |threshold| MapScale::of(threshold, 9.0).brightest;
        assert_eq!([Some(0.5), None, Some(-1.0)].map(brightest), [1.0, 9.0, 9.0]);
        assert_eq!(MapScale::of(None, -3.0).brightest, f32::MIN_POSITIVE);
    }

    #[test]
    fn a_line_with_an_edge_is_where_the_map_crosses_the_threshold() {
        // A value at the threshold is not above it.
        let map = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.9, 0.9, 0.9, 0.0, 0.0, 0.9, 1.5, 0.9];
        let drawn: Vec<Paint> = MapScale::of(Some(0.5), 1.5).layer(&map, 5).collect();
        let letters: String = drawn
            .iter()
            .map(|paint| match paint {
                Paint::Heat(_) => '.',
                Paint::Line => 'o',
                Paint::Edge => 'x',
            })
            .collect();
        assert_eq!(letters, [".xxxx", ".xooo", ".xo.."].concat(), "the frame is no border");
        assert_eq!(drawn[13], Paint::Heat(1.0));
        let below: Vec<Paint> = MapScale::of(Some(2.0), 1.5).layer(&map, 5).collect();
        assert!(below.iter().all(|paint| matches!(paint, Paint::Heat(_))), "a normal image has no line");
    }

    #[test]
    fn large_pictures_have_wider_lines() {
        let width_of_line = |side: usize| {
            let map: Vec<f32> = (0..side * side).map(|pixel| if pixel % side < side / 2 { 1.0 } else { 0.0 }).collect();
            MapScale::of(Some(0.5), 1.0).layer(&map, side).take(side).filter(|paint| *paint == Paint::Line).count()
        };
        assert_eq!([100, 200, 201, 900].map(width_of_line), [1, 1, 2, 5]);
    }
}
