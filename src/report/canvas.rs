//! The canvas of a figure: marks and texts at pixels, and tooltips with exact values. No text leaves the canvas.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::{
    Circle, Color, Cross, DrawingArea, IntoDrawingArea, IntoFont, PathElement, Polygon, RGBColor, Rectangle,
    SVGBackend, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, FontTransform, register_font};

use super::figure::INK;
use crate::cause::Cause;
use crate::text::{truncated, truncated_middle};

/// Result of drawing, with the cause of a failure.
pub(super) type DrawResult = Result<(), Cause>;
/// A position in pixels, from the upper left corner.
pub(super) type Pixel = (i32, i32);

/// Width of a figure, in pixels. Text of [`TEXT`] pixels then has 7 points where the figure is as wide as a page of two columns.
pub(super) const WIDE: i32 = 840;
/// Size of text and of titles, in pixels.
pub(super) const TEXT: i32 = 12;
const TITLE: i32 = 13;
/// plotters divides the size of a font by this number.
const FONT_SCALE: f64 = 1.24;
/// Distance between text and the edge of the canvas, in pixels.
const EDGE: i32 = 2;
/// Maximum number of tooltips in one figure.
const MOST_TOOLTIPS: usize = 1500;

/// Which end of a text is at its position. Texts are centred vertically.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Left,
    Centre,
    Right,
}

/// The canvas of one figure.
pub(super) struct Canvas<'s> {
    area: DrawingArea<SVGBackend<'s>, Shift>,
    size: Pixel,
    tooltips: RefCell<Vec<String>>,
}

impl<'s> Canvas<'s> {
    pub(super) fn new(svg: &'s mut String, size: Pixel) -> Self {
        register();
        let area = SVGBackend::with_string(svg, (size.0 as u32, size.1 as u32)).into_drawing_area();
        Self { area, size, tooltips: RefCell::default() }
    }

    /// Completes the drawing, and returns the SVG elements of its tooltips.
    pub(super) fn finish(self) -> Result<String, Cause> {
        self.area.present()?;
        let tooltips = self.tooltips.into_inner();
        Ok(if tooltips.is_empty() { String::new() } else { format!("<g fill-opacity=\"0\">{}</g>", tooltips.concat()) })
    }

    /// Draws the title of the figure.
    pub(super) fn title(&self, text: &str) -> DrawResult {
        self.write((12, 16), Anchor::Left, text, &style(TITLE, INK))
    }

    /// Writes a text in ink.
    pub(super) fn text(&self, at: Pixel, anchor: Anchor, text: &str) -> DrawResult {
        self.text_in(INK, at, anchor, text)
    }

    /// Writes a text in a colour. What would be beyond the canvas is cut.
    pub(super) fn text_in(&self, colour: RGBColor, at: Pixel, anchor: Anchor, text: &str) -> DrawResult {
        self.write(at, anchor, text, &style(TEXT, colour))
    }

    fn write(&self, at: Pixel, anchor: Anchor, text: &str, style: &TextStyle<'_>) -> DrawResult {
        let (before, after) = (at.0 - EDGE, self.size.0 - EDGE - at.0);
        let (horizontal, room) = match anchor {
            Anchor::Left => (HPos::Left, after),
            Anchor::Centre => (HPos::Center, 2 * before.min(after)),
            Anchor::Right => (HPos::Right, before),
        };
        let size = (style.font.get_size() / FONT_SCALE).round() as i32;
        self.area.draw_text(&fitted(text, size, room), &style.pos(Pos::new(horizontal, VPos::Center)), at)?;
        Ok(())
    }

    /// Writes a text that runs upwards from `at`, or ends there if it is anchored right.
    pub(super) fn upright(&self, at: Pixel, anchor: Anchor, text: &str) -> DrawResult {
        let (below, above) = (self.size.1 - EDGE - at.1, at.1 - EDGE);
        let (horizontal, room) = match anchor {
            Anchor::Left => (HPos::Left, above),
            Anchor::Centre => (HPos::Center, 2 * below.min(above)),
            Anchor::Right => (HPos::Right, below),
        };
        let font = ("sans-serif", f64::from(TEXT) * FONT_SCALE).into_font().transform(FontTransform::Rotate270);
        let style = TextStyle::from(font).color(&INK).pos(Pos::new(horizontal, VPos::Center));
        self.area.draw_text(&fitted(text, TEXT, room), &style, at)?;
        Ok(())
    }

    pub(super) fn line(&self, points: Vec<Pixel>, colour: impl Color, width: u32) -> DrawResult {
        self.area.draw(&PathElement::new(points, colour.stroke_width(width)))?;
        Ok(())
    }

    /// Draws a dashed straight line, horizontal or vertical.
    pub(super) fn dashed(&self, from: Pixel, to: Pixel, colour: impl Color) -> DrawResult {
        const DASH: i32 = 4;
        let length = (to.0 - from.0).abs().max((to.1 - from.1).abs());
        let at = |part: i32| {
            let along = |from: i32, to: i32| from + (to - from).signum() * part.min(length);
            (along(from.0, to.0), along(from.1, to.1))
        };
        (0..length)
            .step_by(2 * DASH as usize)
            .try_for_each(|part| self.line(vec![at(part), at(part + DASH)], colour.to_rgba(), 1))
    }

    pub(super) fn dot(&self, at: Pixel, radius: i32, colour: impl Color) -> DrawResult {
        self.area.draw(&Circle::new(at, radius, colour.filled()))?;
        Ok(())
    }

    pub(super) fn ring(&self, at: Pixel, radius: i32, colour: impl Color) -> DrawResult {
        self.area.draw(&Circle::new(at, radius, colour.stroke_width(2)))?;
        Ok(())
    }

    pub(super) fn cross(&self, at: Pixel, radius: i32, colour: impl Color) -> DrawResult {
        self.area.draw(&Cross::new(at, radius, colour.stroke_width(2)))?;
        Ok(())
    }

    /// Fills a rectangle between two corners.
    pub(super) fn fill(&self, corners: [Pixel; 2], colour: impl Color) -> DrawResult {
        self.area.draw(&Rectangle::new(corners, colour.filled()))?;
        Ok(())
    }

    /// Fills a polygon.
    pub(super) fn polygon(&self, corners: Vec<Pixel>, colour: impl Color) -> DrawResult {
        self.area.draw(&Polygon::new(corners, colour.filled()))?;
        Ok(())
    }

    /// Draws an interval with ends: a line from one value to another, along x or y.
    pub(super) fn interval(&self, from: Pixel, to: Pixel, colour: impl Color) -> DrawResult {
        const END: i32 = 4;
        let across = if from.1 == to.1 { (0, END) } else { (END, 0) };
        let end = |at: Pixel| vec![(at.0 - across.0, at.1 - across.1), (at.0 + across.0, at.1 + across.1)];
        let colour = colour.to_rgba();
        [vec![from, to], end(from), end(to)].into_iter().try_for_each(|points| self.line(points, colour, 2))
    }

    /// Adds a tooltip to a mark.
    pub(super) fn tooltip(&self, at: Pixel, radius: i32, text: &str) {
        let shape = format!("circle cx=\"{}\" cy=\"{}\" r=\"{radius}\"", at.0, at.1);
        self.add_tooltip(&shape, "circle", text);
    }

    /// Adds a tooltip to a rectangle.
    pub(super) fn tooltip_of_cell(&self, [(left, top), (right, bottom)]: [Pixel; 2], text: &str) {
        let (width, height) = (right - left, bottom - top);
        let shape = format!("rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"");
        self.add_tooltip(&shape, "rect", text);
    }

    fn add_tooltip(&self, shape: &str, element: &str, text: &str) {
        let mut tooltips = self.tooltips.borrow_mut();
        if tooltips.len() < MOST_TOOLTIPS {
            tooltips.push(format!("<{shape}><title>{}</title></{element}>", escaped(text)));
        }
    }
}

/// Returns the width of a text of this size, in pixels, rounded up.
pub(super) fn text_width(text: &str, size: i32) -> i32 {
    register();
    let font = ("sans-serif", f64::from(size) * FONT_SCALE).into_font();
    // Without a font, nothing is drawn at all.
    font.layout_box(text).map_or(0, |(_, (right, _))| right + 1)
}

/// Truncates a text to a width in pixels.
pub(super) fn fitted(text: &str, size: i32, width: i32) -> String {
    let all = text.chars().count();
    let length = (1..=all).rev().find(|length| text_width(&truncated(text, *length), size) <= width);
    length.map_or_else(String::new, |length| truncated(text, length))
}

/// Truncates a text in its middle to a width in pixels, because similar names often differ at their end.
pub(super) fn fitted_middle(text: &str, width: i32) -> String {
    let all = text.chars().count();
    let length = (1..=all).rev().find(|length| text_width(&truncated_middle(text, *length), TEXT) <= width);
    length.map_or_else(String::new, |length| truncated_middle(text, length))
}

fn style(size: i32, colour: RGBColor) -> TextStyle<'static> {
    let plain = TextStyle::from(("sans-serif", f64::from(size) * FONT_SCALE));
    TextStyle { color: colour.to_backend_color(), ..plain }
}

fn register() {
    static FONT: Once = Once::new();
    FONT.call_once(|| {
        // Registering fails only if the font cannot be read; drawing then reports that itself.
        let _ = register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular());
    });
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            other => drop(escaped.write_char(other)),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_the_edge_and_tooltips_are_escaped() {
        let mut svg = String::new();
        let canvas = Canvas::new(&mut svg, (120, 80));
        canvas.text((60, 20), Anchor::Left, "a text that is far too long").expect("drawn");
        canvas.text((60, 40), Anchor::Right, "short").expect("drawn");
        canvas.tooltip((5, 5), 3, "a < b & c");
        let tooltips = canvas.finish().expect("finished");
        assert!(tooltips.contains("<title>a &lt; b &amp; c</title>"), "{tooltips}");
        assert!(svg.contains('…') && !svg.contains("too long") && svg.contains("short"), "{svg}");
        assert!(text_width(&fitted("wwwwwwwwww", TEXT, 50), TEXT) <= 50);
        assert_eq!(fitted("abc", TEXT, 500), "abc");
        assert!(fitted_middle("skip=concat-conv, depth=1", 90).ends_with("=1"));
    }
}
