//! A figure is drawn once, as SVG: pages embed it, PNG files are rasterised from it with the same font.

use std::sync::{Arc, LazyLock, Once};

use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, IntoDrawingArea, RGBColor, SVGBackend};
use plotters::style::{FontStyle, register_font};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::ReportError;

/// Text and axes; on a page they take the page's own colour.
pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
/// Grid lines; likewise.
pub(super) const MESH: RGBColor = RGBColor(221, 221, 221);
/// Colours of variants that can be told apart by colour-blind people, on light and on dark (Okabe and Ito 2008, without
/// black and yellow).
const SERIES: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];
/// Variants that one figure can show; the tables have all.
pub(super) const MAX_DRAWN: usize = 12;
/// Pixels of a PNG for one of the SVG.
const SCALE: f32 = 2.0;

/// Drawing area of a figure.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// What drawing can fail with.
pub(super) type DrawResult = Result<(), Box<dyn std::error::Error>>;

/// The colour of the n-th variant.
pub(super) fn series(index: usize) -> RGBColor {
    SERIES[index % SERIES.len()]
}

/// What a caption adds where not all variants are drawn.
pub(super) fn left_out(variants: usize) -> String {
    match variants {
        0..=MAX_DRAWN => String::new(),
        more => format!(" (the first {MAX_DRAWN} of {more} variants)"),
    }
}

/// A drawn figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Figure {
    /// File name without ending.
    pub name: String,
    /// What it shows, for those who cannot see it.
    pub description: String,
    svg: String,
}

impl Figure {
    /// Draws on an area of `size` pixels.
    pub(super) fn draw(
        name: String,
        description: String,
        size: (u32, u32),
        draw: impl FnOnce(&Area<'_>) -> DrawResult,
    ) -> Result<Self, ReportError> {
        static FONT: Once = Once::new();
        FONT.call_once(|| {
            // The only way to fail is a font that cannot be read; drawing then says so itself.
            let _ = register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular());
        });
        let mut svg = String::new();
        let drawn = {
            let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            draw(&area).and_then(|()| area.present().map_err(Into::into))
        };
        drawn.map_err(|error| ReportError::Draw { figure: name.clone(), reason: error.to_string() })?;
        Ok(Self { name, description, svg })
    }

    /// The SVG for a page: text and grid take the page's colours.
    pub(super) fn html(&self) -> String {
        let start = self.svg.find("<svg").unwrap_or(0);
        self.svg[start..].replace(&hex(INK), "currentColor").replace(&hex(MESH), "var(--mesh)")
    }

    /// The figure on white.
    pub(super) fn png(&self) -> Result<Vec<u8>, ReportError> {
        let wrong = |reason: String| ReportError::Draw { figure: self.name.clone(), reason };
        let mut pixels = rasterise(&self.svg, SCALE).map_err(wrong)?;
        over_white(&mut pixels);
        pixels.encode_png().map_err(|error| wrong(error.to_string()))
    }
}

fn hex(colour: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2)
}

/// Draws SVG text on nothing, enlarged.
pub(super) fn rasterise(svg: &str, scale: f32) -> Result<Pixmap, String> {
    static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(dejavu::sans::regular().to_vec());
        fonts.set_sans_serif_family("DejaVu Sans");
        Arc::new(fonts)
    });
    let options = Options { fontdb: Arc::clone(&FONTS), font_family: "DejaVu Sans".to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| error.to_string())?;
    let side = |length: f32| (length * scale).ceil() as u32;
    let mut pixels = Pixmap::new(side(tree.size().width()), side(tree.size().height()))
        .ok_or_else(|| "a figure without area".to_owned())?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    Ok(pixels)
}

fn over_white(pixels: &mut Pixmap) {
    for pixel in pixels.data_mut().chunks_exact_mut(4) {
        let rest = 255 - pixel[3];
        pixel.iter_mut().for_each(|channel| *channel = channel.saturating_add(rest));
    }
}
