//! Draws the auto-encoders and decoders of the variants: narrowing stages, widening stages, and skip connections past the bottleneck.

use std::collections::HashMap;

use plotters::prelude::{Color, RGBColor};

use super::kind::FigureSource;
use super::palette::Palette;
use super::panels::Panels;
use super::plot::Frame;
use super::representative::representative;
use super::{FigureChapter, FigureKind};
use crate::cause::Cause;
use crate::config::Trial;
use crate::data::FeatureSet;
use crate::model::weights::inspect;
use crate::model::{Backbone, Corruption, Diagram, DiagramBox, LevelSet, Model, Placement};
use crate::report::canvas::{Anchor, Canvas, DrawResult, TEXT, fitted, fitted_middle};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK};
use crate::report::table::count_value;
use crate::report::values::{Values, text};
use crate::stages::{StageJob, StageKind};
use crate::store::RunRow;
use crate::text::counted;

/// Maximum number of shapes in one figure.
const MOST_SHAPES: usize = 6;
/// Width and height of a tile, in pixels.
const TILE: (i32, i32) = (274, 236);
/// Distance of the tiles from the left edge, in pixels.
const MARGIN: i32 = 12;
/// The level that is drawn if the teacher has it.
const USUAL_LEVEL: usize = 2;

/// One tile per distinct shape; no figure if no variant has an auto-encoder or a decoder.
pub(super) const KIND: FigureKind =
    FigureKind { chapter: FigureChapter::Networks, draw: |source| Ok(shapes(source)?.into_iter().collect()) };

/// An auto-encoder at one level of its teacher, or a decoder, whose level is the finest.
struct Shape<'g> {
    variant: usize,
    label: &'g str,
    model: Model,
    level: Level,
    diagram: Diagram,
}

/// A level of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Level {
    number: usize,
    channels: usize,
    side: usize,
}

impl Level {
    /// Returns the finest of the compared levels, of which this is one.
    fn finest(self, compared: LevelSet) -> Self {
        let finer = self.number - compared.finest();
        Self { number: compared.finest(), channels: self.channels >> finer, side: self.side << finer }
    }
}

fn shapes(source: &FigureSource<'_>) -> Result<Option<Figure>, ReportError> {
    let groups = source.groups;
    let mut shapes: Vec<Shape<'_>> = Vec::new();
    let mut levels: HashMap<String, Option<Level>> = HashMap::new();
    for (variant, of) in groups.variants.iter().enumerate() {
        let Some(run) = groups.of_variant(of).next() else { continue };
        let Ok(trial) = serde_json::from_str::<Trial>(&run.settings) else { continue };
        let teacher = format!("{:?} {}", trial.teacher, trial.data.image_size);
        let level = *levels.entry(teacher).or_insert_with(|| level(source, run, &trial));
        let compared = trial.teacher.levels;
        let level = level.map(|level| if trial.model == Model::Decoder { level.finest(compared) } else { level });
        let diagram = |level: Level| Some((level, trial.model.diagram(compared, level.channels)?));
        let Some((level, diagram)) = level.and_then(diagram) else { continue };
        if shapes.iter().all(|shape| shape.model != trial.model || shape.level != level) {
            shapes.push(Shape { variant, label: &of.label, model: trial.model, level, diagram });
        }
    }
    if shapes.is_empty() {
        return Ok(None);
    }
    let left_out = shapes.len().saturating_sub(MOST_SHAPES);
    shapes.truncate(MOST_SHAPES);
    let rest = if left_out > 0 { format!(" {} more not drawn.", counted(left_out, "shape")) } else { String::new() };
    let (title, what) = titles(&shapes);
    let texts = FigureTexts::of(
        groups,
        shapes.iter().flat_map(|shape| groups.of_variant(&groups.variants[shape.variant])),
        format!("{}shapes", source.prefix),
        "The stages of auto-encoders and decoders with their channels, sides and skip connections",
        &format!("{what} Numbers are channels and sides of each stage. Lines above are skip connections.{rest}"),
    );
    let palette = Palette::of(groups);
    let title = groups.marked(&title);
    Figure::of_columns(texts, &title, values(&shapes), |sheet| {
        let panels = Panels::new(shapes.len(), (sheet.width - MARGIN, TILE.0), 32, TILE.1);
        sheet.draw(panels.bottom, |canvas| {
            for (place, shape) in shapes.iter().enumerate() {
                let Frame { left, top, right, .. } = panels.place(place);
                let variant = &groups.variants[shape.variant];
                let run = representative(groups, variant);
                let (colour, corner) = (palette.colour(shape.variant), (left + MARGIN, top));
                let tile = Tile { canvas, corner, colour, side: shape.level.side, run };
                canvas.text((corner.0, top + 10), Anchor::Left, &fitted_middle(&variant.label, right - left - 14))?;
                tile.diagram(shape)?;
            }
            Ok(())
        })
    })
    .map(Some)
}

/// Returns the title of the figure, and a sentence or two on what is drawn.
fn titles(shapes: &[Shape<'_>]) -> (String, String) {
    let first = |decoder: bool| shapes.iter().find(|shape| (shape.model == Model::Decoder) == decoder);
    let of = |shape: &Shape<'_>| {
        let Level { number, channels, side } = shape.level;
        (format!("level {number}"), format!("{channels} channels"), format!("{side}×{side}"))
    };
    let autoencoders = first(false).map(|shape| {
        let (level, channels, side) = of(shape);
        let what = format!("Auto-encoders at {level} of the teacher, with {channels} of {side} pixels.");
        (format!("Auto-encoders at {level}: {channels}, {side}"), what)
    });
    let decoders = first(true).map(|shape| {
        let (level, channels, side) = of(shape);
        let what =
            format!("Decoders of reverse distillation lead from the fused levels of the teacher back to {level}.");
        (format!("Decoders up to {level}: {channels}, {side}"), what)
    });
    match (autoencoders, decoders) {
        (Some((title, autoencoders)), Some((_, decoders))) => {
            (format!("{title}; and decoders"), format!("{autoencoders} {decoders}"))
        }
        (one, other) => one.or(other).unwrap_or_default(),
    }
}

/// Returns the stages of each shape.
fn values(shapes: &[Shape<'_>]) -> Values {
    let boxes = shapes.iter().flat_map(|shape| {
        shape.diagram.boxes.iter().enumerate().map(move |(stage, &features)| {
            let side = side(shape.level.side, features);
            [text(shape.label), count_value(stage + 1), count_value(features.channels), count_value(side)]
        })
    });
    Values::of(["variant", "stage", "channels", "side"], boxes)
}

/// Returns the drawn level of a run: the second one, or the first that its teacher is compared at. Its shape comes from the teacher's
/// features, or else from the teacher's weights. `None` if neither can be read.
fn level(source: &FigureSource<'_>, run: &RunRow, trial: &Trial) -> Option<Level> {
    let numbers: Vec<usize> = trial.teacher.levels.numbers().collect();
    let place = numbers.iter().position(|number| *number == USUAL_LEVEL).unwrap_or(0);
    let number = *numbers.get(place)?;
    let of_features = || {
        let (_, StageJob::Score(score)) = source.rows.selected_stage(&run.id, StageKind::Score)? else { return None };
        let folder = source.artifacts.verified_folder(StageKind::Features, score.features_test.key(), &[]).ok()?;
        let shape = *FeatureSet::open(&folder).ok()?.header().levels.get(place)?;
        Some(Level { number, channels: shape.channels, side: shape.height })
    };
    let of_weights = || {
        let teacher = inspect(&trial.teacher.weights).ok()?;
        let channels = Backbone::new(teacher.architecture, teacher.width).channels_of(number);
        Some(Level { number, channels, side: trial.data.image_size >> (number + 1) })
    };
    of_features().or_else(of_weights)
}

/// The upper left and the lower right corner of a box, in pixels.
type Corners = [(i32, i32); 2];

struct Tile<'a, 'b> {
    canvas: &'a Canvas<'b>,
    corner: (i32, i32),
    colour: RGBColor,
    /// Side of the level's features.
    side: usize,
    /// The run that the boxes lead to.
    run: Option<&'a str>,
}

/// Returns the side of features within an auto-encoder of a level with this side.
fn side(level: usize, features: DiagramBox) -> usize {
    (level >> features.halvings).max(1)
}

impl Tile<'_, '_> {
    fn diagram(&self, shape: &Shape<'_>) -> DrawResult {
        let (diagram, autoencoder) = (&shape.diagram, shape.model.autoencoder());
        let boxes = diagram
            .boxes
            .iter()
            .enumerate()
            .map(|(column, features)| self.features(column, diagram.boxes.len(), *features));
        let boxes = boxes.collect::<Result<Vec<_>, Cause>>()?;
        for pair in boxes.windows(2) {
            let y = self.corner.1 + 112;
            self.arrow((pair[0][1].0 + 1, y), (pair[1][0].0 - 1, y))?;
        }
        for (nesting, &(first, last)) in diagram.skips.iter().enumerate() {
            self.skip(nesting, boxes[first], boxes[last])?;
        }
        let input = match autoencoder.corruption() {
            Corruption::Plain => "",
            _ => "; corrupted input",
        };
        let placement = match autoencoder.placement() {
            None | Some(Placement::Student) => "",
            Some(Placement::TeacherHead) => "; on the teacher's features",
        };
        self.says(&format!("{}{input}{placement}", diagram.caption))
    }

    /// Draws a box of features in one of `columns` columns; its height follows the side.
    fn features(&self, column: usize, columns: usize, features: DiagramBox) -> Result<Corners, Cause> {
        let width = (TILE.0 - 24) / columns as i32;
        let height = (96 >> features.halvings).max(14);
        let (x, middle) = (self.corner.0 + column as i32 * width, self.corner.1 + 112);
        let corners = [(x, middle - height / 2), (x + (width - 14).min(34), middle + height / 2)];
        self.canvas.fill(corners, self.colour.mix(0.75))?;
        let centre = (corners[0].0 + corners[1].0) / 2;
        let side = side(self.side, features);
        self.canvas.text((centre, corners[1].1 + 11), Anchor::Centre, &features.channels.to_string())?;
        self.canvas.text((centre, corners[1].1 + 25), Anchor::Centre, &format!("{side}²"))?;
        self.canvas.tooltip_of_cell(corners, &format!("{} channels, {side}×{side}", features.channels), self.run);
        Ok(corners)
    }

    /// Draws a skip connection above the boxes; inner ones run lower.
    fn skip(&self, nesting: usize, from: Corners, to: Corners) -> DrawResult {
        let y = self.corner.1 + 34 + 14 * nesting as i32;
        let (start, end) = ((from[0].0 + from[1].0) / 2, (to[0].0 + to[1].0) / 2);
        let path = [(start, from[0].1), (start, y), (end, y), (end, to[0].1 - 2)];
        self.canvas.line(path.to_vec(), INK, 1)?;
        self.head((end, to[0].1 - 2), (0, 1))
    }

    fn says(&self, text: &str) -> DrawResult {
        let at = (self.corner.0, self.corner.1 + 212);
        self.canvas.text(at, Anchor::Left, &fitted(text, TEXT, TILE.0 - 14))
    }

    fn arrow(&self, from: (i32, i32), to: (i32, i32)) -> DrawResult {
        self.canvas.line(vec![from, to], INK, 1)?;
        self.head(to, (1, 0))
    }

    /// Draws an arrow's head at (x, y), pointing towards (dx, dy).
    fn head(&self, (x, y): (i32, i32), (dx, dy): (i32, i32)) -> DrawResult {
        let corners = [(x, y), (x - 4 * dx - 3 * dy, y - 4 * dy - 3 * dx), (x - 4 * dx + 3 * dy, y - 4 * dy + 3 * dx)];
        self.canvas.polygon(corners.to_vec(), INK)
    }
}
