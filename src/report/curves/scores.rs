//! Histograms of the image scores of normal and defective images, relative to the held-out threshold: one panel per variant, all seeds
//! together.

use plotters::prelude::Color;

use super::runs::RunCurves;
use super::subject::Subject;
use crate::analysis::MAX_DRAWN;
use crate::report::canvas::{Canvas, DrawResult, WIDE};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, INK};
use crate::report::figures::axis::Axis;
use crate::report::figures::palette::Palette;
use crate::report::figures::plot::{Frame, Plot};
use crate::text::truncated_middle;

/// Number of bins of a histogram.
const BINS: usize = 40;
/// Height of a panel with its texts, in pixels.
const PANEL: i32 = 190;
/// Maximum number of characters of a panel's title.
const CHARACTERS: usize = 46;

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
    let Some(scores_axis) = ScoreAxis::of(panels.iter().flat_map(|(.., scores)| scores).map(|(_, score)| *score))
    else {
        return Ok(None);
    };
    let category = subject.category;
    let palette = Palette::of(groups);
    let texts = subject.texts(
        "scores",
        &format!("{category}: image score ÷ held-out threshold, of normal and of defective images"),
        &format!(
            "{category}: image scores, divided by the held-out threshold (dashed line). Filled are defective images, outlined are normal \
             ones. Each histogram adds up to 100 %."
        ),
        runs.iter().filter(|run| panels.iter().any(|(variant, ..)| *variant == run.variant)),
    );
    let rows = panels.len().div_ceil(2) as i32;
    let figure = Figure::draw(texts, (WIDE, 30 + PANEL * rows), |canvas| {
        canvas.title(&groups.marked(&format!("{category}: image score ÷ held-out threshold")))?;
        for (place, (variant, label, scores)) in panels.iter().enumerate() {
            let (left, top) = (WIDE / 2 * (place as i32 % 2), 30 + PANEL * (place as i32 / 2));
            let frame = Frame { left: left + 54, top: top + 28, right: left + WIDE / 2 - 18, bottom: top + PANEL - 26 };
            draw(canvas, frame, &scores_axis, palette.colour(*variant), (label, scores))?;
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
struct ScoreAxis {
    logarithmic: bool,
    /// Ends of the axis in drawn coordinates.
    ends: (f64, f64),
}

impl ScoreAxis {
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

    /// Returns the same axis with numbers at its ticks.
    fn with_numbers(&self, most: usize) -> Axis {
        let (low, high) = self.ends;
        if !self.logarithmic {
            return Axis::linear(low, high, most);
        }
        let numbers = Axis::logarithmic(10_f64.powf(low), 10_f64.powf(high), most);
        Axis::with_ticks(low, high, numbers.ticks.into_iter().map(|(score, label)| (score.log10(), label)).collect())
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

fn draw(
    canvas: &Canvas<'_>,
    frame: Frame,
    axis: &ScoreAxis,
    colour: plotters::prelude::RGBColor,
    (label, scores): (&str, &[Relative]),
) -> DrawResult {
    let of = |wanted: bool| -> Vec<f64> {
        axis.histogram(
            &scores.iter().filter(|(defective, _)| *defective == wanted).map(|(_, score)| *score).collect::<Vec<_>>(),
        )
    };
    let (normal, defective) = (of(false), of(true));
    let highest = normal.iter().chain(&defective).copied().fold(0.0, f64::max);
    let (low, high) = axis.ends;
    let mut y = Axis::linear(0.0, 108.0 * highest, 4);
    y.ticks.iter_mut().for_each(|(_, label)| label.push_str(" %"));
    let plot = Plot { canvas, frame, x: axis.with_numbers(frame.ticks_across()), y };
    plot.axes(&truncated_middle(label, CHARACTERS), "")?;
    let edge = |bin: usize| low + (high - low) * bin as f64 / BINS as f64;
    for (bin, share) in defective.iter().enumerate().filter(|(_, share)| **share > 0.0) {
        let (lower, upper) = (plot.at((edge(bin), 0.0)), plot.at((edge(bin + 1), 100.0 * share)));
        let corners = [(lower.0, upper.1), (upper.0, lower.1)];
        canvas.fill(corners, colour.mix(0.65))?;
        canvas.tooltip_of_cell(corners, &format!("{label}: {:.1} % of the defective images", 100.0 * share));
    }
    let outline =
        normal.iter().enumerate().flat_map(|(bin, share)| [edge(bin), edge(bin + 1)].map(|x| (x, 100.0 * share)));
    plot.curve(&outline.collect::<Vec<_>>(), INK, 1)?;
    let threshold = axis.place(1.0);
    canvas.dashed(plot.at((threshold, 0.0)), plot.at((threshold, 108.0 * highest)), INK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_score_lies_in_one_bin() {
        let scores = [0.02, 0.5, 1.0, 40.0];
        let axis = ScoreAxis::of(scores.into_iter()).expect("scores that differ");
        assert!(axis.logarithmic && axis.ends.0 < 0.02_f64.log10() && axis.ends.1 > 40_f64.log10());
        let histogram = axis.histogram(&scores);
        assert!((histogram.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(histogram.iter().filter(|share| **share > 0.0).count(), 4);
        // The axis always includes the threshold; scores below 0 have no logarithm.
        let axis = ScoreAxis::of([-0.5, 0.2].into_iter()).expect("scores that differ");
        assert!(!axis.logarithmic && axis.ends.1 > 1.0);
        assert!(ScoreAxis::of([1.0].into_iter()).is_none());
    }
}
