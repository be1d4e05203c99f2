//! Histograms of the image scores of normal and defective images, relative to the held-out threshold: one panel per variant, all seeds
//! together.

use plotters::prelude::*;

use super::runs::RunCurves;
use super::subject::Subject;
use crate::analysis::MAX_DRAWN;
use crate::report::error::ReportError;
use crate::report::figure::{Area, DrawResult, Figure, FigureTexts, INK, plain, series};
use crate::report::figures::ink;
use crate::text::{round_to_digits, truncated_middle};

/// Number of bins of a histogram.
const BINS: usize = 40;
/// Width and height of a panel, in pixels.
const PANEL: (u32, u32) = (480, 190);
/// Height above the panels, in pixels.
const HEAD: u32 = 48;
/// Maximum number of characters of a panel's title.
const CHARACTERS: usize = 58;

/// Whether an image is defective, and its score divided by the held-out threshold of its run.
type Relative = (bool, f64);

/// Draws a figure; `None` if no run has a threshold above 0.
pub(super) fn scores(subject: &Subject<'_>, runs: &[RunCurves]) -> Result<Option<Figure>, ReportError> {
    let groups = subject.groups;
    let variants = groups.variants.iter().take(MAX_DRAWN).enumerate();
    let panels: Vec<(usize, &str, Vec<Relative>)> = variants
        .map(|(index, variant)| {
            (index, variant.label.as_str(), relative(runs.iter().filter(|run| run.variant == index)))
        })
        .filter(|(.., scores)| !scores.is_empty())
        .collect();
    let Some(axis) = Axis::of(panels.iter().flat_map(|(.., scores)| scores).map(|(_, score)| *score)) else {
        return Ok(None);
    };
    let title = format!("{}: image score ÷ held-out threshold", subject.category);
    let key = "filled: defective, outlined: normal, each as a share of its images; dashed: threshold";
    let name = format!("{}scores-{}", subject.prefix, subject.category);
    let description = groups.marked(&format!("{title}; {key}"));
    let about = FigureTexts { name, description, population: subject.population.clone() };
    let size = (2 * PANEL.0, HEAD + PANEL.1 * panels.len().div_ceil(2) as u32);
    let figure = Figure::draw(about, size, |area| {
        let line = |text: &str, size: u32, y: i32| area.draw_text(text, &ink(size), (12, y));
        line(&groups.marked(&title), 15, 8)?;
        line(key, 12, 29)?;
        let (_, below) = area.split_vertically(HEAD as i32);
        let areas = below.split_evenly((panels.len().div_ceil(2), 2));
        for (area, (variant, label, scores)) in areas.iter().zip(&panels) {
            draw(area, &axis, *variant, label, scores)?;
        }
        Ok(())
    })?;
    Ok(Some(figure))
}

fn relative<'m>(runs: impl Iterator<Item = &'m RunCurves>) -> Vec<Relative> {
    let of_run = |run: &'m RunCurves| {
        let threshold = run.threshold.filter(|threshold| *threshold > 0.0)?;
        Some(run.scores.iter().map(move |(defective, score)| (*defective, score / threshold)))
    };
    runs.filter_map(of_run).flatten().collect()
}

/// The x axis of scores: logarithmic if all scores are above 0.
struct Axis {
    logarithmic: bool,
    /// Ends of the axis in drawn coordinates.
    ends: (f64, f64),
}

impl Axis {
    fn of(scores: impl Iterator<Item = f64>) -> Option<Self> {
        let (low, high) = scores.fold((1.0_f64, 1.0_f64), |(low, high), score| (low.min(score), high.max(score)));
        let axis = Self { logarithmic: low > 0.0, ends: (0.0, 0.0) };
        let (low, high) = (axis.place(low), axis.place(high));
        let margin = 0.03 * (high - low);
        (high > low).then_some(Self { ends: (low - margin, high + margin), ..axis })
    }

    fn place(&self, score: f64) -> f64 {
        if self.logarithmic { score.log10() } else { score }
    }

    fn score(&self, place: f64) -> f64 {
        if self.logarithmic { 10_f64.powf(place) } else { place }
    }

    /// Returns the share of the scores in each bin.
    fn histogram(&self, scores: &[f64]) -> Vec<f64> {
        let mut shares = vec![0.0; BINS];
        let width = (self.ends.1 - self.ends.0) / BINS as f64;
        for score in scores {
            let bin = ((self.place(*score) - self.ends.0) / width) as usize;
            shares[bin.min(BINS - 1)] += 1.0 / scores.len() as f64;
        }
        shares
    }
}

fn draw(area: &Area<'_>, axis: &Axis, variant: usize, label: &str, scores: &[Relative]) -> DrawResult {
    let of = |wanted: bool| -> Vec<f64> {
        axis.histogram(
            &scores.iter().filter(|(defective, _)| *defective == wanted).map(|(_, score)| *score).collect::<Vec<_>>(),
        )
    };
    let (normal, defective) = (of(false), of(true));
    let highest = normal.iter().chain(&defective).copied().fold(0.0, f64::max);
    let (low, high) = axis.ends;
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(16)
        .caption(truncated_middle(label, CHARACTERS), ("sans-serif", 13).into_font().color(&INK))
        .x_label_area_size(24)
        .y_label_area_size(44)
        .build_cartesian_2d(low..high, 0.0..1.08 * highest)?;
    plain(&mut chart.configure_mesh())
        .x_labels(9)
        .y_labels(4)
        .x_label_formatter(&|place| short(axis.score(*place)))
        .y_label_formatter(&|share| format!("{:.0} %", 100.0 * share))
        .draw()?;
    let edge = |bin: usize| low + (high - low) * bin as f64 / BINS as f64;
    let bars = defective.iter().enumerate().filter(|(_, share)| **share > 0.0);
    let colour = series(variant);
    chart.draw_series(
        bars.map(|(bin, share)| Rectangle::new([(edge(bin), 0.0), (edge(bin + 1), *share)], colour.mix(0.65).filled())),
    )?;
    let outline = normal.iter().enumerate().flat_map(|(bin, share)| [(edge(bin), *share), (edge(bin + 1), *share)]);
    chart.draw_series(LineSeries::new(outline, INK.stroke_width(1)))?;
    let threshold = axis.place(1.0);
    chart.draw_series(DashedLineSeries::new(
        [(threshold, 0.0), (threshold, 1.08 * highest)],
        5,
        4,
        INK.stroke_width(1),
    ))?;
    Ok(())
}

/// Rounds a number to two significant digits.
fn short(value: f64) -> String {
    round_to_digits(value, 2).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_score_lies_in_one_bin() {
        let scores = [0.02, 0.5, 1.0, 40.0];
        let axis = Axis::of(scores.into_iter()).expect("scores that differ");
        assert!(axis.logarithmic && axis.ends.0 < 0.02_f64.log10() && axis.ends.1 > 40_f64.log10());
        let histogram = axis.histogram(&scores);
        assert!((histogram.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(histogram.iter().filter(|share| **share > 0.0).count(), 4);
        // The axis always includes the threshold; scores below 0 have no logarithm.
        let axis = Axis::of([-0.5, 0.2].into_iter()).expect("scores that differ");
        assert!(!axis.logarithmic && axis.ends.1 > 1.0);
        assert!(Axis::of([1.0].into_iter()).is_none());
    }

    #[test]
    fn tick_values_are_short() {
        assert_eq!([0.05, 1.0, 1.9999, 20.0].map(short), ["0.05", "1", "2", "20"]);
    }
}
