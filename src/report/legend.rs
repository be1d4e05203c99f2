//! Which colour is which variant.

use plotters::prelude::{Color, PathElement, TextStyle};

use super::figure::{Area, INK, MAX_DRAWN, series};
use super::grouping::Variant;
use super::text::clipped;

/// So many fit into a column.
const CHARACTERS: usize = 38;
/// Columns.
const COLUMNS: usize = 3;
/// Pixels from line to line.
const LINE: u32 = 20;

/// Pixels of the height of a legend.
pub(super) fn legend_height(variants: &[Variant]) -> u32 {
    LINE * variants.len().min(MAX_DRAWN).div_ceil(COLUMNS) as u32
}

/// A line in its colour before the name of each variant that is drawn; the upper edge is `top`.
pub(super) fn legend(area: &Area<'_>, variants: &[Variant], top: u32) -> Result<(), Box<dyn std::error::Error>> {
    for (index, variant) in variants.iter().take(MAX_DRAWN).enumerate() {
        let (x, y) = (14 + 300 * (index % COLUMNS) as i32, top as i32 + (LINE as usize * (index / COLUMNS)) as i32);
        area.draw(&PathElement::new([(x, y + 6), (x + 16, y + 6)], series(index).stroke_width(3)))?;
        let label = clipped(&variant.label, CHARACTERS);
        area.draw_text(&label, &TextStyle::from(("sans-serif", 13)).color(&INK), (x + 22, y - 1))?;
    }
    Ok(())
}
