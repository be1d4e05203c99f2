//! Draws a critical-difference diagram (Demšar 2006): mean ranks over categories, and bars that join variants that do not differ.

use plotters::prelude::RGBColor;

use super::palette::Palette;
use super::representative::representative;
use super::{FigureChapter, FigureKind};
use crate::analysis::{MAX_DRAWN, RankTest, rank_tests};
use crate::report::canvas::{Anchor, Canvas, DrawResult, LINE, TEXT, fitted_middle, text_width};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts, INK};
use crate::report::values::{Values, number, text};

/// The ranks in the first metric; no figure if the runs allow no test (see [`rank_tests`]).
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Effect,
    draw: |source| {
        let groups = source.groups;
        let Some(test) = rank_tests(source.sides, &[groups.first_metric()]).pop() else { return Ok(Vec::new()) };
        let palette = Palette::of(groups);
        let of_variants = groups.variants.iter().enumerate();
        let marks: Vec<(RGBColor, Option<&str>)> =
            of_variants.map(|(index, variant)| (palette.colour(index), representative(groups, variant))).collect();
        let ranked = ranked(&test, &marks);
        let is_drawn = |label: &str| ranked.iter().any(|variant| variant.label == label);
        let drawn = groups.variants.iter().filter(|variant| is_drawn(&variant.label));
        let texts = FigureTexts::of(
            groups,
            drawn.flat_map(|variant| groups.of_variant(variant)),
            format!("{}ranks", source.prefix),
            "Mean rank of each variant over the categories",
            &caption(&test, ranked.len()),
        );
        Ok(vec![diagram(&test, &ranked, texts, &groups.marked(&title(&test)))?])
    },
};

/// Maximum width of each side's labels, and distance of its end from the line to the label, in pixels.
const LABELS: i32 = 280;
const GAP: i32 = 20;
/// Width below which a rank stands below its label, in pixels.
const NARROW: i32 = 600;
/// Smallest distance of two numbers on the axis, in pixels.
const NUMBER: i32 = 18;
/// Height of the title, of the axis with its numbers, of a bar and of a label, in pixels.
const TITLE: i32 = 44;
const AXIS: i32 = 26;
const BAR: i32 = 9;
const LABEL: i32 = 20;

/// A variant in the order of ranks.
struct Ranked<'t> {
    label: &'t str,
    rank: f64,
    colour: RGBColor,
    /// The run that the variant leads to.
    run: Option<&'t str>,
}

fn title(test: &RankTest) -> String {
    format!("{}: mean rank over {} categories (1 is best)", test.metric.label, test.categories.len())
}

fn caption(test: &RankTest, drawn: usize) -> String {
    let bars = match test.critical_difference {
        Some(critical) => format!("Bars join variants within the critical difference of {critical:.2} (Nemenyi, 5 %)."),
        None => "The Friedman test shows no difference.".to_owned(),
    };
    let all = test.mean_ranks.len();
    let first = if all > drawn { format!(" It names the best {drawn} of {all} variants.") } else { String::new() };
    format!("Mean rank of each variant over the categories; rank 1 is best. {bars}{first}")
}

/// Returns the variants with the best mean ranks, best first.
fn ranked<'t>(test: &'t RankTest, marks: &[(RGBColor, Option<&'t str>)]) -> Vec<Ranked<'t>> {
    let mut ranked: Vec<Ranked<'t>> = test
        .mean_ranks
        .iter()
        .zip(marks)
        .map(|((label, rank), (colour, run))| Ranked { label, rank: *rank, colour: *colour, run: *run })
        .collect();
    ranked.sort_by(|a, b| a.rank.total_cmp(&b.rank));
    ranked.truncate(MAX_DRAWN);
    ranked
}

fn diagram(test: &RankTest, ranked: &[Ranked<'_>], texts: FigureTexts, title: &str) -> Result<Figure, ReportError> {
    let all = test.mean_ranks.len();
    let joined = test.critical_difference.map(|critical| joined(ranked, critical)).unwrap_or_default();
    let rows = ranked.len().div_ceil(2) as i32;
    let top = TITLE + AXIS + BAR * (joined.len() as i32 + 1);
    let values = ranked.iter().map(|of| [text(of.label), number(of.rank), number(test.critical_difference)]);
    let values = Values::of(["variant", "mean_rank", "critical_difference"], values);
    Figure::of_columns(texts, title, values, |sheet| {
        let is_narrow = sheet.width < NARROW;
        let label = if is_narrow { LABEL + LINE } else { LABEL };
        sheet.draw(top + label * rows + 8, |canvas| {
            let axis = Axis { canvas, ranks: all, labels: LABELS.min(3 * canvas.width() / 8), is_narrow };
            axis.draw()?;
            for (index, (first, last)) in (0..).zip(&joined) {
                let y = TITLE + AXIS + BAR * (index + 1);
                let ends = [(axis.x(ranked[*first].rank) - 4, y), (axis.x(ranked[*last].rank) + 4, y)];
                canvas.line(ends.to_vec(), INK, 4)?;
            }
            for (index, variant) in (0..).zip(ranked) {
                let on_left = index < rows;
                // The outermost variants are highest, so that no line crosses another.
                let row = if on_left { index } else { ranked.len() as i32 - 1 - index };
                axis.label(variant, on_left, top + label * row + LABEL / 2)?;
            }
            Ok(())
        })
    })
}

/// Returns the first and last position of each largest group within the critical difference; groups of one are left out.
fn joined(ranked: &[Ranked<'_>], critical: f64) -> Vec<(usize, usize)> {
    let last_of = |first: usize| ranked.partition_point(|variant| variant.rank - ranked[first].rank <= critical) - 1;
    let groups = (0..ranked.len()).map(|first| (first, last_of(first))).filter(|(first, last)| last > first);
    let mut largest: Vec<(usize, usize)> = Vec::new();
    for group in groups {
        if largest.last().is_none_or(|(_, last)| group.1 > *last) {
            largest.push(group);
        }
    }
    largest
}

/// The axis of ranks.
struct Axis<'a, 'b> {
    canvas: &'a Canvas<'b>,
    ranks: usize,
    /// Width of each side's labels, in pixels.
    labels: i32,
    /// Whether ranks stand below the labels.
    is_narrow: bool,
}

impl Axis<'_, '_> {
    fn x(&self, rank: f64) -> i32 {
        let part = (rank - 1.0) / (self.ranks - 1).max(1) as f64;
        self.labels + (part * f64::from(self.length())).round() as i32
    }

    fn length(&self) -> i32 {
        self.canvas.width() - 2 * self.labels
    }

    fn draw(&self) -> DrawResult {
        let y = TITLE + AXIS;
        self.canvas.line(vec![(self.x(1.0), y), (self.x(self.ranks as f64), y)], INK, 1)?;
        let most = MAX_DRAWN.min((self.length() / NUMBER) as usize);
        for rank in (1..=self.ranks).step_by(self.ranks.div_ceil(most).max(1)) {
            let x = self.x(rank as f64);
            self.canvas.line(vec![(x, y - 5), (x, y)], INK, 1)?;
            self.canvas.text((x, y - 13), Anchor::Centre, &rank.to_string())?;
        }
        Ok(())
    }

    /// Draws a line from the variant's rank to its label at height `y`.
    fn label(&self, variant: &Ranked<'_>, on_left: bool, y: i32) -> DrawResult {
        let (x, width) = (self.x(variant.rank), self.canvas.width());
        let (end, at, anchor) = if on_left {
            (self.labels - GAP + 6, self.labels - GAP, Anchor::Right)
        } else {
            (width - self.labels + GAP - 6, width - self.labels + GAP, Anchor::Left)
        };
        let bend = (x, y);
        self.canvas.line(vec![(x, TITLE + AXIS), bend, (end, y)], variant.colour, 2)?;
        let rank = format!("({:.2})", variant.rank);
        let room = self.labels - GAP - 4;
        if self.is_narrow {
            self.canvas.text((at, y), anchor, &fitted_middle(variant.label, room))?;
            self.canvas.text((at, y + LINE), anchor, &rank)?;
        } else {
            let label = fitted_middle(variant.label, room - text_width(&rank, TEXT) - 6);
            self.canvas.text((at, y), anchor, &format!("{label} {rank}"))?;
        }
        let text = format!("{}: mean rank {:.3}", variant.label, variant.rank);
        self.canvas.tooltip_of_run(bend, 5, &text, variant.run);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::metrics::PIXEL_AUROC;

    fn of_ranks(ranks: &[f64]) -> Vec<Ranked<'static>> {
        ranks.iter().map(|rank| Ranked { label: "", rank: *rank, colour: INK, run: None }).collect()
    }

    #[test]
    fn bars_join_the_largest_groups_within_the_critical_difference() {
        assert_eq!(joined(&of_ranks(&[1.2, 1.9, 2.9, 4.0]), 1.0), [(0, 1), (1, 2)]);
        assert_eq!(joined(&of_ranks(&[1.0, 1.5, 2.0, 4.0]), 1.0), [(0, 2)]);
        assert_eq!(joined(&of_ranks(&[1.0, 2.5, 4.0]), 1.0), []);
    }

    #[test]
    fn every_variant_is_named_with_its_mean_rank() {
        let test = RankTest {
            metric: PIXEL_AUROC,
            categories: (0..8).map(|index| format!("c{index}")).collect(),
            seeds: 5,
            mean_ranks: [("a", 2.75), ("b", 1.125), ("c", 2.125)].map(|(label, rank)| (label.to_owned(), rank)).into(),
            p: 0.001,
            critical_difference: Some(1.17),
            apart: vec![("b".to_owned(), "a".to_owned())],
        };
        let texts = FigureTexts {
            name: "ranks".to_owned(),
            description: String::new(),
            caption: caption(&test, 3),
            population: "120 runs".to_owned(),
        };
        assert!(texts.caption.contains("critical difference of 1.17"), "{}", texts.caption);
        let svg =
            diagram(&test, &ranked(&test, &[(INK, None); 3]), texts, &title(&test)).expect("draws").svg().to_owned();
        for text in ["b (1.12)", "c (2.12)", "a (2.75)", "mean rank over 8 categories"] {
            assert!(svg.contains(text), "{text}");
        }
    }
}
