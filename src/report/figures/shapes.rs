//! Draws the auto-encoders of the variants: narrowing stages, widening stages, and skip connections past the bottleneck.

use plotters::prelude::*;

use super::{FigureChapter, FigureKind, centred, ink};
use crate::analysis::Groups;
use crate::cause::Cause;
use crate::config::Trial;
use crate::model::{AutoEncoder, Corruption, DiagramBox, Placement};
use crate::report::error::ReportError;
use crate::report::figure::{Area, DrawResult, Figure, INK, series};
use crate::text::{truncated, truncated_middle};

/// Maximum number of shapes in one figure.
const MOST_SHAPES: usize = 6;
/// Width and height of a tile, in pixels.
const TILE: (u32, u32) = (320, 230);
/// Channels and side of the drawn level: the teacher's second level, for images of 256 px.
const CHANNELS: usize = 128;
const SIDE: usize = 32;

/// One tile per distinct shape; no figure if no variant has an auto-encoder.
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Ablation,
    draw: |source| Ok(shapes(source.groups, source.prefix)?.into_iter().collect()),
};

fn shapes(groups: &Groups<'_>, prefix: &str) -> Result<Option<Figure>, ReportError> {
    let mut shapes: Vec<(usize, &str, AutoEncoder)> = Vec::new();
    for (index, variant) in groups.variants.iter().enumerate() {
        let Some(run) = groups.of_variant(variant).next() else { continue };
        let Ok(trial) = serde_json::from_str::<Trial>(&run.settings) else { continue };
        if trial.model != AutoEncoder::None && shapes.iter().all(|(.., known)| *known != trial.model) {
            shapes.push((index, &variant.label, trial.model));
        }
    }
    if shapes.is_empty() {
        return Ok(None);
    }
    let left_out = shapes.len().saturating_sub(MOST_SHAPES);
    shapes.truncate(MOST_SHAPES);
    let rest = if left_out > 0 { format!(" ({left_out} more not drawn)") } else { String::new() };
    let title =
        groups.marked(&format!("auto-encoders at level 2 (128 channels, 32×32 at 256 px): channels and side{rest}"));
    let about = groups
        .about(format!("{prefix}shapes"), "The auto-encoders' stages with their channels, sides and skip connections");
    let (rows, columns) = (shapes.len().div_ceil(3), shapes.len().min(3));
    Figure::draw(about, (960, 36 + TILE.1 * rows as u32), |area| {
        area.draw_text(&title, &ink(15), (12, 8))?;
        for (place, (index, label, model)) in shapes.iter().enumerate() {
            let (column, row) = ((place % columns) as i32, (place / columns) as i32);
            let corner = (12 + column * TILE.0 as i32, 36 + row * TILE.1 as i32);
            let tile = Tile { area, corner, colour: series(*index) };
            tile.area.draw_text(&truncated_middle(label, 40), &ink(13), corner)?;
            tile.diagram(model)?;
        }
        Ok(())
    })
    .map(Some)
}

/// The upper left and the lower right corner of a box, in pixels.
type Corners = [(i32, i32); 2];

struct Tile<'a, 'b> {
    area: &'a Area<'b>,
    corner: (i32, i32),
    colour: RGBColor,
}

impl Tile<'_, '_> {
    fn diagram(&self, model: &AutoEncoder) -> DrawResult {
        let Some(settings) = model.settings() else { return Ok(()) };
        let diagram = settings.diagram(CHANNELS);
        let boxes = diagram
            .boxes
            .iter()
            .enumerate()
            .map(|(column, features)| self.features(column, diagram.boxes.len(), *features));
        let boxes = boxes.collect::<Result<Vec<_>, Cause>>()?;
        for pair in boxes.windows(2) {
            let y = self.corner.1 + 108;
            self.arrow((pair[0][1].0 + 1, y), (pair[1][0].0 - 1, y))?;
        }
        for (nesting, &(first, last)) in diagram.skips.iter().enumerate() {
            self.skip(nesting, boxes[first], boxes[last])?;
        }
        let input = match model.corruption() {
            Corruption::Plain => "",
            _ => "; corrupted input",
        };
        let placement = match settings.common().placement {
            Placement::Student => "",
            Placement::TeacherHead => "; on the teacher's features",
        };
        self.says(&format!("{}{input}{placement}", diagram.caption))
    }

    /// Draws a box of features in one of `columns` columns; its height follows the side.
    fn features(&self, column: usize, columns: usize, features: DiagramBox) -> Result<Corners, Cause> {
        let width = 276 / columns as i32;
        let height = (96 >> features.halvings).max(14);
        let (x, middle) = (self.corner.0 + column as i32 * width, self.corner.1 + 108);
        let corners = [(x, middle - height / 2), (x + (width - 14).min(34), middle + height / 2)];
        self.area.draw(&Rectangle::new(corners, self.colour.mix(0.75).filled()))?;
        let centre = (corners[0].0 + corners[1].0) / 2;
        self.area.draw_text(&features.channels.to_string(), &centred(12), (centre, corners[1].1 + 10))?;
        self.area.draw_text(&format!("{0}²", SIDE >> features.halvings), &centred(10), (centre, corners[1].1 + 24))?;
        Ok(corners)
    }

    /// Draws a skip connection above the boxes; inner ones run lower.
    fn skip(&self, nesting: usize, from: Corners, to: Corners) -> DrawResult {
        let y = self.corner.1 + 30 + 14 * nesting as i32;
        let (start, end) = ((from[0].0 + from[1].0) / 2, (to[0].0 + to[1].0) / 2);
        let path = [(start, from[0].1), (start, y), (end, y), (end, to[0].1 - 2)];
        self.area.draw(&PathElement::new(path, INK.stroke_width(1)))?;
        self.head((end, to[0].1 - 2), (0, 1))
    }

    fn says(&self, text: &str) -> DrawResult {
        self.area.draw_text(&truncated(text, 46), &ink(12), (self.corner.0, self.corner.1 + 200))?;
        Ok(())
    }

    fn arrow(&self, from: (i32, i32), to: (i32, i32)) -> DrawResult {
        self.area.draw(&PathElement::new([from, to], INK.stroke_width(1)))?;
        self.head(to, (1, 0))
    }

    /// Draws an arrow's head at (x, y), pointing towards (dx, dy).
    fn head(&self, (x, y): (i32, i32), (dx, dy): (i32, i32)) -> DrawResult {
        let corners = [(x, y), (x - 4 * dx - 3 * dy, y - 4 * dy - 3 * dx), (x - 4 * dx + 3 * dy, y - 4 * dy + 3 * dx)];
        self.area.draw(&Polygon::new(corners.to_vec(), INK.filled()))?;
        Ok(())
    }
}
