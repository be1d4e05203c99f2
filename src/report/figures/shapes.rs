//! Draws the auto-encoders of the variants: narrowing stages, widening stages, and skip connections past the bottleneck.

use super::{FigureChapter, FigureKind};
use plotters::prelude::*;

use super::{centred, ink};
use crate::analysis::Groups;
use crate::cause::Cause;
use crate::config::Trial;
use crate::model::{AutoEncoder, Placement, Skip, UnetSettings};
use crate::report::error::ReportError;
use crate::report::figure::{Area, DrawResult, Figure, INK, series};
use crate::text::{truncated, truncated_middle};

/// Maximum number of shapes in one figure.
const MOST_SHAPES: usize = 6;
/// Width and height of a tile, in pixels.
const TILE: (u32, u32) = (320, 230);
/// Channels and side of the drawn level: the teacher's second level, for images of 256 px.
const CHANNELS: f64 = 128.0;
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
        groups.marked(&format!("the auto-encoder of level 2 (128 channels, 32×32 of 256 px): channels and side{rest}"));
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
            match model {
                AutoEncoder::None => {}
                AutoEncoder::Unet(unet) => tile.unet(unet)?,
                AutoEncoder::Linear(linear) => tile.linear(linear.width, linear.placement)?,
            }
        }
        Ok(())
    })
    .map(Some)
}

struct Tile<'a, 'b> {
    area: &'a Area<'b>,
    corner: (i32, i32),
    colour: RGBColor,
}

impl Tile<'_, '_> {
    /// Draws a box of features in one of `of` columns; its height follows the side.
    fn features(&self, column: usize, of: usize, depth: usize, channels: f64) -> Result<[(i32, i32); 2], Cause> {
        let width = 276 / of as i32;
        let height = (96 >> depth).max(14);
        let (x, middle) = (self.corner.0 + column as i32 * width, self.corner.1 + 108);
        let corners = [(x, middle - height / 2), (x + (width - 14).min(34), middle + height / 2)];
        self.area.draw(&Rectangle::new(corners, self.colour.mix(0.75).filled()))?;
        let centre = (corners[0].0 + corners[1].0) / 2;
        self.area.draw_text(&format!("{channels:.0}"), &centred(12), (centre, corners[1].1 + 10))?;
        self.area.draw_text(&format!("{0}²", SIDE >> depth), &centred(10), (centre, corners[1].1 + 24))?;
        Ok(corners)
    }

    fn unet(&self, unet: &UnetSettings) -> DrawResult {
        let of = 2 * unet.depth + 1;
        let channels =
            |depth: usize| if depth == 0 { CHANNELS } else { CHANNELS * 2_f64.powi(depth as i32) * unet.width };
        let mut boxes = Vec::new();
        for column in 0..of {
            let depth = unet.depth - column.abs_diff(unet.depth);
            boxes.push(self.features(column, of, depth, channels(depth))?);
        }
        for pair in boxes.windows(2) {
            let y = self.corner.1 + 108;
            self.arrow((pair[0][1].0 + 1, y), (pair[1][0].0 - 1, y))?;
        }
        for depth in (0..unet.depth).filter(|_| unet.skip != Skip::None) {
            let (from, to) = (boxes[depth], boxes[of - 1 - depth]);
            let y = self.corner.1 + 30 + 14 * depth as i32;
            let (start, end) = ((from[0].0 + from[1].0) / 2, (to[0].0 + to[1].0) / 2);
            let path = [(start, from[0].1), (start, y), (end, y), (end, to[0].1 - 2)];
            self.area.draw(&PathElement::new(path, INK.stroke_width(1)))?;
            self.head((end, to[0].1 - 2), (0, 1))?;
        }
        let skip = match unet.skip {
            Skip::None => "no skip connection",
            Skip::Add => "skip: added",
            Skip::Concat => "skip: concatenated, projected to half",
            Skip::ConcatConv => "skip: concatenated, then 3×3",
        };
        let input = match unet.input {
            crate::model::Corruption::Plain => "",
            _ => "; corrupted input",
        };
        self.says(&format!("{skip}{input}{}", of_placement(unet.placement)))
    }

    fn linear(&self, width: f64, placement: Placement) -> DrawResult {
        let boxes = [
            self.features(0, 3, 0, CHANNELS)?,
            self.features(1, 3, 0, (CHANNELS / 4.0 * width).round().max(1.0))?,
            self.features(2, 3, 0, CHANNELS)?,
        ];
        for pair in boxes.windows(2) {
            let y = self.corner.1 + 108;
            self.arrow((pair[0][1].0 + 1, y), (pair[1][0].0 - 1, y))?;
        }
        self.says(&format!("two 1×1 convolutions{}", of_placement(placement)))
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

fn of_placement(placement: Placement) -> &'static str {
    match placement {
        Placement::Student => "",
        Placement::TeacherHead => "; on the teacher's features",
    }
}
