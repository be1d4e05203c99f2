//! What a terminal shows of a report: the answer in a sentence, and the best variants next to ST-FPM.

use std::collections::BTreeSet;

use super::summary::{answer, decided};
use crate::analysis::{Analysis, ComparedGroups, Differences, Side};
use crate::evaluate::metrics::Metric;
use crate::statistics::{complete_means, summary};
use crate::text::{signed, truncated};

/// Maximum number of variants of one protocol.
const MAX_ROWS: usize = 10;
/// Maximum number of characters of a variant's name.
const NAME_CHARACTERS: usize = 60;

/// One protocol's part of what a terminal shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalSummary {
    /// The answer to the sweep's question in a sentence; `None` if nothing was compared.
    pub answer: Option<String>,
    /// What the table shows.
    pub title: String,
    /// Headings of the columns.
    pub head: Vec<String>,
    /// One row per variant: ST-FPM first, then the best ones.
    pub rows: Vec<Vec<String>>,
    /// Number of variants that have no row.
    pub left_out: usize,
}

/// Summarises the finished runs of a sweep, one part per protocol. A protocol without finished runs has no part.
pub fn terminal_summary(analysis: &Analysis<'_>) -> Vec<TerminalSummary> {
    let count = analysis.protocols.len();
    let part = |(index, of): (usize, &ComparedGroups<'_>)| {
        let (sides, baseline, answer) = match of.chosen() {
            Some(tuned) => (&analysis.chosen, Some(0), decided(tuned).or_else(|| answer(&analysis.confirmed))),
            None => {
                let baseline = of.groups.variants.iter().position(|variant| variant.baseline);
                (&of.sides, baseline, answer(&of.comparisons))
            }
        };
        let (head, rows, left_out) = table(sides, baseline, &analysis.rows.metrics)?;
        let protocol = if count > 1 { format!("Protocol {} of {count}. ", index + 1) } else { String::new() };
        let what = if of.chosen().is_some() { "Chosen trials: mean" } else { "Mean" };
        let difference = if baseline.is_some() { ", and in brackets the difference from ST-FPM" } else { "" };
        let title = of.groups.marked(&format!("{protocol}{what} of the finished runs{difference}"));
        Some(TerminalSummary { answer, title, head, rows, left_out })
    };
    analysis.protocols.iter().enumerate().filter_map(part).collect()
}

/// Headings, rows, and the number of variants that have no row.
type Rendered = (Vec<String>, Vec<Vec<String>>, usize);

/// Returns the table of these sides; `None` if none has a number. `baseline` is the index of ST-FPM.
fn table(sides: &[Side], baseline: Option<usize>, metrics: &[Metric]) -> Option<Rendered> {
    let columns: Vec<Vec<Number>> = metrics.iter().map(|metric| numbers(sides, baseline, *metric)).collect();
    if columns.iter().flatten().all(|number| number.mean.is_none()) {
        return None;
    }
    let (first, direction) = (columns.first()?, metrics.first()?.direction);
    // Sorts ST-FPM first, then by the paired difference, because means may cover different runs.
    let sort_key = |place: &usize| match (&first[*place], baseline) {
        (_, Some(baseline)) if baseline == *place => f64::INFINITY,
        (number, Some(_)) => number.difference.map_or(f64::NEG_INFINITY, |difference| direction.gain(difference)),
        (number, None) => number.mean.map_or(f64::NEG_INFINITY, |mean| direction.gain(mean)),
    };
    let mut order: Vec<usize> = (0..sides.len()).collect();
    order.sort_by(|one, other| sort_key(other).total_cmp(&sort_key(one)));
    let row = |place: &usize| {
        let name = truncated(&sides[*place].label, NAME_CHARACTERS);
        let cells = columns.iter().map(|column| column[*place].text());
        std::iter::once(name).chain(cells).chain([first[*place].seeds.to_string()]).collect()
    };
    let labels = metrics.iter().map(|metric| metric.label.to_owned());
    let head = std::iter::once("variant".to_owned()).chain(labels).chain(["seeds".to_owned()]).collect();
    let rows: Vec<Vec<String>> = order.iter().take(MAX_ROWS).map(row).collect();
    let left_out = sides.len() - rows.len();
    Some((head, rows, left_out))
}

/// What a cell shows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Number {
    /// Mean over the seeds; each seed has a mean over the categories that all sides have.
    mean: Option<f64>,
    /// Mean of the paired differences from ST-FPM.
    difference: Option<f64>,
    /// Number of seeds behind the mean.
    seeds: usize,
}

/// Returns a number for each side. `baseline` is the index of ST-FPM.
fn numbers(sides: &[Side], baseline: Option<usize>, metric: Metric) -> Vec<Number> {
    let measured = |side: &Side| -> BTreeSet<String> {
        let categories = side.categories().into_iter();
        categories.filter(|category| !side.values(category, metric).is_empty()).map(str::to_owned).collect()
    };
    let all = sides.iter().map(measured).filter(|categories| !categories.is_empty());
    let common = all.reduce(|common, categories| &common & &categories).unwrap_or_default();
    let number = |(place, side): (usize, &Side)| {
        let cells: Vec<Vec<(i64, f64)>> = common.iter().map(|category| side.values(category, metric)).collect();
        let by_seed: Vec<f64> = complete_means(&cells).into_iter().map(|(_, mean)| mean).collect();
        let reference = baseline.filter(|baseline| *baseline != place).and_then(|baseline| sides.get(baseline));
        Number {
            mean: summary(&by_seed).map(|summary| summary.mean),
            difference: reference
                .and_then(|reference| Differences::between(side, reference, metric))
                .map(|differences| differences.mean()),
            seeds: by_seed.len(),
        }
    };
    sides.iter().enumerate().map(number).collect()
}

impl Number {
    /// Returns "0.9812 (+0.0120)"; a dash if there is no mean.
    fn text(self) -> String {
        let mean = self.mean.map_or_else(|| "-".to_owned(), |mean| format!("{mean:.4}"));
        match self.difference {
            Some(difference) => format!("{mean} ({})", signed(difference)),
            None => mean,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Ranking, Rows};
    use crate::report::tests::{case, rows};
    use crate::store::Artifacts;

    fn summarised(rows: &Rows) -> Vec<TerminalSummary> {
        terminal_summary(&Analysis::of(rows, &Artifacts::new("none".into()), Ranking::WithinProtocols))
    }

    #[test]
    fn st_fpm_comes_first_and_then_the_best_variants() {
        let rows = rows(&[
            case("skip=none", "nut", 0, Some(0.85)),
            case("skip=none", "nut", 1, Some(0.87)),
            case("ST-FPM", "nut", 0, Some(0.90)),
            case("ST-FPM", "nut", 1, Some(0.92)),
            case("skip=add", "nut", 0, Some(0.93)),
            // This seed of ST-FPM is missing, so it is in the mean, but in no pair.
            case("skip=add", "nut", 2, Some(0.99)),
            case("skip=late", "nut", 0, None),
        ]);
        let [of] = &summarised(&rows)[..] else { panic!("one protocol") };
        assert!(of.answer.as_ref().is_some_and(|answer| answer.starts_with("Too few seeds: ")), "{of:?}");
        assert_eq!(of.title, "Mean of the finished runs, and in brackets the difference from ST-FPM");
        assert_eq!(of.head, ["variant", "pixel AUROC", "image AUROC", "AUPRO", "seeds"]);
        let expected = [
            ["T01 ST-FPM", "0.9100", "-", "-", "2"],
            ["T01 skip=add", "0.9600 (+0.0300)", "-", "-", "2"],
            ["T01 skip=none", "0.8600 (−0.0500)", "-", "-", "2"],
            ["T01 skip=late", "-", "-", "-", "0"],
        ];
        assert_eq!((of.rows.clone(), of.left_out), (expected.map(|row| row.map(str::to_owned).to_vec()).to_vec(), 0));
    }

    #[test]
    fn at_most_ten_variants_have_rows() {
        const VARIANTS: [&str; 13] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"];
        let of = |(index, name): (usize, &&'static str)| case(name, "nut", 0, Some(0.5 + 0.01 * index as f64));
        let mut cases: Vec<_> = VARIANTS.iter().enumerate().map(of).collect();
        let without = summarised(&rows(&cases)).remove(0);
        assert_eq!((without.answer, without.rows.len(), without.left_out), (None, 10, 3));
        assert_eq!(without.title, "Mean of the finished runs");
        assert_eq!(without.rows[0][..2], ["T01 m", "0.6200"]);
        cases.push(case("ST-FPM", "nut", 0, Some(0.1)));
        let with = summarised(&rows(&cases)).remove(0);
        assert_eq!((with.rows[0][0].as_str(), with.rows[1][0].as_str(), with.left_out), ("T01 ST-FPM", "T01 m", 4));
    }

    #[test]
    fn without_numbers_there_is_no_summary_and_each_protocol_has_its_own() {
        assert_eq!(summarised(&rows(&[case("ST-FPM", "nut", 0, None)])), []);
        assert_eq!(summarised(&rows(&[])), []);
        let mut cases = vec![case("ST-FPM", "nut", 0, Some(0.9)), case("ST-FPM", "nut", 0, Some(0.8))];
        cases[1].size = 128;
        let titles: Vec<String> = summarised(&rows(&cases)).into_iter().map(|of| of.title).collect();
        assert!(titles[0].starts_with("Protocol 1 of 2. Mean") && titles[1].starts_with("Protocol 2 of 2. Mean"));
    }
}
