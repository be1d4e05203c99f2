//! The canvas of a figure: marks and texts at pixels, and tooltips with exact values. No text leaves the canvas.

use std::cell::RefCell;
use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::{
    Circle, Color, Cross, DrawingArea, IntoDrawingArea, IntoFont, PathElement, Polygon, RGBColor, Rectangle,
    SVGBackend, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, FontTransform, register_font};

use super::figure::INK;
use super::marks::{Marks, Spot, TrialLine};
use crate::cause::Cause;
use crate::text::{truncated, truncated_middle};

/// Result of drawing, with the cause of a failure.
pub(super) type DrawResult = Result<(), Cause>;
/// A position in pixels, from the upper left corner.
pub(super) type Pixel = (i32, i32);

/// Size of text and of titles, in pixels.
pub(super) const TEXT: i32 = 12;
pub(super) const TITLE: i32 = 13;
/// Distance between the lines of a text, in pixels.
pub(super) const LINE: i32 = 16;
/// plotters divides the size of a font by this number.
const FONT_SCALE: f64 = 1.24;
/// Distance between text and the edge of the canvas, in pixels.
const EDGE: i32 = 2;

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
    /// Height of what lies above the area, in pixels.
    above: i32,
    marks: RefCell<Marks>,
}

impl<'s> Canvas<'s> {
    pub(super) fn new(svg: &'s mut String, size: Pixel) -> Self {
        register();
        let area = SVGBackend::with_string(svg, (size.0 as u32, size.1 as u32)).into_drawing_area();
        Self { area, size, above: 0, marks: RefCell::default() }
    }

    /// Returns the canvas without its upper part. Positions then count from the new upper edge.
    pub(super) fn below(self, height: i32) -> Self {
        let size = (self.size.0, self.size.1 - height);
        let area = self.area.shrink((0, height), (size.0 as u32, size.1 as u32));
        Self { area, size, above: self.above + height, ..self }
    }

    /// Completes the drawing, and returns the elements that carry data.
    pub(super) fn finish(self) -> Result<Marks, Cause> {
        self.area.present()?;
        Ok(self.marks.into_inner())
    }

    /// Returns the width, in pixels.
    pub(super) fn width(&self) -> i32 {
        self.size.0
    }

    /// Draws a line of the figure's title.
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
        self.tooltip_of_run(at, radius, text, None);
    }

    /// Adds a tooltip to a mark, and the key of the run that it leads to.
    pub(super) fn tooltip_of_run(&self, at: Pixel, radius: i32, text: &str, run: Option<&str>) {
        self.marks.borrow_mut().tooltip(Spot::Circle(self.whole(at), radius), text, run);
    }

    /// Adds a tooltip to a rectangle, and the key of the run that it leads to.
    pub(super) fn tooltip_of_cell(&self, corners: [Pixel; 2], text: &str, run: Option<&str>) {
        self.marks.borrow_mut().tooltip(Spot::Rectangle(corners.map(|corner| self.whole(corner))), text, run);
    }

    /// Draws the line of a trial below everything else.
    pub(super) fn trial(&self, line: &TrialLine<'_>) {
        let points: Vec<Pixel> = line.points.iter().map(|point| self.whole(*point)).collect();
        self.marks.borrow_mut().trial(&TrialLine { points: &points, ..*line });
    }

    /// Names an axis, a range of which a reader can choose.
    pub(super) fn axis(&self, name: &str, x: i32, (top, bottom): (i32, i32)) {
        self.marks.borrow_mut().axis(name, x, (top + self.above, bottom + self.above));
    }

    /// Returns a position on the whole canvas, with what lies above the area.
    fn whole(&self, (x, y): Pixel) -> Pixel {
        (x, y + self.above)
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
    let length = longest(text, |length| text_width(&truncated(text, length), size) <= width);
    length.map_or_else(String::new, |length| truncated(text, length))
}

/// Truncates a text in its middle to a width in pixels, because similar names often differ at their end.
pub(super) fn fitted_middle(text: &str, width: i32) -> String {
    let length = longest(text, |length| text_width(&truncated_middle(text, length), TEXT) <= width);
    length.map_or_else(String::new, |length| truncated_middle(text, length))
}

/// Returns the largest number of a text's characters that fits; `None` if not even one does. More characters never need less room, so
/// halving the range finds it: measuring a text is slow.
fn longest(text: &str, fits: impl Fn(usize) -> bool) -> Option<usize> {
    let all = text.chars().count();
    if all > 0 && fits(all) {
        return Some(all);
    }
    let (mut fitting, mut too_long) = (0, all.max(1));
    while too_long - fitting > 1 {
        let middle = usize::midpoint(fitting, too_long);
        *(if fits(middle) { &mut fitting } else { &mut too_long }) = middle;
    }
    (fitting > 0).then_some(fitting)
}

/// Breaks a text into lines of at most `width` pixels. A longer word has a line of its own.
pub(super) fn wrapped(text: &str, size: i32, width: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}")).filter(|line| text_width(line, size) <= width);
        match (longer, lines.last_mut()) {
            (Some(longer), Some(last)) => *last = longer,
            _ => lines.push(word.to_owned()),
        }
    }
    lines
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_the_edge() {
        let mut svg = String::new();
        let canvas = Canvas::new(&mut svg, (120, 80));
        canvas.text((60, 20), Anchor::Left, "a text that is far too long").expect("drawn");
        canvas.text((60, 40), Anchor::Right, "short").expect("drawn");
        canvas.finish().expect("finished");
        assert!(svg.contains('…') && !svg.contains("too long") && svg.contains("short"), "{svg}");
        assert!(text_width(&fitted("wwwwwwwwww", TEXT, 50), TEXT) <= 50);
        assert_eq!(fitted("abc", TEXT, 500), "abc");
        let long = "T07 U-Net, skip=concat-conv (depth=2, learning_rate=0.05)";
        for width in (0..420).step_by(9) {
            let fits = |length: &usize| text_width(&truncated_middle(long, *length), TEXT) <= width;
            let most = (1..=long.chars().count()).rev().find(fits);
            assert_eq!(fitted_middle(long, width), most.map_or_else(String::new, |most| truncated_middle(long, most)));
        }
        assert!(fitted_middle("skip=concat-conv, depth=1", 90).ends_with("=1"));
    }

    #[test]
    fn a_long_text_has_several_lines_and_what_follows_is_lower() {
        assert_eq!(wrapped("a text of some words", TEXT, 80), ["a text of", "some words"]);
        assert_eq!(wrapped("incomprehensibility now", TEXT, 40), ["incomprehensibility", "now"]);
        assert!(wrapped("", TEXT, 80).is_empty());
        let mut svg = String::new();
        let canvas = Canvas::new(&mut svg, (120, 80)).below(30);
        canvas.fill([(0, 0), (9, 9)], INK).expect("drawn");
        canvas.tooltip((5, 5), 3, "mark");
        canvas.finish().expect("finished").insert_into(&mut svg);
        assert!(svg.contains("y=\"30\"") && svg.contains("cy=\"35\""), "{svg}");
    }
}
