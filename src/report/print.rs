//! Sizes of figures in print, chosen so that their text is 7 to 8 points high.

use std::fmt;

use super::drawing::Drawing;
use super::error::ReportError;
use super::figure::{Figure, png, tree};
use super::pdf::pdf;

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

    /// Returns the files of the figure with their names: its values, and each drawing as PDF and SVG. The wide drawing is also a PNG.
    ///
    /// # Errors
    /// The figure cannot be rasterised or written as PDF.
    pub(super) fn files(&self) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
        let wrong = |source| ReportError::Draw { figure: self.name.clone(), source };
        let mut files = vec![(format!("{}.csv", self.name), self.values.csv()?)];
        for column in Column::ALL {
            let Some(drawing) = self.drawing(column) else { continue };
            // Reading the SVG takes as long as writing the PDF.
            let tree = tree(&drawing.svg).map_err(wrong)?;
            let pdf = pdf(&tree, dejavu::sans::regular(), column.millimetres() as f32).map_err(wrong)?;
            files.push((self.file_name(column, "pdf"), pdf));
            let svg = match column {
                Column::Single => self.file_name(column, "svg"),
                Column::Double => {
                    files.push((format!("{}.png", self.name), png(&tree).map_err(wrong)?));
                    format!("{}.svg", self.name)
                }
            };
            files.push((svg, drawing.svg.clone().into_bytes()));
        }
        Ok(files)
    }

    fn file_name(&self, column: Column, ending: &str) -> String {
        format!("{}-{:.0}mm.{ending}", self.name, column.millimetres())
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

    /// Names of a figure's files that end like this.
    fn names(figure: &Figure, endings: [&str; 2]) -> Vec<String> {
        let names = figure.files().expect("written").into_iter().map(|(name, _)| name);
        names.filter(|name| endings.iter().any(|ending| name.ends_with(ending))).collect()
    }

    #[test]
    fn a_figure_is_printed_only_where_it_has_room() {
        let small = figure(400);
        assert_eq!(names(&small, ["-85mm.pdf", "-178mm.pdf"]), ["figure-85mm.pdf", "figure-178mm.pdf"]);
        assert_eq!(names(&small, ["figure-85mm.svg", "figure.svg"]), ["figure-85mm.svg", "figure.svg"]);
        assert_eq!(names(&small, [".png", ".csv"]), ["figure.csv", "figure.png"]);
        let large = figure(500);
        assert_eq!(names(&large, ["pdf", "svg"]), ["figure-178mm.pdf", "figure.svg"]);
        assert!(large.pdf_name(Column::Single).is_none());
        assert_eq!(large.pdf_name(Column::Double).as_deref(), Some("figure-178mm.pdf"));
    }

    #[test]
    fn a_pdf_has_the_size_of_its_column_and_embeds_its_font() {
        let files = figure(400).files().expect("written");
        for (name, width, height) in [("figure-85mm.pdf", 240.945, 73.488), ("figure-178mm.pdf", 504.567, 73.28)] {
            let (_, bytes) = files.iter().find(|(known, _)| known == name).expect("a PDF");
            let text = String::from_utf8_lossy(bytes);
            assert!(text.starts_with("%PDF-") && text.contains("/FontFile2") && text.contains("+DejaVuSans"), "{text}");
            let page = text.split_once("/MediaBox [").and_then(|(_, rest)| rest.split_once(']')).expect("a page").0;
            let sides: Vec<f32> = page.split(' ').map(|side| side.parse().expect("a number")).collect();
            assert!((sides[2] - width).abs() < 0.01 && (sides[3] - height).abs() < 0.05, "{sides:?}");
            // The texts can be searched: "T" is in the map from glyphs to characters.
            assert!(text.contains("<0054>"), "{text}");
        }
    }
}
