//! Sizes of figures in print, chosen so that their text is 7 to 8 points high.

use std::fmt;

use super::drawing::Drawing;
use super::error::ReportError;
use super::figure::{Figure, tree};
use super::pdf::pdf;
use crate::cause::Cause;

/// Height of a page without its margins, in millimetres.
const PAGE: f64 = 250.0;

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

    /// Returns whether a page has room for the height of a drawing.
    pub(super) fn holds(self, drawing: &Drawing) -> bool {
        f64::from(drawing.size.1) * self.millimetres() / f64::from(self.pixels()) <= PAGE
    }

    /// Returns the width of a drawing whose text has 7 points at this width, in pixels.
    pub(super) fn pixels(self) -> i32 {
        match self {
            Self::Single => 400,
            Self::Double => 840,
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PDF, {:.0} mm", self.millimetres())
    }
}

impl Figure {
    /// Returns the name of the PDF of a width; `None` if the figure has no room.
    pub(super) fn pdf_name(&self, column: Column) -> Option<String> {
        self.drawing(column).map(|_| self.file_name(column, "pdf"))
    }

    /// Returns the files of a width with their names: a PDF, and the SVG of a drawing that pages do not show.
    ///
    /// # Errors
    /// The figure cannot be written as PDF.
    pub(super) fn files(&self, column: Column) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
        let Some(drawing) = self.drawing(column) else { return Ok(Vec::new()) };
        let mut files = vec![(self.file_name(column, "pdf"), self.pdf(column, drawing)?)];
        if column == Column::Single {
            files.push((self.file_name(column, "svg"), drawing.svg.clone().into_bytes()));
        }
        Ok(files)
    }

    fn file_name(&self, column: Column, ending: &str) -> String {
        format!("{}-{:.0}mm.{ending}", self.name, column.millimetres())
    }

    /// Returns a drawing as PDF, with an embedded font.
    fn pdf(&self, column: Column, drawing: &Drawing) -> Result<Vec<u8>, ReportError> {
        let written = || -> Result<Vec<u8>, Cause> {
            pdf(&tree(&drawing.svg)?, dejavu::sans::regular(), column.millimetres() as f32)
        };
        written().map_err(|source| ReportError::Draw { figure: self.name.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::canvas::TEXT;
    use crate::report::figure::FigureTexts;
    use crate::report::values::Values;

    /// A figure that needs this width.
    fn figure(needed: i32) -> Figure {
        let texts = FigureTexts {
            name: "figure".to_owned(),
            description: String::new(),
            caption: String::new(),
            population: "n = 3 runs".to_owned(),
        };
        let draw = |sheet: crate::report::drawing::Sheet<'_>| {
            if sheet.width < needed { Ok(None) } else { sheet.draw(100, |_| Ok(())) }
        };
        Figure::of_columns(texts, "Title", Values::default(), draw).expect("draws")
    }

    #[test]
    fn text_in_print_has_at_least_seven_points() {
        for column in Column::ALL {
            let points = f64::from(TEXT) * column.millimetres() / f64::from(column.pixels()) * 72.0 / 25.4;
            assert!((7.0..8.0).contains(&points), "{column}: {points}");
        }
    }

    #[test]
    fn a_figure_is_printed_only_where_it_has_room() {
        let names = |figure: &Figure, column| -> Vec<String> {
            figure.files(column).expect("written").into_iter().map(|(name, _)| name).collect()
        };
        let small = figure(400);
        assert_eq!(names(&small, Column::Single), ["figure-85mm.pdf", "figure-85mm.svg"]);
        assert_eq!(names(&small, Column::Double), ["figure-178mm.pdf"]);
        let large = figure(500);
        assert!(names(&large, Column::Single).is_empty() && large.pdf_name(Column::Single).is_none());
        assert_eq!(large.pdf_name(Column::Double).as_deref(), Some("figure-178mm.pdf"));
    }

    #[test]
    fn a_pdf_has_the_size_of_its_column_and_embeds_its_font() {
        for (column, width, height) in [(Column::Single, 240.945, 73.488), (Column::Double, 504.567, 73.28)] {
            let (_, bytes) = figure(400).files(column).expect("written").remove(0);
            let text = String::from_utf8_lossy(&bytes);
            assert!(text.starts_with("%PDF-") && text.contains("/FontFile2") && text.contains("+DejaVuSans"), "{text}");
            let page = text.split_once("/MediaBox [").and_then(|(_, rest)| rest.split_once(']')).expect("a page").0;
            let sides: Vec<f32> = page.split(' ').map(|side| side.parse().expect("a number")).collect();
            assert!((sides[2] - width).abs() < 0.01 && (sides[3] - height).abs() < 0.05, "{sides:?}");
            // The texts can be searched: "T" is in the map from glyphs to characters.
            assert!(text.contains("<0054>"), "{text}");
        }
    }
}
