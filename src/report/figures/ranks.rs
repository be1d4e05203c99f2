//! Draws a critical-difference diagram (Demšar 2006): mean ranks over categories, and bars that join variants that do not differ.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{FigureChapter, FigureKind, centred, ink};
use crate::analysis::{MAX_DRAWN, RankTest, rank_tests};
use crate::report::error::ReportError;
use crate::report::figure::{Area, DrawResult, Figure, FigureTexts, INK, first_of, series};
use crate::text::truncated_middle;

/// The ranks in the first metric; no figure if the runs allow no test (see [`rank_tests`]).
pub(super) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Ablation,
    draw: |source| {
        let groups = source.groups;
        let test = rank_tests(source.sides, &[groups.first_metric()]).pop();
        let about = || groups.about(format!("{}ranks", source.prefix), "Mean rank of each variant over the categories");
        Ok(test.map(|test| diagram(&test, about(), &groups.marked(&title(&test)))).transpose()?.into_iter().collect())
    },
};

/// Width of the figure, and of each side's labels, in pixels.
const WIDTH: i32 = 960;
const LABELS: i32 = 300;
/// Number of characters that fit beside the axis.
const CHARACTERS: usize = 38;
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
}

fn title(test: &RankTest) -> String {
    let bars = match test.critical_difference {
        Some(critical) => format!("bars join variants within the critical difference of {critical:.2} (Nemenyi, 5 %)"),
        None => "the Friedman test shows no difference".to_owned(),
    };
    let (metric, categories) = (test.metric.label, test.categories.len());
    format!("{metric}: mean rank over {categories} categories (rank 1 is best); {bars}")
}

fn diagram(test: &RankTest, about: FigureTexts, title: &str) -> Result<Figure, ReportError> {
    let mut ranked: Vec<Ranked<'_>> = test
        .mean_ranks
        .iter()
        .enumerate()
        .map(|(index, (label, rank))| Ranked { label, rank: *rank, colour: series(index) })
        .collect();
    ranked.sort_by(|a, b| a.rank.total_cmp(&b.rank));
    let all = ranked.len();
    ranked.truncate(MAX_DRAWN);
    let joined = test.critical_difference.map(|critical| joined(&ranked, critical)).unwrap_or_default();
    let rows = ranked.len().div_ceil(2) as i32;
    let height = TITLE + AXIS + BAR * (joined.len() as i32 + 1) + LABEL * rows + 8;
    let title = format!("{title}{}", first_of(MAX_DRAWN, all, "variants"));
    Figure::draw(about, (WIDTH as u32, height as u32), |area| {
        area.draw_text(&title, &ink(14), (12, 8))?;
        let axis = Axis { area, ranks: all };
        axis.draw()?;
        for (index, (first, last)) in joined.iter().enumerate() {
            let y = TITLE + AXIS + BAR * (index as i32 + 1);
            let ends = [(axis.x(ranked[*first].rank) - 4, y), (axis.x(ranked[*last].rank) + 4, y)];
            area.draw(&PathElement::new(ends, INK.stroke_width(4)))?;
        }
        let top = TITLE + AXIS + BAR * (joined.len() as i32 + 1);
        for (index, variant) in ranked.iter().enumerate() {
            let on_left = index < rows as usize;
            // The outermost variants are highest, so that no line crosses another.
            let row = if on_left { index } else { ranked.len() - 1 - index } as i32;
            axis.label(variant, on_left, top + LABEL * row + LABEL / 2)?;
        }
        Ok(())
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
    area: &'a Area<'b>,
    ranks: usize,
}

impl Axis<'_, '_> {
    fn x(&self, rank: f64) -> i32 {
        let part = (rank - 1.0) / (self.ranks - 1).max(1) as f64;
        LABELS + (part * f64::from(WIDTH - 2 * LABELS)).round() as i32
    }

    fn draw(&self) -> DrawResult {
        let y = TITLE + AXIS;
        self.area.draw(&PathElement::new([(self.x(1.0), y), (self.x(self.ranks as f64), y)], INK.stroke_width(1)))?;
        let step = self.ranks.div_ceil(MAX_DRAWN).max(1);
        for rank in (1..=self.ranks).step_by(step) {
            let x = self.x(rank as f64);
            self.area.draw(&PathElement::new([(x, y - 5), (x, y)], INK.stroke_width(1)))?;
            self.area.draw_text(&rank.to_string(), &centred(12), (x, y - 14))?;
        }
        Ok(())
    }

    /// Draws a line from the variant's rank to its label at height `y`.
    fn label(&self, variant: &Ranked<'_>, on_left: bool, y: i32) -> DrawResult {
        let x = self.x(variant.rank);
        let (end, side, beyond) =
            if on_left { (LABELS - 14, HPos::Right, -6) } else { (WIDTH - LABELS + 14, HPos::Left, 6) };
        let path = [(x, TITLE + AXIS), (x, y), (end, y)];
        self.area.draw(&PathElement::new(path, variant.colour.stroke_width(2)))?;
        let text = format!("{} ({:.2})", truncated_middle(variant.label, CHARACTERS - 7), variant.rank);
        self.area.draw_text(&text, &ink(12).pos(Pos::new(side, VPos::Center)), (end + beyond, y))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::metrics::PIXEL_AUROC;

    fn ranked(ranks: &[f64]) -> Vec<Ranked<'static>> {
        ranks.iter().map(|rank| Ranked { label: "", rank: *rank, colour: series(0) }).collect()
    }

    #[test]
    fn bars_join_the_largest_groups_within_the_critical_difference() {
        assert_eq!(joined(&ranked(&[1.2, 1.9, 2.9, 4.0]), 1.0), [(0, 1), (1, 2)]);
        assert_eq!(joined(&ranked(&[1.0, 1.5, 2.0, 4.0]), 1.0), [(0, 2)]);
        assert_eq!(joined(&ranked(&[1.0, 2.5, 4.0]), 1.0), []);
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
        let about =
            FigureTexts { name: "ranks".to_owned(), description: String::new(), population: "120 runs".to_owned() };
        let svg = diagram(&test, about, &title(&test)).expect("draws").svg().to_owned();
        for text in ["b (1.12)", "c (2.12)", "a (2.75)", "mean rank over 8 categories", "critical difference of 1.17"] {
            assert!(svg.contains(text), "{text}");
        }
    }
}
