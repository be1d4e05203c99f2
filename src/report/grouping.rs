//! Runs by protocol, variant and category.

use std::collections::BTreeMap;

use super::Rows;
use super::guidance::Guidance;
use super::protocol::Protocol;
use super::text;
use crate::plan::short_name;
use crate::store::RunRow;

/// A trial as the report shows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Variant {
    /// Its trial's key.
    pub trial: String,
    /// Its name.
    pub label: String,
    /// Whether it is the re-run baseline.
    pub baseline: bool,
    /// The rule that picked its epochs, for people.
    pub selection: &'static str,
}

/// The runs of a sweep that were measured in one way: numbers of different groups never stand in one table.
pub(super) struct Groups<'r> {
    /// Trials in their order, the baseline first.
    pub variants: Vec<Variant>,
    /// Categories in alphabetical order, each with its protocol.
    pub categories: Vec<(String, Protocol)>,
    /// What the search was guided by.
    pub guidance: Guidance,
    runs: Vec<&'r RunRow>,
    values: BTreeMap<ValueKey<'r>, (Option<f64>, Option<&'r str>)>,
}

/// Run, selection and name of a number.
type ValueKey<'r> = (&'r str, &'r str, &'r str);

/// The numbers that the tables show: name in the store, name for people.
pub(super) const METRICS: [(&str, &str); 3] =
    [("pixel_auroc", "pixel AUROC"), ("image_auroc", "image AUROC"), ("aupro", "AUPRO")];

/// All groups of a sweep, in the order of its trials.
pub(super) fn groups(rows: &Rows) -> Vec<Groups<'_>> {
    let mut classes: Vec<(String, Vec<&RunRow>)> = Vec::new();
    for run in &rows.runs {
        let class = Protocol::of(run).class();
        match classes.iter_mut().find(|(known, _)| *known == class) {
            Some((_, runs)) => runs.push(run),
            None => classes.push((class, vec![run])),
        }
    }
    classes.into_iter().map(|(_, runs)| Groups::new(rows, runs)).collect()
}

impl<'r> Groups<'r> {
    fn new(rows: &'r Rows, runs: Vec<&'r RunRow>) -> Self {
        let mut variants: Vec<Variant> = Vec::new();
        let mut categories: BTreeMap<String, Protocol> = BTreeMap::new();
        for run in &runs {
            let protocol = Protocol::of(run);
            if variants.iter().all(|variant| variant.trial != run.trial_id) {
                variants.push(Variant {
                    trial: run.trial_id.clone(),
                    label: run.variant.clone(),
                    baseline: run.baseline == 1,
                    selection: protocol.selection(),
                });
            }
            categories.entry(run.category.clone()).or_insert(protocol);
        }
        tell_apart(&mut variants, &runs);
        let values = rows
            .results
            .iter()
            .map(|row| {
                let key = (row.run_id.as_str(), row.selection.as_str(), row.name.as_str());
                (key, (row.value, row.reason.as_deref()))
            })
            .collect();
        let guidance = Guidance::of(rows);
        Self { variants, categories: categories.into_iter().collect(), guidance, runs, values }
    }

    /// All runs.
    pub(super) fn all(&self) -> &[&'r RunRow] {
        &self.runs
    }

    /// The runs of one variant and category, by seed.
    pub(super) fn runs(&self, variant: &Variant, category: &str) -> impl Iterator<Item = &'r RunRow> + '_ {
        let (trial, category) = (variant.trial.clone(), category.to_owned());
        self.runs.iter().copied().filter(move |run| run.trial_id == trial && run.category == category)
    }

    /// One number of a run.
    pub(super) fn value(&self, run: &RunRow, selection: &str, name: &str) -> Option<f64> {
        self.values.get(&(run.id.as_str(), selection, name)).and_then(|(value, _)| *value)
    }

    /// Why a number of a cell is undefined: the first run's reason.
    pub(super) fn reason(&self, variant: &Variant, category: &str, selection: &str, name: &str) -> Option<&'r str> {
        self.runs(variant, category).find_map(|run| {
            let (value, reason) = self.values.get(&(run.id.as_str(), selection, name))?;
            reason.filter(|_| value.is_none())
        })
    }

    /// The numbers of one cell with their seeds.
    pub(super) fn cell(&self, variant: &Variant, category: &str, selection: &str, name: &str) -> Vec<(i64, f64)> {
        self.runs(variant, category).filter_map(|run| Some((run.seed, self.value(run, selection, name)?))).collect()
    }

    /// The categories in which every variant that has this number at all has it: means over them can be compared.
    pub(super) fn common_categories(&self, selection: &str, name: &str) -> Vec<&str> {
        let has = |variant: &Variant, category: &str| !self.cell(variant, category, selection, name).is_empty();
        let names = || self.categories.iter().map(|(category, _)| category.as_str());
        let measured: Vec<&Variant> =
            self.variants.iter().filter(|v| names().any(|category| has(v, category))).collect();
        names().filter(|category| measured.iter().all(|variant| has(variant, category))).collect()
    }

    /// Each seed's mean over the given categories.
    pub(super) fn means(&self, variant: &Variant, categories: &[&str], selection: &str, name: &str) -> Vec<(i64, f64)> {
        let cells: Vec<_> = categories.iter().map(|category| self.cell(variant, category, selection, name)).collect();
        complete_means(&cells)
    }

    /// The re-run baseline.
    pub(super) fn baseline(&self) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.baseline)
    }
}

/// Each seed's mean over all cells; a seed that one of them lacks is left out, for its mean would be of other things.
pub(super) fn complete_means(cells: &[Vec<(i64, f64)>]) -> Vec<(i64, f64)> {
    let mut sums: BTreeMap<i64, (f64, usize)> = BTreeMap::new();
    for (seed, value) in cells.iter().flatten() {
        let sum = sums.entry(*seed).or_default();
        *sum = (sum.0 + value, sum.1 + 1);
    }
    let complete = sums.into_iter().filter(|(_, (_, count))| *count == cells.len());
    complete.map(|(seed, (sum, count))| (seed, sum / count as f64)).collect()
}

/// Trials of one label get the searched values that tell them apart.
fn tell_apart(variants: &mut [Variant], runs: &[&RunRow]) {
    let axes_of = |variant: &Variant| -> BTreeMap<String, serde_json::Value> {
        let axes = runs.iter().find(|run| run.trial_id == variant.trial).map_or("{}", |run| run.axes.as_str());
        serde_json::from_str(axes).unwrap_or_default()
    };
    let all: Vec<(String, BTreeMap<String, serde_json::Value>)> =
        variants.iter().map(|variant| (variant.label.clone(), axes_of(variant))).collect();
    for (variant, (label, axes)) in variants.iter_mut().zip(&all) {
        let alike = || all.iter().filter(|(other, _)| other == label).map(|(_, axes)| axes);
        let differing: Vec<&String> =
            axes.keys().filter(|name| alike().any(|other| other.get(*name) != axes.get(*name))).collect();
        let shown = |axes: &BTreeMap<String, serde_json::Value>, value: fn(&serde_json::Value) -> String| {
            let pairs = differing.iter().filter_map(|name| Some((name, axes.get(*name)?)));
            pairs.map(|(name, axis)| format!("{}={}", short_name(name, &differing), value(axis))).collect::<Vec<_>>()
        };
        let rounded = shown(axes, text::rounded);
        // All digits where a few do not tell them apart.
        let clash = alike().any(|other| other != axes && shown(other, text::rounded) == rounded);
        let shown = if clash { shown(axes, text::exact) } else { rounded };
        if !shown.is_empty() {
            variant.label = format!("{label} ({})", shown.join(", "));
        }
    }
}
