//! Draws a figure once, as SVG. Pages embed the SVG; PNG files are rasterised from it with the same font.

use std::sync::{Arc, LazyLock, Once};

use plotters::chart::MeshStyle;
use plotters::coord::Shift;
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::{DrawingArea, IntoDrawingArea, IntoFont, RGBColor, SVGBackend, TRANSPARENT, TextStyle};
use plotters::style::{FontStyle, register_font};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::error::ReportError;
use crate::analysis::{Groups, MAX_DRAWN};
use crate::cause::Cause;
use crate::text::truncated;

/// Colour of text and axes; on a page they take the page's own colour.
pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
/// Colour of grid lines; on a page they take the page's own colour.
pub(super) const MESH: RGBColor = RGBColor(221, 221, 221);
/// Colour of the patches that separate text from lines; on a page they take the page's own colour.
pub(super) const PAPER: RGBColor = RGBColor(254, 254, 254);
/// Colours of variants. Colour-blind people can distinguish them on light and on dark pages: Okabe and Ito 2008 without black and yellow,
/// then the darker ones of Tol's muted scheme (2021).
const SERIES: [RGBColor; 12] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(98, 84, 190),
    RGBColor(160, 60, 105),
    RGBColor(40, 130, 60),
    RGBColor(153, 153, 51),
    RGBColor(170, 68, 153),
    RGBColor(136, 136, 136),
];
/// Colour of variants that have no colour of their own.
const OTHERS: RGBColor = RGBColor(178, 178, 178);
/// Height of the line below a figure, and width of its characters, in pixels.
const FOOT: u32 = 20;
const FOOT_CHARACTER: u32 = 6;
/// Colour of text on pale colours, which stay pale on dark pages.
pub(super) const ON_PALE: RGBColor = RGBColor(24, 24, 24);
/// Number of PNG pixels per SVG pixel, in each direction.
const SCALE: f32 = 2.0;

/// Drawing area of a figure.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Result of drawing, with the cause of a failure.
pub(super) type DrawResult = Result<(), Cause>;

/// Returns the colour of the variant at `index`; pale grey for variants without a colour of their own.
pub(super) fn series(index: usize) -> RGBColor {
    SERIES.get(index).copied().unwrap_or(OTHERS)
}

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

/// Returns the number of decimals that distinguish the values of an axis.
pub(super) fn digits(low: f64, high: f64) -> usize {
    (1.0 - (high - low).log10()).ceil().clamp(0.0, 6.0) as usize
}

/// Applies the style of all axes and grids: main lines only, small labels.
pub(super) fn plain<'m, 'a, 'b, X: Ranged, Y: Ranged>(
    mesh: &'m mut MeshStyle<'a, 'b, X, Y, SVGBackend<'a>>,
) -> &'m mut MeshStyle<'a, 'b, X, Y, SVGBackend<'a>> {
    mesh.light_line_style(TRANSPARENT)
        .bold_line_style(MESH)
        .axis_style(INK)
        .label_style(("sans-serif", 12).into_font().color(&INK))
}

/// Returns what a caption adds if not all variants are drawn.
pub(super) fn left_out(variants: usize) -> String {
    first_of(MAX_DRAWN, variants, "variants")
}

/// Returns what a caption adds if only the first `drawn` of `all` are drawn.
pub(super) fn first_of(drawn: usize, all: usize, what: &str) -> String {
    if all <= drawn { String::new() } else { format!(" (the first {drawn} of {all} {what})") }
}

/// Texts about a figure.
pub(super) struct FigureTexts {
    /// File name without extension.
    pub name: String,
    /// What the figure shows, for readers who cannot see it.
    pub description: String,
    /// The runs behind its numbers; shown below the figure.
    pub population: String,
}

/// A drawn figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Figure {
    /// File name without extension.
    pub name: String,
    /// What the figure shows, for readers who cannot see it.
    pub description: String,
    svg: String,
}

impl Groups<'_> {
    /// Returns the texts about a figure of these runs; the description carries the marks.
    pub(super) fn about(&self, name: String, description: &str) -> FigureTexts {
        FigureTexts { name, description: self.marked(description), population: self.population() }
    }
}

impl Figure {
    /// Draws on an area of `size` pixels, and writes below it which runs the numbers are from.
    ///
    /// # Errors
    /// The figure cannot be drawn.
    pub(super) fn draw(
        FigureTexts { name, description, population }: FigureTexts,
        (width, height): (u32, u32),
        draw: impl FnOnce(&Area<'_>) -> DrawResult,
    ) -> Result<Self, ReportError> {
        static FONT: Once = Once::new();
        FONT.call_once(|| {
            // Registering fails only if the font cannot be read; drawing then reports that itself.
            let _ = register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular());
        });
        let mut svg = String::new();
        let drawn = {
            let canvas = SVGBackend::with_string(&mut svg, (width, height + FOOT)).into_drawing_area();
            let (area, foot) = canvas.split_vertically(height);
            draw(&area)
                .and_then(|()| {
                    let text = truncated(&population, (width / FOOT_CHARACTER) as usize);
                    foot.draw_text(&text, &TextStyle::from(("sans-serif", 11)).color(&INK), (12, 2)).map_err(Into::into)
                })
                .and_then(|()| canvas.present().map_err(Into::into))
        };
        drawn.map_err(|source| ReportError::Draw { figure: name.clone(), source })?;
        Ok(Self { name, description, svg })
    }

    /// Returns the SVG for a page: text and grid take the page's colours.
    pub(super) fn html(&self) -> String {
        let start = self.svg.find("<svg").unwrap_or(0);
        self.svg[start..]
            .replace(&hex(INK), "currentColor")
            .replace(&hex(MESH), "var(--mesh)")
            .replace(&hex(PAPER), "var(--paper)")
    }

    /// Returns the SVG for a file of its own.
    pub(super) fn svg(&self) -> &str {
        &self.svg
    }

    /// Returns the figure on white as PNG.
    pub(super) fn png(&self) -> Result<Vec<u8>, ReportError> {
        let draw_error = |source| ReportError::Draw { figure: self.name.clone(), source };
        let mut pixels = rasterise(&self.svg, SCALE).map_err(draw_error)?;
        over_white(&mut pixels);
        pixels.encode_png().map_err(|error| draw_error(error.into()))
    }
}

fn hex(colour: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2)
}

/// Rasterises SVG text on a transparent background, enlarged by `scale`.
pub(super) fn rasterise(svg: &str, scale: f32) -> Result<Pixmap, Cause> {
    static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(dejavu::sans::regular().to_vec());
        fonts.set_sans_serif_family("DejaVu Sans");
        Arc::new(fonts)
    });
    let options = Options { fontdb: Arc::clone(&FONTS), font_family: "DejaVu Sans".to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options)?;
    let side = |length: f32| (length * scale).ceil() as u32;
    let mut pixels =
        Pixmap::new(side(tree.size().width()), side(tree.size().height())).ok_or("the figure has no area")?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    Ok(pixels)
}

fn over_white(pixels: &mut Pixmap) {
    for pixel in pixels.data_mut().chunks_exact_mut(4) {
        let rest = 255 - pixel[3];
        pixel.iter_mut().for_each(|channel| *channel = channel.saturating_add(rest));
    }
}
