//! The best trials so far.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use crate::analysis::{Guidance, Protocol, seeds_of_search, shown_metrics};
use crate::evaluate::metrics::Metric;
use crate::statistics::complete_means;
use crate::store::{MeasuredRun, MeasuredTrial, Store, StoreError, SweepRow, SweepStatus};

/// Maximum number of trials of one protocol.
const MAX_ROWS: usize = 20;

/// The trials of one protocol, ST-FPM first and then the best ones. Numbers of different protocols are never ranked together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standings {
    /// Number of the protocol, from 1; `None` if all numbers have the same.
    pub protocol: Option<usize>,
    /// The metric: the first one of the report.
    pub metric: Metric,
    /// What every table of these numbers says about the search: "selected on test".
    pub mark: Option<&'static str>,
    /// The trials.
    pub rows: Vec<Standing>,
    /// Number of measured trials that have no row.
    pub left_out: usize,
}

/// What is known about a trial.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// Short id and settings of the trial.
    pub trial: String,
    /// Whether it is the re-run baseline.
    pub baseline: bool,
    /// Mean over the seeds; each seed has a mean over the categories that the trial has so far.
    pub mean: f64,
    /// Mean of the paired differences from ST-FPM, over the categories and seeds that both have.
    pub difference: Option<f64>,
    /// Number of seeds behind the mean.
    pub seeds: usize,
    /// Number of measured runs.
    pub measured: usize,
    /// Number of all runs.
    pub runs: i64,
}

/// Reads the best trials of a sweep so far, one part for each protocol.
///
/// # Errors
/// A query of the store fails.
pub(super) async fn standings(
    store: &Store,
    sweep: &SweepRow,
    status: &SweepStatus,
) -> Result<Vec<Standings>, StoreError> {
    let Some(metric) = shown_metrics(sweep, &[]).first().copied() else { return Ok(Vec::new()) };
    let mut trials = store.measured_trials(&sweep.id, metric).await?;
    let seeds = seeds_of_search(sweep);
    if let Some(seeds) = &seeds {
        trials.iter_mut().for_each(|trial| trial.runs.retain(|run| seeds.contains(&(run.seed as u64))));
    }
    let rows: BTreeSet<i64> = trials.iter().flat_map(|trial| &trial.runs).map(|run| run.protocol).collect();
    let contents = store.protocols(&rows.into_iter().collect::<Vec<_>>()).await?;
    let classes: HashMap<i64, String> =
        contents.into_iter().map(|(row, content)| (row, Protocol::of_text(&content).class())).collect();
    let planned = planned(status, seeds.as_deref());
    let mark = Guidance::of(sweep).mark();
    let parts = by_class(trials, &classes);
    let several = parts.len() > 1;
    let part = |(index, trials): (usize, Vec<MeasuredTrial>)| {
        let (rows, left_out) = ranked(&trials, &planned, metric);
        Standings { protocol: several.then_some(index + 1), metric, mark, rows, left_out }
    };
    Ok(parts.into_iter().enumerate().map(part).collect())
}

/// Returns the number of runs of each trial, on these seeds if there are any.
fn planned<'s>(status: &'s SweepStatus, seeds: Option<&[u64]>) -> HashMap<&'s str, i64> {
    let mut planned: HashMap<&str, i64> = HashMap::new();
    // The rows are ordered by category and trial.
    for rows in status.runs.chunk_by(|one, other| (&one.category, &one.trial) == (&other.category, &other.trial)) {
        let count = seeds.map_or_else(|| rows.iter().map(|row| row.count).sum(), |seeds| seeds.len() as i64);
        *planned.entry(&rows[0].trial).or_default() += count;
    }
    planned
}

/// Separates the trials by the class of their protocols, in the order of the sweep. Leaves out trials without numbers.
fn by_class(trials: Vec<MeasuredTrial>, classes: &HashMap<i64, String>) -> Vec<Vec<MeasuredTrial>> {
    let mut parts: Vec<(Option<&String>, Vec<MeasuredTrial>)> = Vec::new();
    for MeasuredTrial { title, baseline, runs } in trials {
        let mut of_class: Vec<(Option<&String>, Vec<MeasuredRun>)> = Vec::new();
        for run in runs {
            let class = classes.get(&run.protocol);
            match of_class.iter_mut().find(|(known, _)| *known == class) {
                Some((_, runs)) => runs.push(run),
                None => of_class.push((class, vec![run])),
            }
        }
        for (class, runs) in of_class {
            let trial = MeasuredTrial { title: title.clone(), baseline, runs };
            match parts.iter_mut().find(|(known, _)| *known == class) {
                Some((_, trials)) => trials.push(trial),
                None => parts.push((class, vec![trial])),
            }
        }
    }
    parts.into_iter().map(|(_, trials)| trials).collect()
}

/// Ranks trials: ST-FPM first, then those whose runs are all measured, by their difference from ST-FPM, or by their mean if there is no
/// ST-FPM. Returns the first rows, and the number of the others.
fn ranked(trials: &[MeasuredTrial], planned: &HashMap<&str, i64>, metric: Metric) -> (Vec<Standing>, usize) {
    let cells: Vec<Cells> = trials.iter().map(|trial| cells(&trial.runs)).collect();
    let reference = trials.iter().position(|trial| trial.baseline);
    let standing = |(place, trial): (usize, &MeasuredTrial)| {
        let by_seed = complete_means(&cells[place].values().cloned().collect::<Vec<_>>());
        let reference = reference.filter(|reference| *reference != place);
        Some(Standing {
            trial: trial.title.clone(),
            baseline: trial.baseline,
            mean: mean(&by_seed)?,
            difference: reference.and_then(|reference| mean(&differences(&cells[place], &cells[reference]))),
            seeds: by_seed.len(),
            measured: trial.runs.len(),
            runs: planned.get(trial.title.as_str()).copied().unwrap_or_default(),
        })
    };
    let mut rows: Vec<Standing> = trials.iter().enumerate().filter_map(standing).collect();
    let gain = |row: &Standing| match reference {
        Some(_) => row.difference.map_or(f64::NEG_INFINITY, |difference| metric.direction.gain(difference)),
        None => metric.direction.gain(row.mean),
    };
    let is_whole = |row: &Standing| row.measured as i64 >= row.runs;
    rows.sort_by(|one, other| {
        let order = |row: &Standing| (row.baseline, is_whole(row));
        order(other).cmp(&order(one)).then(gain(other).total_cmp(&gain(one)))
    });
    let left_out = rows.len().saturating_sub(MAX_ROWS);
    rows.truncate(MAX_ROWS);
    (rows, left_out)
}

/// Seeds and values by category.
type Cells<'a> = BTreeMap<&'a str, Vec<(i64, f64)>>;

fn cells(runs: &[MeasuredRun]) -> Cells<'_> {
    let mut cells = Cells::new();
    runs.iter().for_each(|run| cells.entry(&run.category).or_default().push((run.seed, run.value)));
    cells
}

/// Returns the differences by seed over the categories and seeds that both have; a seed that lacks one of them is left out.
fn differences(one: &Cells<'_>, other: &Cells<'_>) -> Vec<(i64, f64)> {
    let pairs = |(category, values): (&&str, &Vec<(i64, f64)>)| {
        let reference: HashMap<i64, f64> = other.get(category)?.iter().copied().collect();
        let pairs = values.iter().filter_map(|(seed, value)| Some((*seed, value - reference.get(seed)?)));
        let pairs: Vec<(i64, f64)> = pairs.collect();
        (!pairs.is_empty()).then_some(pairs)
    };
    complete_means(&one.iter().filter_map(pairs).collect::<Vec<_>>())
}

fn mean(by_seed: &[(i64, f64)]) -> Option<f64> {
    (!by_seed.is_empty()).then(|| by_seed.iter().map(|(_, value)| value).sum::<f64>() / by_seed.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::metrics::IMAGE_AUROC;

    fn trial(title: &str, runs: &[(&str, i64, f64)]) -> MeasuredTrial {
        let run = |(category, seed, value): &(&str, i64, f64)| MeasuredRun {
            category: (*category).to_owned(),
            seed: *seed,
            protocol: 1,
            value: *value,
        };
        MeasuredTrial { title: title.to_owned(), baseline: title == "ST-FPM", runs: runs.iter().map(run).collect() }
    }

    #[test]
    fn finished_trials_follow_st_fpm_by_their_paired_difference() {
        let trials = [
            trial("early", &[("nut", 0, 0.99)]),
            trial("worse", &[("nut", 0, 0.90), ("nut", 1, 0.80)]),
            trial("better", &[("nut", 0, 0.95), ("nut", 1, 0.85)]),
            trial("ST-FPM", &[("nut", 0, 0.92), ("nut", 1, 0.82)]),
            trial("unpaired", &[("nut", 7, 0.5)]),
        ];
        let planned = trials.iter().map(|trial| (trial.title.as_str(), 2)).collect();
        let (rows, left_out) = ranked(&trials, &planned, IMAGE_AUROC);
        let shown: Vec<(&str, Option<i64>)> = rows
            .iter()
            .map(|row| (row.trial.as_str(), row.difference.map(|value| (1000.0 * value).round() as i64)))
            .collect();
        let expected =
            [("ST-FPM", None), ("better", Some(30)), ("worse", Some(-20)), ("early", Some(70)), ("unpaired", None)];
        assert_eq!((shown.as_slice(), left_out), (&expected[..], 0));
        assert!((rows[1].mean - 0.9).abs() < 1e-9, "{}", rows[1].mean);
        assert_eq!((rows[1].seeds, rows[1].measured, rows[3].runs), (2, 2, 2));
        let (rows, _) = ranked(&trials[..3], &HashMap::new(), IMAGE_AUROC);
        assert_eq!(rows.iter().map(|row| row.trial.as_str()).collect::<Vec<_>>(), ["early", "better", "worse"]);
    }

    #[test]
    fn a_seed_counts_once_all_its_categories_are_measured() {
        let one = trial("a", &[("nut", 0, 0.8), ("nut", 1, 0.1), ("pill", 0, 0.6)]);
        let (rows, _) = ranked(&[one], &HashMap::new(), IMAGE_AUROC);
        assert!((rows[0].mean - 0.7).abs() < 1e-9 && rows[0].seeds == 1, "{:?}", rows[0]);
    }

    #[test]
    fn protocols_are_ranked_apart() {
        let mut other = trial("b", &[("nut", 0, 0.5), ("nut", 1, 0.6)]);
        other.runs[1].protocol = 2;
        let classes = HashMap::from([(1, "one".to_owned()), (2, "two".to_owned())]);
        let parts = by_class(vec![trial("a", &[("nut", 0, 0.9)]), other, trial("c", &[])], &classes);
        let sizes: Vec<Vec<usize>> =
            parts.iter().map(|trials| trials.iter().map(|trial| trial.runs.len()).collect()).collect();
        assert_eq!(sizes, [vec![1, 1], vec![1]]);
    }
}
