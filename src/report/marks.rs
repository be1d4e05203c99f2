//! SVG elements that carry data: tooltips with exact values and their runs, lines of trials, and axes.

use std::fmt::Write as _;

use plotters::prelude::RGBColor;

use super::canvas::Pixel;
use super::figure::hex;

/// Maximum number of tooltips in one figure.
const MOST_TOOLTIPS: usize = 1500;
/// Start of the attribute with the run that a mark leads to.
const RUN: &str = " data-run=\"";
/// Start of the attribute with the name of an axis.
pub(super) const AXIS: &str = " data-axis=\"";

/// Where a mark is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spot {
    /// A circle with a radius around a pixel.
    Circle(Pixel, i32),
    /// A rectangle between its upper left and its lower right corner.
    Rectangle([Pixel; 2]),
}

/// A trial's line through the axes. A page can find it again by its data.
pub(super) struct TrialLine<'t> {
    /// Its points, one per axis.
    pub points: &'t [Pixel],
    pub colour: RGBColor,
    pub name: &'t str,
    /// Its values, one per axis.
    pub values: &'t [String],
    /// The run that it leads to.
    pub run: Option<&'t str>,
}

/// The elements of a figure that carry data.
#[derive(Default)]
pub(super) struct Marks {
    lines: String,
    axes: String,
    tooltips: Vec<String>,
}

impl Marks {
    /// Adds a tooltip, and the key of the run that it leads to.
    pub(super) fn tooltip(&mut self, spot: Spot, text: &str, run: Option<&str>) {
        if self.tooltips.len() >= MOST_TOOLTIPS {
            return;
        }
        let (element, shape) = match spot {
            Spot::Circle((x, y), radius) => ("circle", format!("cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"")),
            Spot::Rectangle([(left, top), (right, bottom)]) => {
                let (width, height) = (right - left, bottom - top);
                ("rect", format!("x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\""))
            }
        };
        let run = attribute(run);
        self.tooltips.push(format!("<{element} {shape}{run}><title>{}</title></{element}>", escaped(text)));
    }

    /// Adds the line of a trial.
    pub(super) fn trial(&mut self, line: &TrialLine<'_>) {
        let points: Vec<String> = line.points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let values: Vec<String> = line.values.iter().map(|value| escaped(value)).collect();
        // Attributes keep line breaks only as references.
        let (points, values) = (points.join(" "), values.join("&#10;"));
        let (colour, name, run) = (hex(line.colour), escaped(line.name), attribute(line.run));
        self.lines.push_str(&format!(
            "<polyline stroke=\"{colour}\" points=\"{points}\" data-trial=\"{name}\" data-values=\"{values}\"{run}/>"
        ));
    }

    /// Adds an axis: the area in which a reader can choose a range of it.
    pub(super) fn axis(&mut self, name: &str, x: i32, (top, bottom): (i32, i32)) {
        const REACH: i32 = 14;
        let (left, width, height, name) = (x - REACH, 2 * REACH, bottom - top, escaped(name));
        self.axes
            .push_str(&format!("<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"{AXIS}{name}\"/>"));
    }

    /// Puts the elements into a finished drawing: lines below everything else, the others above it.
    pub(super) fn insert_into(self, svg: &mut String) {
        let above = self.axes + &self.tooltips.concat();
        if let Some(end) = svg.rfind("</svg>").filter(|_| !above.is_empty()) {
            svg.insert_str(end, &format!("<g fill-opacity=\"0\">{above}</g>"));
        }
        let start = svg.find("<svg").and_then(|start| Some(start + svg[start..].find('>')? + 1));
        if let Some(start) = start.filter(|_| !self.lines.is_empty()) {
            svg.insert_str(start, &format!("<g fill=\"none\" stroke-width=\"2\">{}</g>", self.lines));
        }
    }
}

/// Returns the attribute with the run that a mark leads to.
fn attribute(run: Option<&str>) -> String {
    run.map_or_else(String::new, |run| format!("{RUN}{}\"", escaped(run)))
}

/// Returns the SVG with the paths of pages instead of the keys of runs. Marks whose run has no page lead nowhere.
pub(super) fn with_pages<'p>(svg: &str, page: impl Fn(&str) -> Option<&'p str>) -> String {
    let mut parts = svg.split(RUN);
    let mut linked = parts.next().unwrap_or_default().to_owned();
    for (run, rest) in parts.filter_map(|part| part.split_once('"')) {
        if let Some(path) = page(run) {
            linked.extend([RUN, path, "\""]);
        }
        linked.push_str(rest);
    }
    linked
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => drop(escaped.write_char(other)),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tooltip_is_escaped_and_leads_only_to_a_page() {
        let mut marks = Marks::default();
        marks.tooltip(Spot::Circle((5, 5), 3), "a < b & \"c\"", Some("abc"));
        marks.tooltip(Spot::Rectangle([(1, 2), (4, 8)]), "none", None);
        let mut svg = "<svg></svg>".to_owned();
        marks.insert_into(&mut svg);
        assert!(svg.contains("r=\"3\" data-run=\"abc\"><title>a &lt; b &amp; &quot;c&quot;</title></circle>"), "{svg}");
        assert!(svg.ends_with("width=\"3\" height=\"6\"><title>none</title></rect></g></svg>"), "{svg}");
        let linked = with_pages(&svg, |run| (run == "abc").then_some("runs/abc.html"));
        assert!(linked.contains(" data-run=\"runs/abc.html\"><title>a"), "{linked}");
        assert!(with_pages(&svg, |_| None).contains("r=\"3\"><title>a"));
    }
}
