//! Draws the legend: the colour of each variant.

use plotters::prelude::{Color, PathElement};

use super::ink;
use crate::analysis::{MAX_DRAWN, Variant};
use crate::cause::Cause;
use crate::report::figure::{Area, series};
use crate::text::truncated_middle;

/// Width of a legend, in pixels.
const WIDTH: usize = 900;
/// Approximate width of a character, in pixels.
const CHARACTER: f64 = 6.9;
/// Maximum number of columns.
const COLUMNS: usize = 3;
/// Line height, in pixels.
const LINE: u32 = 20;
/// Space before a name, in pixels.
const START: usize = 22;

/// Returns the number of columns: [`COLUMNS`] if the longest name fits, else two, with names cut in the middle.
fn columns(variants: &[Variant]) -> usize {
    let longest = drawn(variants).map(|variant| variant.label.chars().count()).max().unwrap_or(0);
    if longest <= characters(COLUMNS) { COLUMNS } else { 2 }
}

/// Returns the number of characters that fit in one of `columns` columns.
fn characters(columns: usize) -> usize {
    ((WIDTH / columns - START - 14) as f64 / CHARACTER) as usize
}

fn drawn(variants: &[Variant]) -> impl Iterator<Item = &Variant> {
    variants.iter().take(MAX_DRAWN)
}

/// Returns the height of a legend, in pixels.
pub(in crate::report) fn legend_height(variants: &[Variant]) -> u32 {
    LINE * drawn(variants).count().div_ceil(columns(variants)) as u32
}

/// Draws a coloured line and the name of each drawn variant; the upper edge is `top`.
pub(in crate::report) fn legend(area: &Area<'_>, variants: &[Variant], top: u32) -> Result<(), Cause> {
    let columns = columns(variants);
    for (index, variant) in drawn(variants).enumerate() {
        let x = (14 + WIDTH / columns * (index % columns)) as i32;
        let y = top as i32 + (LINE as usize * (index / columns)) as i32;
        area.draw(&PathElement::new([(x, y + 6), (x + 16, y + 6)], series(index).stroke_width(3)))?;
        let label = truncated_middle(&variant.label, characters(columns));
        area.draw_text(&label, &ink(13), (x + START as i32, y - 1))?;
    }
    Ok(())
}
