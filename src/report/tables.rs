//! All tables of one protocol's part of a report.

mod against;
mod agreement;
mod by_category;
mod chosen;
mod costs;
mod epochs;
mod failures;
mod kinds;
mod lighting;
mod published;
mod results;
mod trust;
mod verdict;

use super::effect_tables;
use super::error::ReportError;
use super::table::Table;
use crate::analysis::{ByCategory, Costs, Effects, Groups, Rows, Side, Tuned, Verdict};

pub(super) use self::against::{against_baseline, side_by_side};
pub(super) use self::agreement::objective_correlation;
pub(super) use self::failures::failures;
pub(super) use self::kinds::kinds;
pub(super) use self::lighting::lighting;
pub(super) use self::results::results;
pub(super) use self::trust::summary_of_trust;
pub(super) use self::verdict::{best, by_metric};

/// Blocks of tables; a block that does not apply is empty.
pub(super) struct Tables {
    /// The best variant, metric by metric.
    pub verdict: Vec<Table>,
    /// Results by variant × category, one table per metric.
    pub results: Vec<Table>,
    /// Results on each kind of defect, if categories have several.
    pub kinds: Vec<Table>,
    /// Results under each lighting of the test images, if the data set names it.
    pub lighting: Vec<Table>,
    /// The chosen trials, and what their own seeds say.
    pub chosen: Vec<Table>,
    /// Every variant compared with the re-run baseline.
    pub comparisons: Vec<Table>,
    /// The best variant of each category, and whether categories differ.
    pub by_category: Vec<Table>,
    /// What guided the search, next to the test results.
    pub agreement: Vec<Table>,
    /// Effects of each setting.
    pub effects: Vec<Table>,
    /// Seeds, epochs and thresholds of each variant.
    pub trust: Vec<Table>,
    /// Selected epochs next to the last epochs.
    pub epochs: Vec<Table>,
    /// Published numbers.
    pub published: Vec<Table>,
    /// Costs of each variant.
    pub costs: Vec<Table>,
}

impl Tables {
    #[expect(clippy::too_many_arguments, reason = "each is computed once and has another home")]
    /// Computes the tables of `groups`; `sides` and `costs` belong to its variants.
    ///
    /// # Errors
    /// The published table that the sweep names cannot be read.
    pub(super) fn of(
        rows: &Rows,
        groups: &Groups<'_>,
        sides: &[Side],
        costs: &[Costs],
        comparisons: &[Verdict],
        effects: &[Effects],
        chosen: Option<(&Tuned, &[Verdict])>,
        categories: &[ByCategory],
    ) -> Result<Self, ReportError> {
        let compared = (!comparisons.is_empty()).then(|| against_baseline(comparisons, groups));
        Ok(Self {
            // Where chosen trials are compared, their own seeds give the verdict.
            verdict: match chosen {
                Some(_) => Vec::new(),
                None => verdict::verdict(comparisons, groups, costs).into_iter().collect(),
            },
            results: results(groups, sides),
            kinds: kinds(groups),
            lighting: lighting(groups),
            chosen: chosen.map(|(tuned, verdicts)| chosen::chosen(tuned, verdicts)).unwrap_or_default(),
            comparisons: compared.into_iter().collect(),
            by_category: by_category::by_category(categories),
            agreement: agreement::agreement(groups).into_iter().collect(),
            effects: effect_tables::tables(effects, groups),
            trust: vec![trust::trust(groups)],
            epochs: vec![epochs::epochs(groups)],
            published: published::table(rows, groups)?.into_iter().collect(),
            costs: vec![costs::table(rows, groups, costs)],
        })
    }

    /// Puts `prefix` before every table's name.
    pub(super) fn prefixed(mut self, prefix: &str) -> Self {
        let blocks = [
            &mut self.verdict,
            &mut self.results,
            &mut self.kinds,
            &mut self.lighting,
            &mut self.chosen,
            &mut self.comparisons,
            &mut self.by_category,
            &mut self.agreement,
            &mut self.effects,
            &mut self.trust,
            &mut self.epochs,
            &mut self.published,
            &mut self.costs,
        ];
        blocks.into_iter().flatten().for_each(|table| table.name.insert_str(0, prefix));
        self
    }

    /// Returns every table that has rows.
    pub(super) fn all(&self) -> impl Iterator<Item = &Table> {
        let blocks = [
            &self.verdict,
            &self.results,
            &self.kinds,
            &self.lighting,
            &self.chosen,
            &self.comparisons,
            &self.by_category,
            &self.agreement,
            &self.effects,
            &self.trust,
            &self.epochs,
            &self.published,
            &self.costs,
        ];
        blocks.into_iter().flatten().filter(|table| !table.rows.is_empty())
    }
}
