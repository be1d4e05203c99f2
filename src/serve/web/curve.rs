//! Small charts of training curves.

use maud::{Markup, html};
use serde::Serialize;

use crate::store::Curve;
use crate::text::counted;

/// The curves that a chart shows, with what they are; of those with the same meaning, the first that the stage has. Only
/// `loss_similarity` can be compared with the held-out loss of the joint stage.
const SHOWN: [(&str, &[&str]); 2] =
    [("training loss", &["loss_similarity", "loss"]), ("held-out loss", &["held_out_loss"])];
/// Size of a chart, in pixels.
const WIDTH: f64 = 280.0;
const HEIGHT: f64 = 72.0;
/// Styles of the lines, in their order.
const DASHES: [&str; SHOWN.len()] = ["", "5 3"];

/// Curves by epoch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct CurveLines(Vec<Line>);

/// A curve: what it is, and its points (epoch, value).
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Line {
    name: &'static str,
    points: Vec<(i64, f64)>,
}

impl CurveLines {
    /// Collects the points of a stage; `None` if no curve has a value yet.
    pub(super) fn of(points: &[Curve], stage: &str) -> Option<Self> {
        let of_key = |key: &str| -> Vec<(i64, f64)> {
            let of_key = points.iter().filter(|point| point.stage_id == stage && point.name == key);
            of_key.filter_map(|point| Some((point.step, point.value.filter(|value| value.is_finite())?))).collect()
        };
        let line = |(name, keys): &(&'static str, &[&str])| {
            let points = keys.iter().map(|key| of_key(key)).find(|points| !points.is_empty())?;
            Some(Line { name, points })
        };
        let lines: Vec<Line> = SHOWN.iter().filter_map(line).collect();
        (!lines.is_empty()).then_some(Self(lines))
    }

    /// Describes the curves: "training loss 0.52 to 0.31, held-out loss 0.6 to 0.4; 12 epochs".
    fn description(&self) -> String {
        let line = |line: &Line| {
            let ends = [line.points.first(), line.points.last()].map(|point| point.map_or(0.0, |point| point.1));
            let [from, to] = ends.map(|value| crate::text::round_to_digits(value, 3));
            format!("{} {from} to {to}", line.name)
        };
        let lines: Vec<String> = self.0.iter().map(line).collect();
        let last = self.0.iter().flat_map(|line| &line.points).map(|point| point.0).max().unwrap_or(0);
        format!("{}; {}", lines.join(", "), counted(last, "epoch"))
    }

    /// Draws the chart. Its vertical axis is logarithmic if all values are positive.
    pub(super) fn chart(&self) -> Markup {
        let values = || self.0.iter().flat_map(|line| &line.points).map(|point| point.1);
        let logarithmic = values().all(|value| value > 0.0);
        let place = |value: f64| if logarithmic { value.ln() } else { value };
        let (low, high) =
            values().map(place).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let last = self.0.iter().flat_map(|line| &line.points).map(|point| point.0).max().unwrap_or(1).max(2) as f64;
        let at = |(epoch, value): &(i64, f64)| {
            let x = 4.0 + (WIDTH - 8.0) * (*epoch as f64 - 1.0) / (last - 1.0);
            let part = if high > low { (place(*value) - low) / (high - low) } else { 0.5 };
            format!("{x:.1},{:.1}", HEIGHT - 4.0 - (HEIGHT - 8.0) * part)
        };
        let path = |line: &Line| line.points.iter().map(at).collect::<Vec<_>>().join(" ");
        let description = self.description();
        html! { figure.chart {
            svg role="img" aria-label=(description) viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) width=(WIDTH) height=(HEIGHT) {
                @for (line, dash) in self.0.iter().zip(DASHES) {
                    polyline points=(path(line)) fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray=(dash) {}
                    @if let [only] = &line.points[..] {
                        @let place = at(only);
                        @if let Some((x, y)) = place.split_once(',') { circle cx=(x) cy=(y) r="2.5" fill="currentColor" {} }
                    }
                }
            }
            figcaption { (description) }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(name: &str, step: i64, value: Option<f64>) -> Curve {
        Curve { stage_id: "s".to_owned(), name: name.to_owned(), step, value }
    }

    #[test]
    fn a_chart_shows_losses_and_says_what_they_are() {
        let points = [
            point("held_out_loss", 1, Some(0.6)),
            point("held_out_loss", 2, Some(0.3)),
            point("loss_similarity", 1, Some(0.512_34)),
            point("loss_similarity", 2, None),
            point("gradient_norm_student", 1, Some(9.0)),
        ];
        let lines = CurveLines::of(&points, "s").expect("curves");
        assert_eq!(lines.description(), "training loss 0.512 to 0.512, held-out loss 0.6 to 0.3; 2 epochs");
        let chart = lines.chart().into_string();
        assert!(
            chart.contains("<circle") && chart.matches("<polyline").count() == 2 && !chart.contains("NaN"),
            "{chart}"
        );
        assert_eq!(CurveLines::of(&points[4..], "s"), None);
    }
}
