//! Draws a figure as SVG, for each width in print. Pages embed the SVG; PNG files are rasterised from it with the same font.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use plotters::prelude::RGBColor;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::canvas::{Canvas, DrawResult, Pixel};
use super::drawing::{Drawing, Sheet};
use super::error::ReportError;
use super::marks::AXIS;
use super::print::Column;
use super::values::Values;
use crate::analysis::{Groups, MAX_DRAWN};
use crate::cause::Cause;
use crate::store::{RunRow, RunState};
use crate::text::counted;

/// Colour of text, axes and the baseline; on a page they take the page's own colour.
pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
/// Colour of grid lines; on a page they take the page's own colour.
pub(super) const MESH: RGBColor = RGBColor(221, 221, 221);
/// Colour of the patches that separate text from lines; on a page they take the page's own colour.
pub(super) const PAPER: RGBColor = RGBColor(254, 254, 254);
/// Colour of text on pale colours, which stay pale on dark pages.
pub(super) const ON_PALE: RGBColor = RGBColor(24, 24, 24);
/// Number of PNG pixels per SVG pixel, in each direction.
const SCALE: f32 = 2.0;

/// Returns a colour from dull to bright for a value in 0 … 1. Colour-blind people can distinguish the colours (after viridis).
pub(super) fn ramp(part: f64) -> RGBColor {
    const STOPS: [[f64; 3]; 5] =
        [[68.0, 57.0, 131.0], [59.0, 103.0, 142.0], [33.0, 145.0, 140.0], [78.0, 190.0, 105.0], [190.0, 200.0, 50.0]];
    let at = part.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let from = (at as usize).min(STOPS.len() - 2);
    mix(STOPS[from], STOPS[from + 1], at - from as f64)
}

/// Returns a diverging colour: blue for −1, pale for 0, orange for 1.
pub(super) fn diverging(part: f64) -> RGBColor {
    const PALE: [f64; 3] = [245.0, 245.0, 245.0];
    let end = if part < 0.0 { [100.0, 160.0, 215.0] } else { [235.0, 150.0, 70.0] };
    mix(PALE, end, part.abs().min(1.0))
}

fn mix(from: [f64; 3], to: [f64; 3], part: f64) -> RGBColor {
    let channel = |index: usize| (from[index] + part * (to[index] - from[index])).round() as u8;
    RGBColor(channel(0), channel(1), channel(2))
}

/// Texts about a figure.
pub(super) struct FigureTexts {
    /// File name without extension.
    pub name: String,
    /// What the figure shows, for readers who cannot see it.
    pub description: String,
    /// What a reader needs to understand it, in short sentences.
    pub caption: String,
    /// The runs that are drawn; shown below the figure.
    pub population: String,
}

/// A drawn figure.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure {
    /// File name without extension.
    pub name: String,
    /// What the figure shows, for readers who cannot see it.
    pub description: String,
    /// What is drawn, from how many runs, and which interval or test it shows, in short sentences.
    pub caption: String,
    /// The drawing for pages, and for the width of a printed page.
    wide: Drawing,
    /// The drawing for one printed column; `None` where it has no room there.
    narrow: Option<Drawing>,
    /// The values of the marks.
    pub values: Values,
    /// Its name among similar figures, of which a page shows one.
    pub choice: Option<&'static str>,
}

impl FigureTexts {
    /// Returns the texts about a figure that draws exactly these runs. The description carries the marks, and the caption ends with the
    /// number of drawn runs.
    pub(super) fn of<'r>(
        groups: &Groups<'_>,
        drawn: impl Iterator<Item = &'r RunRow>,
        name: String,
        description: &str,
        caption: &str,
    ) -> Self {
        let drawn = Drawn::of(drawn);
        Self {
            name,
            description: groups.marked(description),
            caption: format!("{caption} {}", drawn.sentence(groups)),
            population: drawn.population(groups),
        }
    }
}

/// The finished runs that a figure draws.
struct Drawn {
    runs: usize,
    trials: BTreeSet<String>,
    seeds: BTreeSet<i64>,
    categories: BTreeSet<String>,
}

impl Drawn {
    fn of<'r>(runs: impl Iterator<Item = &'r RunRow>) -> Self {
        let mut drawn = Self { runs: 0, trials: BTreeSet::new(), seeds: BTreeSet::new(), categories: BTreeSet::new() };
        for run in runs.filter(|run| run.state == RunState::Done) {
            drawn.runs += 1;
            drawn.trials.insert(run.trial_id.clone());
            drawn.seeds.insert(run.seed);
            drawn.categories.insert(run.category.clone());
        }
        drawn
    }

    /// Describes the runs: "n = 12 runs of 4 variants, 3 seeds, nut and bolt; 256×256 px, product of levels 1, 2, 3".
    fn population(&self, groups: &Groups<'_>) -> String {
        let names: Vec<&str> = self.categories.iter().map(String::as_str).collect();
        let categories = if names.len() <= 3 { names.join(", ") } else { counted(names.len(), "category") };
        let protocol = groups.categories.first().map(|(_, protocol)| protocol.brief()).unwrap_or_default();
        format!("n = {}, {}, {categories}; {protocol}", self.count(), counted(self.seeds.len(), "seed"))
    }

    /// Describes the runs in a sentence. Where figures have room for only some of the variants, another one says how many are left out.
    fn sentence(&self, groups: &Groups<'_>) -> String {
        let seeds = counted(self.seeds.len(), "seed");
        let in_categories = counted(self.categories.len(), "category");
        let all = groups.variants.len();
        let left_out = all.saturating_sub(self.trials.len());
        let others = if all > MAX_DRAWN && left_out > 0 {
            format!(" {left_out} of {all} variants are not drawn.")
        } else {
            String::new()
        };
        format!("It draws {}, with {seeds} in {in_categories}.{others}", self.count())
    }

    fn count(&self) -> String {
        format!("{} of {}", counted(self.runs, "run"), counted(self.trials.len(), "variant"))
    }
}

impl Figure {
    /// Draws a figure of one size for a page, and writes below it which runs the numbers are from.
    ///
    /// # Errors
    /// The figure cannot be drawn.
    pub(super) fn draw(
        FigureTexts { name, description, caption, population }: FigureTexts,
        (width, height): Pixel,
        draw: impl FnOnce(&Canvas<'_>) -> DrawResult,
    ) -> Result<Self, ReportError> {
        let drawn = Sheet { width, title: "", population: &population }.draw(height, draw);
        let wide = required(&name, drawn)?;
        Ok(Self { name, description, caption, wide, narrow: None, values: Values::default(), choice: None })
    }

    /// Draws a figure for both widths in print, below its title. `layout` draws on a sheet, or returns `None` if the sheet is too narrow.
    /// `values` are those of the marks.
    ///
    /// # Errors
    /// The figure cannot be drawn.
    pub(super) fn of_columns(
        FigureTexts { name, description, caption, population }: FigureTexts,
        title: &str,
        values: Values,
        layout: impl Fn(Sheet<'_>) -> Result<Option<Drawing>, Cause>,
    ) -> Result<Self, ReportError> {
        let drawn = |column: Column| layout(Sheet { width: column.pixels(), title, population: &population });
        let wide = required(&name, drawn(Column::Double))?;
        let narrow = drawn(Column::Single).map_err(|source| ReportError::Draw { figure: name.clone(), source })?;
        let narrow = narrow.filter(|drawing| Column::Single.holds(drawing));
        Ok(Self { name, description, caption, wide, narrow, values, choice: None })
    }

    /// Names the figure among similar ones, of which a page shows one.
    pub(super) fn chosen_as(self, name: &'static str) -> Self {
        Self { choice: Some(name), ..self }
    }

    /// Returns the drawing for a width in print, if it has room.
    pub(super) fn drawing(&self, column: Column) -> Option<&Drawing> {
        match column {
            Column::Single => self.narrow.as_ref(),
            Column::Double => Some(&self.wide),
        }
    }

    /// Returns the SVG for a page: text and grid take the page's colours.
    pub(super) fn html(&self) -> String {
        self.wide.html()
    }

    /// Returns the narrow drawing for a page if it is hardly higher than the wide one. Such figures can stand beside others.
    pub(super) fn compact_html(&self) -> Option<String> {
        const HIGHER: i32 = 48;
        let narrow = self.narrow.as_ref()?;
        (narrow.size.1 <= self.wide.size.1 + HIGHER).then(|| narrow.html())
    }

    /// Returns whether a reader can choose ranges of its axes; see [`super::brush`].
    pub(super) fn has_axes(&self) -> bool {
        self.svg().contains(AXIS)
    }

    /// Returns the SVG for a file of its own.
    pub(super) fn svg(&self) -> &str {
        &self.wide.svg
    }
}

/// Returns a drawing that has room on every sheet.
fn required(figure: &str, drawn: Result<Option<Drawing>, Cause>) -> Result<Drawing, ReportError> {
    let drawn = drawn.and_then(|drawing| drawing.ok_or_else(|| "the figure has no room".into()));
    drawn.map_err(|source| ReportError::Draw { figure: figure.to_owned(), source })
}

pub(super) fn hex(colour: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2)
}

/// Rasterises SVG text on a transparent background, enlarged by `scale`.
pub(super) fn rasterise(svg: &str, scale: f32) -> Result<Pixmap, Cause> {
    rasterise_tree(&tree(svg)?, scale)
}

/// Returns a figure on white as PNG.
pub(super) fn png(tree: &Tree) -> Result<Vec<u8>, Cause> {
    let mut pixels = rasterise_tree(tree, SCALE)?;
    over_white(&mut pixels);
    Ok(pixels.encode_png()?)
}

fn rasterise_tree(tree: &Tree, scale: f32) -> Result<Pixmap, Cause> {
    let side = |length: f32| (length * scale).ceil() as u32;
    let mut pixels =
        Pixmap::new(side(tree.size().width()), side(tree.size().height())).ok_or("the figure has no area")?;
    resvg::render(tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    Ok(pixels)
}

/// Reads SVG text; all its texts have the font of figures.
pub(super) fn tree(svg: &str) -> Result<Tree, Cause> {
    static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(dejavu::sans::regular().to_vec());
        fonts.set_sans_serif_family("DejaVu Sans");
        Arc::new(fonts)
    });
    let options = Options { fontdb: Arc::clone(&FONTS), font_family: "DejaVu Sans".to_owned(), ..Options::default() };
    Ok(Tree::from_str(svg, &options)?)
}

fn over_white(pixels: &mut Pixmap) {
    for pixel in pixels.data_mut().chunks_exact_mut(4) {
        let rest = 255 - pixel[3];
        pixel.iter_mut().for_each(|channel| *channel = channel.saturating_add(rest));
    }
}
