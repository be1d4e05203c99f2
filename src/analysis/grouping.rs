//! Groups runs by protocol, variant and category.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::guidance::Guidance;
use super::kinds::Kinds;
use super::labels::distinguish_labels;
use super::lighting::Lightings;
use super::protocol::{Protocol, differences};
use super::rows::Rows;
use crate::evaluate::Selection;
use crate::evaluate::metrics::Metric;
use crate::plan::trial_id;
use crate::store::{ResultRow, RunRow, RunState};
use crate::training::SelectionRule;

/// A trial as the report shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Variant {
    /// Key of the trial.
    pub trial: String,
    /// Number of the trial in the sweep.
    number: i64,
    /// The trial's short id and name.
    pub label: String,
    /// Whether this is the re-run baseline.
    pub baseline: bool,
    /// The rule that selected its epochs; `None` if this version of didact does not know the rule in the store.
    pub selection: Option<SelectionRule>,
    /// Index of the protocol within the group, from 0.
    protocol: usize,
}

/// Whether one table may hold numbers that were measured under different protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ranking {
    /// A table holds numbers of one protocol only.
    #[default]
    WithinProtocols,
    /// A table may mix protocols; everything that shows such numbers is marked.
    AcrossProtocols,
}

/// The runs of a sweep that were measured in one way. Numbers of different groups never share a table, unless the user asks for it.
pub(crate) struct Groups<'r> {
    /// The baseline first, then trials in the sweep's order. If there are more variants than figures have room for, those with the best
    /// means come first.
    pub variants: Vec<Variant>,
    /// Categories in alphabetical order, each with its protocol.
    pub categories: Vec<(String, Protocol)>,
    /// What guided the search.
    pub guidance: Guidance,
    /// What the protocols of one category differ in, if numbers are ranked across protocols.
    pub across: Option<String>,
    /// The metrics that the report shows, at least one.
    pub metrics: Vec<Metric>,
    /// What was measured under which lightings of the test images.
    pub lightings: Lightings,
    /// What was measured on which kinds of defects.
    pub kinds: Kinds,
    /// The metric that orders the variants; `None` if they are in the sweep's order.
    pub ordered_by: Option<Metric>,
    /// Runs, each with the index of its protocol.
    runs: Vec<(&'r RunRow, usize)>,
    /// Runs of each trial, by category and seed.
    of_trial: BTreeMap<&'r str, Vec<(&'r RunRow, usize)>>,
    /// Protocols by their key.
    protocols: HashMap<&'r str, Protocol>,
    /// Numbers of each run, by the run's key.
    pub(super) values: HashMap<&'r str, &'r [ResultRow]>,
}

/// Number of variants with a colour of their own. Most figures show only these; the tables show all.
pub(crate) const MAX_DRAWN: usize = 12;

/// Returns all groups of a sweep, in the order of its trials.
pub(crate) fn groups(rows: &Rows, ranking: Ranking) -> Vec<Groups<'_>> {
    let mut classes: Vec<String> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut class_index = |run: &'_ RunRow| {
        let class = Protocol::of(run).class();
        classes.iter().position(|known| *known == class).unwrap_or_else(|| {
            classes.push(class);
            classes.len() - 1
        })
    };
    let runs: Vec<(&RunRow, usize)> =
        rows.runs.iter().map(|run| (run, *known.entry(&run.protocol_id).or_insert_with(|| class_index(run)))).collect();
    match ranking {
        Ranking::AcrossProtocols if !runs.is_empty() => vec![Groups::new(rows, runs)],
        _ => (0..classes.len())
            .map(|number| {
                Groups::new(rows, runs.iter().filter(|(_, of)| *of == number).map(|(run, _)| (*run, 0)).collect())
            })
            .collect(),
    }
}

/// Returns the runs that only compare chosen trials, on seeds that had no part in the choice; `None` if there are none.
pub(crate) fn judging_groups(rows: &Rows) -> Option<Groups<'_>> {
    let known: HashSet<&str> = rows.runs.iter().map(|run| run.id.as_str()).collect();
    let runs: Vec<(&RunRow, usize)> =
        rows.compared.iter().filter(|run| !known.contains(run.id.as_str())).map(|run| (run, 0)).collect();
    (!runs.is_empty()).then(|| Groups::new(rows, runs))
}

impl<'r> Groups<'r> {
    fn new(rows: &'r Rows, runs: Vec<(&'r RunRow, usize)>) -> Self {
        let mut variants: Vec<Variant> = Vec::new();
        let mut seen: HashSet<(&str, usize)> = HashSet::new();
        let mut categories: BTreeMap<String, Protocol> = BTreeMap::new();
        let mut protocols: HashMap<&str, Protocol> = HashMap::new();
        let mut facts: BTreeSet<String> = BTreeSet::new();
        for (run, number) in &runs {
            let is_new = !protocols.contains_key(run.protocol_id.as_str());
            let protocol = protocols.entry(&run.protocol_id).or_insert_with(|| Protocol::of(run));
            if seen.insert((&run.trial_id, *number)) {
                variants.push(Variant {
                    trial: run.trial_id.clone(),
                    number: run.number,
                    label: run.variant.clone(),
                    baseline: run.baseline,
                    selection: protocol.selection(),
                    protocol: *number,
                });
            }
            if is_new {
                let first = categories.entry(run.category.clone()).or_insert_with(|| protocol.clone());
                facts.extend(differences(first, protocol));
            }
        }
        distinguish_labels(&mut variants, &runs);
        // The id identifies all settings; a label has only the settings that differ.
        variants.iter_mut().for_each(|v| v.label = format!("{} {}", trial_id(v.number), v.label));
        if variants.iter().any(|variant| variant.protocol > 0) {
            variants.iter_mut().for_each(|v| v.label = format!("{} [protocol {}]", v.label, v.protocol + 1));
        }
        let across = (!facts.is_empty() && runs.iter().any(|(_, number)| *number > 0))
            .then(|| facts.into_iter().collect::<Vec<_>>().join("; "));
        let values =
            rows.results.chunk_by(|a, b| a.run_id == b.run_id).map(|of_run| (of_run[0].run_id.as_str(), of_run));
        let values = values.collect();
        let guidance = Guidance::of(&rows.sweep);
        let mut of_trial: BTreeMap<&str, Vec<(&RunRow, usize)>> = BTreeMap::new();
        runs.iter().for_each(|(run, number)| of_trial.entry(&run.trial_id).or_default().push((run, *number)));
        let categories = categories.into_iter().collect();
        let metrics = rows.metrics.clone();
        let all = Self {
            variants,
            categories,
            guidance,
            across,
            metrics,
            lightings: rows.lightings.clone(),
            kinds: rows.kinds.clone(),
            ordered_by: None,
            runs,
            of_trial,
            protocols,
            values,
        };
        if all.variants.len() > MAX_DRAWN { all.ordered_by_mean() } else { all }
    }

    /// Orders variants by their mean, best first, in the metric that guided the search, else in the first metric. Unfinished trials come
    /// last, because their means cover fewer runs. Keeps the order if no variant has a mean.
    fn ordered_by_mean(mut self) -> Self {
        let metric = self.guidance.objective().map_or(self.first_metric(), |objective| objective.metric());
        let finished: Vec<&Variant> = self.variants.iter().filter(|variant| self.is_finished(variant)).collect();
        let shared = self.shared_categories(&finished, Selection::Selected, metric);
        let mean = |variant: &Variant| {
            self.is_finished(variant).then(|| self.mean(variant, &shared, Selection::Selected, metric)).flatten()
        };
        let mut ranked: Vec<(Option<f64>, Variant)> =
            self.variants.iter().map(|variant| (mean(variant), variant.clone())).collect();
        if ranked.iter().all(|(mean, _)| mean.is_none()) {
            return self;
        }
        // Baselines of several protocols keep the sweep's order: the first is the reference.
        let sort_key = |(mean, variant): &(Option<f64>, Variant)| match mean {
            _ if variant.baseline => f64::INFINITY,
            Some(mean) => metric.direction.gain(*mean),
            None => f64::NEG_INFINITY,
        };
        ranked.sort_by(|one, other| sort_key(other).total_cmp(&sort_key(one)));
        self.variants = ranked.into_iter().map(|(_, variant)| variant).collect();
        self.ordered_by = Some(metric);
        self
    }

    /// Returns whether any variant's epochs were selected on held-out images.
    pub(crate) fn selects_epochs(&self) -> bool {
        self.variants.iter().any(|variant| variant.selection != Some(SelectionRule::Last))
    }

    /// Returns the metric for figures that show only one.
    pub(crate) fn first_metric(&self) -> Metric {
        self.metrics[0]
    }

    /// Returns all runs.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'r RunRow> + '_ {
        self.runs.iter().map(|(run, _)| *run)
    }

    /// Returns the runs of one variant.
    pub(crate) fn of_variant(&self, variant: &Variant) -> impl Iterator<Item = &'r RunRow> + use<'r, '_> {
        let protocol = variant.protocol;
        let of_trial = self.of_trial.get(variant.trial.as_str()).map_or(&[][..], Vec::as_slice);
        of_trial.iter().filter(move |(_, number)| *number == protocol).map(|(run, _)| *run)
    }

    /// Returns whether all runs of a variant are done. A mean over fewer runs is not comparable.
    pub(crate) fn is_finished(&self, variant: &Variant) -> bool {
        self.of_variant(variant).all(|run| run.state == RunState::Done)
    }

    /// Returns the runs of one variant and category, by seed.
    pub(crate) fn runs(&self, variant: &Variant, category: &str) -> impl Iterator<Item = &'r RunRow> + '_ {
        let category = category.to_owned();
        self.of_variant(variant).filter(move |run| run.category == category)
    }

    /// Returns the mark that every table and figure carries: the search saw the test images, or protocols are mixed.
    pub(crate) fn mark(&self) -> Option<String> {
        let marks: Vec<&str> =
            self.guidance.mark().into_iter().chain(self.across.as_ref().map(|_| "across protocols")).collect();
        (!marks.is_empty()).then(|| marks.join(", "))
    }

    /// Puts the marks before a title or caption. They come first because a long title is cut at its end.
    pub(crate) fn marked(&self, title: &str) -> String {
        self.mark().map_or_else(|| title.to_owned(), |mark| format!("[{mark}] {title}"))
    }

    /// Returns the protocol of a run.
    pub(crate) fn protocol(&self, run: &RunRow) -> &Protocol {
        &self.protocols[run.protocol_id.as_str()]
    }

    /// Returns the re-run baseline.
    pub(crate) fn baseline(&self) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.baseline)
    }
}
