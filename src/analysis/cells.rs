//! The numbers of a report's groups: of one run, of a cell (variant and category), and their means.

use std::collections::BTreeMap;

use super::grouping::{Groups, Variant};
use crate::evaluate::metrics::Metric;
use crate::evaluate::{ResultName, Selection};
use crate::statistics::{complete_means, summary};
use crate::store::{ResultRow, RunRow, RunState};

impl<'r> Groups<'r> {
    /// Returns one number of a run.
    pub(crate) fn value<N: Copy>(&self, run: &RunRow, selection: Selection, name: N) -> Option<f64>
    where
        ResultName: PartialEq<N>,
    {
        self.result_row(run, selection, name)?.value
    }

    fn result_row<N: Copy>(&self, run: &RunRow, selection: Selection, name: N) -> Option<&'r ResultRow>
    where
        ResultName: PartialEq<N>,
    {
        self.of_run(run).iter().find(|row| row.selection == selection && row.name == name)
    }

    fn of_run(&self, run: &RunRow) -> &'r [ResultRow] {
        self.values.get(run.id.as_str()).copied().unwrap_or_default()
    }

    /// Returns the metrics of a run's selected epoch.
    pub(crate) fn selected_values(&self, run: &RunRow) -> BTreeMap<Metric, f64> {
        let selected = self.of_run(run).iter().filter(|row| row.selection == Selection::Selected);
        selected.filter_map(|row| Some((row.name.metric()?, row.value?))).collect()
    }

    /// Returns why a number of a cell is undefined: the reason of the first such run.
    pub(crate) fn reason(
        &self,
        variant: &Variant,
        category: &str,
        selection: Selection,
        metric: Metric,
    ) -> Option<&'r str> {
        self.runs(variant, category).find_map(|run| {
            let result = self.result_row(run, selection, metric)?;
            result.reason.as_deref().filter(|_| result.value.is_none())
        })
    }

    /// Returns the numbers of one cell with their seeds, from finished runs only.
    pub(crate) fn cell<N: Copy>(
        &self,
        variant: &Variant,
        category: &str,
        selection: Selection,
        name: N,
    ) -> Vec<(i64, f64)>
    where
        ResultName: PartialEq<N>,
    {
        let done = self.runs(variant, category).filter(|run| run.state == RunState::Done);
        done.filter_map(|run| Some((run.seed, self.value(run, selection, name)?))).collect()
    }

    /// Returns the categories that every variant with this metric has. Means over them are comparable.
    pub(crate) fn common_categories(&self, selection: Selection, metric: Metric) -> Vec<&str> {
        self.shared_categories(&self.variants.iter().collect::<Vec<_>>(), selection, metric)
    }

    /// Returns the same as [`Self::common_categories`], for some variants.
    pub(super) fn shared_categories(&self, variants: &[&Variant], selection: Selection, metric: Metric) -> Vec<&str> {
        let has = |variant: &Variant, category: &str| !self.cell(variant, category, selection, metric).is_empty();
        let names = || self.categories.iter().map(|(category, _)| category.as_str());
        let measured: Vec<&&Variant> = variants.iter().filter(|v| names().any(|category| has(v, category))).collect();
        names().filter(|category| measured.iter().all(|variant| has(variant, category))).collect()
    }

    /// Returns each seed's mean over the given categories.
    pub(crate) fn means<N: Copy>(
        &self,
        variant: &Variant,
        categories: &[&str],
        selection: Selection,
        name: N,
    ) -> Vec<(i64, f64)>
    where
        ResultName: PartialEq<N>,
    {
        let cells: Vec<_> = categories.iter().map(|category| self.cell(variant, category, selection, name)).collect();
        complete_means(&cells)
    }

    /// Returns the mean over seeds of these means; `None` if no seed has all categories.
    pub(crate) fn mean(
        &self,
        variant: &Variant,
        categories: &[&str],
        selection: Selection,
        metric: Metric,
    ) -> Option<f64> {
        let means: Vec<f64> =
            self.means(variant, categories, selection, metric).into_iter().map(|(_, value)| value).collect();
        Some(summary(&means)?.mean)
    }
}
