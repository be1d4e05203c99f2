//! Sizes of figures in print, chosen so that their text is 7 to 8 points high.

use std::fmt;

use super::canvas::TEXT;
use super::error::ReportError;
use super::figure::{Figure, tree};
use super::pdf::pdf;
use crate::cause::Cause;

/// Smallest text in print, in points.
const SMALLEST: f64 = 7.0;
/// Points per millimetre.
const POINTS: f64 = 72.0 / 25.4;

/// A width in print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// One column of a page of two: 85 mm.
    Single,
    /// The width of a page of two columns: 178 mm.
    Double,
}

impl Column {
    /// All widths, the narrowest first.
    pub(super) const ALL: [Self; 2] = [Self::Single, Self::Double];

    fn millimetres(self) -> f64 {
        match self {
            Self::Single => 85.0,
            Self::Double => 178.0,
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PDF, {:.0} mm", self.millimetres())
    }
}

impl Figure {
    /// Returns the name of the PDF of a width; `None` if its text would be too small.
    pub(super) fn pdf_name(&self, column: Column) -> Option<String> {
        self.printed(column).map(|_| format!("{}-{:.0}mm.pdf", self.name, column.millimetres()))
    }

    /// Returns the SVG with its size in millimetres; `None` if its text would be too small at this width.
    fn printed(&self, column: Column) -> Option<String> {
        let (width, height) = self.size;
        let scale = column.millimetres() / f64::from(width);
        let text = f64::from(TEXT) * scale * POINTS;
        let pixels = format!("width=\"{width}\" height=\"{height}\"");
        let size = format!("width=\"{:.2}mm\" height=\"{:.2}mm\"", column.millimetres(), f64::from(height) * scale);
        (text >= SMALLEST).then(|| self.svg().replacen(&pixels, &size, 1))
    }

    /// Returns the figure as PDF, with an embedded font; `None` if its text would be too small at this width.
    ///
    /// # Errors
    /// The figure cannot be written as PDF.
    pub(super) fn pdf(&self, column: Column) -> Result<Option<Vec<u8>>, ReportError> {
        let Some(svg) = self.printed(column) else { return Ok(None) };
        let written =
            || -> Result<Vec<u8>, Cause> { pdf(&tree(&svg)?, dejavu::sans::regular(), column.millimetres() as f32) };
        written().map(Some).map_err(|source| ReportError::Draw { figure: self.name.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::canvas::WIDE;
    use crate::report::figure::FigureTexts;

    fn figure(width: i32) -> Figure {
        let texts = FigureTexts {
            name: "figure".to_owned(),
            description: String::new(),
            caption: String::new(),
            population: "n = 3 runs".to_owned(),
        };
        Figure::draw(texts, (width, 100), |canvas| canvas.title("Title")).expect("draws")
    }

    #[test]
    fn a_figure_is_printed_only_where_its_text_is_large_enough() {
        let wide = figure(WIDE);
        assert_eq!(wide.printed(Column::Single), None);
        let svg = wide.printed(Column::Double).expect("large enough");
        assert!(
            svg.contains("width=\"178.00mm\" height=\"25.85mm\"") && svg.contains("viewBox=\"0 0 840 122\""),
            "{svg}"
        );
        let tree = resvg::usvg::Tree::from_str(&svg, &resvg::usvg::Options::default()).expect("SVG");
        assert!((f64::from(tree.size().width()) - 178.0 / 25.4 * 96.0).abs() < 0.01);
        assert!(figure(400).printed(Column::Single).is_some());
    }

    #[test]
    fn a_pdf_has_the_size_of_its_column_and_embeds_its_font() {
        let wide = figure(WIDE);
        assert_eq!(wide.pdf(Column::Single).expect("no fault"), None);
        let bytes = wide.pdf(Column::Double).expect("written").expect("large enough");
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("%PDF-") && text.contains("/FontFile2") && text.contains("+DejaVuSans"), "{text}");
        let page = text.split_once("/MediaBox [").and_then(|(_, rest)| rest.split_once(']')).expect("a page").0;
        let sides: Vec<f32> = page.split(' ').map(|side| side.parse().expect("a number")).collect();
        assert!((sides[2] - 504.567).abs() < 0.01 && (sides[3] - 73.28).abs() < 0.05, "{sides:?}");
        // The texts can be searched: "T" is in the map from glyphs to characters.
        assert!(text.contains("<0054>"), "{text}");
    }
}
