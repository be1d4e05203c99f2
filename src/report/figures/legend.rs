//! The legend: the colour of each highlighted variant that is drawn, and how many others are grey.

use super::palette::{OTHERS, Palette};
use crate::analysis::Groups;
use crate::report::canvas::{Anchor, Canvas, DrawResult, Pixel, TEXT, fitted_middle, text_width};
use crate::text::counted;

/// Height of a line, length of a sample, and space between entries, in pixels.
const LINE: i32 = 19;
const SAMPLE: i32 = 16;
const GAP: i32 = 18;
/// Distance from both edges, and maximum width of a name, in pixels.
const MARGIN: i32 = 12;
const NAME: i32 = 360;

/// A legend whose entries have their places.
pub(in crate::report) struct Legend {
    entries: Vec<(Pixel, plotters::prelude::RGBColor, String)>,
    /// Height, in pixels.
    pub height: i32,
}

impl Legend {
    /// Lists the drawn variants on lines of `width` pixels.
    pub(in crate::report) fn of(groups: &Groups<'_>, palette: &Palette, drawn: &[usize], width: i32) -> Self {
        let longest = NAME.min(width - 2 * MARGIN - SAMPLE - 6);
        let named = palette.highlighted.iter().filter(|index| drawn.contains(index));
        let mut texts: Vec<_> = named
            .map(|index| (palette.colour(*index), fitted_middle(&groups.variants[*index].label, longest)))
            .collect();
        let others = drawn.iter().filter(|index| !palette.is_highlighted(**index)).count();
        if others > 0 {
            texts.push((OTHERS, format!("{} in grey", counted(others, "other variant"))));
        }
        let mut at = (MARGIN, 0);
        let mut entries = Vec::new();
        for (colour, text) in texts {
            let length = SAMPLE + 6 + text_width(&text, TEXT);
            if at.0 > MARGIN && at.0 + length > width - MARGIN {
                at = (MARGIN, at.1 + LINE);
            }
            entries.push((at, colour, text));
            at.0 += length + GAP;
        }
        Self { entries, height: at.1 + LINE }
    }

    /// Draws the legend below `top`.
    pub(in crate::report) fn draw(&self, canvas: &Canvas<'_>, top: i32) -> DrawResult {
        for ((x, y), colour, text) in &self.entries {
            let y = top + y + LINE / 2;
            canvas.line(vec![(*x, y), (x + SAMPLE, y)], *colour, 3)?;
            canvas.text((x + SAMPLE + 6, y), Anchor::Left, text)?;
        }
        Ok(())
    }
}
