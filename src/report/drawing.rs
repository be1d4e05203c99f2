//! One drawing of a figure: on a sheet of a given width, as SVG.

use super::canvas::{Anchor, Canvas, DrawResult, LINE, Pixel, TEXT, TITLE, wrapped};
use super::figure::{INK, MESH, PAPER, hex};
use crate::cause::Cause;

/// Height of the last line below a figure, in pixels.
const FOOT: i32 = 22;
/// Distance of titles and of the text below a figure from both edges, in pixels.
const MARGIN: i32 = 12;

/// A drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Drawing {
    /// Width and height, in pixels.
    pub size: Pixel,
    pub svg: String,
}

impl Drawing {
    /// Returns the SVG for a page: text and grid take the page's colours.
    pub(super) fn html(&self) -> String {
        let start = self.svg.find("<svg").unwrap_or(0);
        self.svg[start..]
            .replace(&hex(INK), "currentColor")
            .replace(&hex(MESH), "var(--mesh)")
            .replace(&hex(PAPER), "var(--paper)")
    }
}

/// An empty sheet. A figure lays itself out for its width, and decides on the height.
pub(super) struct Sheet<'t> {
    /// Width, in pixels.
    pub width: i32,
    /// The first lines.
    pub title: &'t str,
    /// The last lines: the runs that are drawn.
    pub population: &'t str,
}

impl Sheet<'_> {
    /// Draws on a canvas of this height. The first 30 pixels belong to the title; further lines of it are above the canvas.
    ///
    /// # Errors
    /// The drawing failed.
    pub(super) fn draw(
        self,
        height: i32,
        draw: impl FnOnce(&Canvas<'_>) -> DrawResult,
    ) -> Result<Option<Drawing>, Cause> {
        let lines = |text: &str, size: i32| wrapped(text, size, self.width - 2 * MARGIN);
        let title = lines(self.title, TITLE);
        let population = match lines(self.population, TEXT) {
            // Several lines break where a part of the text ends.
            several if several.len() > 1 => {
                self.population.split_inclusive(';').flat_map(|part| lines(part, TEXT)).collect()
            }
            one => one,
        };
        let further = |lines: &[String]| LINE * (lines.len() as i32 - 1).max(0);
        let size = (self.width, height + further(&title) + further(&population) + FOOT);
        let mut svg = String::new();
        let mut canvas = Canvas::new(&mut svg, size);
        for (place, line) in title.iter().enumerate() {
            canvas = canvas.below(if place > 0 { LINE } else { 0 });
            canvas.title(line)?;
        }
        draw(&canvas)?;
        for (place, line) in (0..).zip(&population) {
            canvas.text((MARGIN, height + FOOT / 2 + LINE * place), Anchor::Left, line)?;
        }
        canvas.finish()?.insert_into(&mut svg);
        Ok(Some(Drawing { size, svg }))
    }
}
