//! Histograms of the image scores of normal and defective images, relative to the held-out threshold: one panel per variant, all seeds
//! together.

use plotters::prelude::{Color, RGBColor};

use super::runs::RunCurves;
use super::subject::Subject;
use crate::analysis::MAX_DRAWN;
use crate::report::canvas::{Canvas, DrawResult, fitted_middle};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, INK};
use crate::report::figures::axis::Axis;
use crate::report::figures::palette::Palette;
use crate::report::figures::panels::Panels;
use crate::report::figures::plot::{Frame, Plot};
use crate::report::values::{Values, number, text};

/// Number of bins of a histogram.
const BINS: usize = 40;
/// Height of a panel, its smallest width, and the space for its texts at the left, top, right and bottom, in pixels.
const PANEL: i32 = 190;
const NARROWEST: i32 = 320;
const AROUND: [i32; 4] = [54, 28, 18, 26];

/// Whether an image is defective, and its score divided by the held-out threshold of its run.
type Relative = (bool, f64);

/// Draws a figure; `None` if no run has a threshold above 0.
pub(super) fn scores(subject: &Subject<'_>, runs: &[RunCurves]) -> Result<Option<Figure>, ReportError> {
    let groups = subject.groups;
    let variants = groups.variants.iter().take(MAX_DRAWN).enumerate();
    let scored: Vec<(usize, Vec<Relative>)> = variants
        .map(|(index, _)| (index, relative(runs.iter().filter(|run| run.variant == index))))
        .filter(|(_, scores)| !scores.is_empty())
        .collect();
    let Some(axis) = ScoreAxis::of(scored.iter().flat_map(|(_, scores)| scores).map(|(_, score)| *score)) else {
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
        runs.iter().filter(|run| scored.iter().any(|(variant, _)| *variant == run.variant)),
    );
    let histogram = |(variant, scores): &(usize, Vec<Relative>)| Histogram {
        label: &groups.variants[*variant].label,
        colour: palette.colour(*variant),
        run: runs.iter().find(|run| run.variant == *variant).map(|run| run.id.as_str()),
        normal: axis.histogram(scores, false),
        defective: axis.histogram(scores, true),
    };
    let histograms: Vec<Histogram<'_>> = scored.iter().map(histogram).collect();
    let title = groups.marked(&format!("{category}: image score ÷ held-out threshold"));
    let figure = Figure::of_columns(texts, &title, values(&axis, &histograms), |sheet| {
        let panels = Panels::new(histograms.len(), (sheet.width, NARROWEST), 30, PANEL);
        sheet.draw(panels.bottom, |canvas| {
            let mut of_panels = histograms.iter().enumerate();
            of_panels.try_for_each(|(place, of)| of.draw(canvas, panels.place(place).inset(AROUND), &axis))
        })
    })?;
    Ok(Some(figure))
}

/// Returns the bars that are not empty.
fn values(axis: &ScoreAxis, histograms: &[Histogram<'_>]) -> Values {
    let classes = histograms.iter().flat_map(|of| [("normal", of, &of.normal), ("defective", of, &of.defective)]);
    let bars = classes.flat_map(|(class, of, shares)| {
        shares.iter().enumerate().filter(|(_, share)| **share > 0.0).map(move |(bin, share)| {
            let edge = |bin: usize| number(axis.score(axis.edge(bin)));
            [text(of.label), text(class), edge(bin), edge(bin + 1), number(*share)]
        })
    });
    Values::of(["variant", "class", "from", "to", "share"], bars)
}

/// The scores of one variant.
struct Histogram<'a> {
    label: &'a str,
    colour: RGBColor,
    /// The run that the bars lead to.
    run: Option<&'a str>,
    /// Share of the images in each bin.
    normal: Vec<f64>,
    defective: Vec<f64>,
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

    /// Returns the score at a place.
    fn score(&self, place: f64) -> f64 {
        if self.logarithmic { 10_f64.powf(place) } else { place }
    }

    /// Returns the place of the lower edge of a bin.
    fn edge(&self, bin: usize) -> f64 {
        self.ends.0 + (self.ends.1 - self.ends.0) * bin as f64 / BINS as f64
    }

    /// Returns the share of the normal or of the defective images in each bin.
    fn histogram(&self, scores: &[Relative], defective: bool) -> Vec<f64> {
        let mut counts = vec![0_usize; BINS];
        let width = (self.ends.1 - self.ends.0) / BINS as f64;
        for (_, score) in scores.iter().filter(|(known, _)| *known == defective) {
            let bin = ((self.place(*score) - self.ends.0) / width) as usize;
            counts[bin.min(BINS - 1)] += 1;
        }
        let all = counts.iter().sum::<usize>().max(1) as f64;
        counts.into_iter().map(|count| count as f64 / all).collect()
    }
}

impl Histogram<'_> {
    fn draw(&self, canvas: &Canvas<'_>, frame: Frame, axis: &ScoreAxis) -> DrawResult {
        let highest = self.normal.iter().chain(&self.defective).copied().fold(0.0, f64::max);
        let mut y = Axis::linear(0.0, 108.0 * highest, 4);
        y.ticks.iter_mut().for_each(|(_, label)| label.push_str(" %"));
        let plot = Plot { canvas, frame, x: axis.with_numbers(frame.ticks_across()), y };
        plot.axes(&fitted_middle(self.label, frame.right - frame.left), "")?;
        for (bin, share) in self.defective.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let (lower, upper) = (plot.at((axis.edge(bin), 0.0)), plot.at((axis.edge(bin + 1), 100.0 * share)));
            let corners = [(lower.0, upper.1), (upper.0, lower.1)];
            canvas.fill(corners, self.colour.mix(0.65))?;
            let text = format!("{}: {:.1} % of the defective images", self.label, 100.0 * share);
            canvas.tooltip_of_cell(corners, &text, self.run);
        }
        let shares = self.normal.iter().enumerate();
        let outline = shares.flat_map(|(bin, share)| [bin, bin + 1].map(|bin| (axis.edge(bin), 100.0 * share)));
        plot.curve(&outline.collect::<Vec<_>>(), INK, 1)?;
        let threshold = axis.place(1.0);
        canvas.dashed(plot.at((threshold, 0.0)), plot.at((threshold, 108.0 * highest)), INK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_score_lies_in_one_bin() {
        let scores = [0.02, 0.5, 1.0, 40.0];
        let axis = ScoreAxis::of(scores.into_iter()).expect("scores that differ");
        assert!(axis.logarithmic && axis.ends.0 < 0.02_f64.log10() && axis.ends.1 > 40_f64.log10());
        let histogram = axis.histogram(&scores.map(|score| (true, score)), true);
        assert!((histogram.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(histogram.iter().filter(|share| **share > 0.0).count(), 4);
        assert!((axis.score(axis.edge(0)).log10() - axis.ends.0).abs() < 1e-12);
        // The axis always includes the threshold; scores below 0 have no logarithm.
        let axis = ScoreAxis::of([-0.5, 0.2].into_iter()).expect("scores that differ");
        assert!(!axis.logarithmic && axis.ends.1 > 1.0);
        assert!(ScoreAxis::of([1.0].into_iter()).is_none());
    }
}
