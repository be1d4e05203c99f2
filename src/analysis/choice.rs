//! The trial that the objective chooses of each variant, and the seeds on which the chosen trials are compared.

use serde::Serialize;

use crate::store::SearchTrial;
use crate::text::counted;

/// The chosen trial of a variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// Label of the variant.
    pub variant: String,
    /// Whether it is ST-FPM, with which the others are compared.
    pub baseline: bool,
    /// Key of the chosen trial.
    pub trial: String,
    /// Short id and settings of the chosen trial.
    pub title: String,
    /// What the search promised: the mean of the objective over the chosen trial's runs. `None` if there was nothing to choose.
    pub promised: Option<f64>,
    /// Number of trials of the variant.
    pub candidates: usize,
}

impl Choice {
    /// Describes the choice, for people: "chosen for skip=add: T07 skip=add of 12 trials, promised 0.9812".
    pub fn describe(&self) -> String {
        let Self { variant, title, candidates, .. } = self;
        match self.promised {
            Some(promised) => {
                format!("chosen for {variant}: {title} of {}, promised {promised:.4}", counted(*candidates, "trial"))
            }
            None => format!("chosen for {variant}: {title}, its only trial"),
        }
    }
}

/// Chooses a trial of each variant, ST-FPM first. Leaves out a variant if none of its trials has all its values. Returns an empty list if
/// ST-FPM is left out.
///
/// `trials` have the objective's values, and only runs of the search's seeds. No other seed has a part in the choice.
pub fn choices(trials: &[SearchTrial]) -> Vec<Choice> {
    let variants = variants(trials);
    let Some(baseline) = variants.first().copied() else { return Vec::new() };
    let choices: Vec<Choice> = variants.into_iter().filter_map(|variant| choice(trials, variant, baseline)).collect();
    if choices.first().is_some_and(|first| first.baseline) { choices } else { Vec::new() }
}

/// Returns the labels of the variants, ST-FPM first; an empty list without ST-FPM.
pub(super) fn variants(trials: &[SearchTrial]) -> Vec<&str> {
    let mut variants: Vec<&str> = trials.iter().filter(|trial| trial.baseline).map(|trial| &*trial.variant).collect();
    variants.truncate(1);
    if !variants.is_empty() {
        for trial in trials {
            if !variants.contains(&trial.variant.as_str()) {
                variants.push(&trial.variant);
            }
        }
    }
    variants
}

fn choice(trials: &[SearchTrial], variant: &str, baseline: &str) -> Option<Choice> {
    let candidates: Vec<&SearchTrial> = trials.iter().filter(|trial| trial.variant == variant).collect();
    let of = |trial: &SearchTrial, promised: Option<f64>| Choice {
        variant: variant.to_owned(),
        baseline: variant == baseline,
        trial: trial.id.clone(),
        title: trial.title.clone(),
        promised,
        candidates: candidates.len(),
    };
    if let [only] = candidates[..] {
        return Some(of(only, None));
    }
    let valued = candidates.iter().filter_map(|trial| Some((*trial, mean(trial)?)));
    // Of equal values, the first wins.
    let best = valued.reduce(|best, other| if other.1 > best.1 { other } else { best });
    best.map(|(trial, value)| of(trial, Some(value)))
}

/// Returns the mean of the objective, if every run has a value.
fn mean(trial: &SearchTrial) -> Option<f64> {
    let values: Option<Vec<f64>> = trial.runs.iter().map(|run| run.value.filter(|value| value.is_finite())).collect();
    values.filter(|values| !values.is_empty()).map(|values| values.iter().sum::<f64>() / values.len() as f64)
}

/// Returns the seeds of the comparison in their order, without end. If a choice was made, the search's seeds are left out, because they had
/// a part in it. Otherwise they come first.
pub fn comparison_seeds(search: &[u64], choosing: bool) -> impl Iterator<Item = u64> + '_ {
    let first = if choosing { &[] } else { search };
    first.iter().copied().chain((0..).filter(|seed| !search.contains(seed)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{RunState, SearchRun};

    fn trial(id: &str, variant: &str, values: &[Option<f64>]) -> SearchTrial {
        let run = |(seed, value): (usize, &Option<f64>)| SearchRun {
            id: format!("{id}/{seed}"),
            category: "nut".to_owned(),
            seed: seed as i64,
            state: RunState::Done,
            value: *value,
        };
        SearchTrial {
            id: id.to_owned(),
            axes: "{}".to_owned(),
            title: id.to_owned(),
            variant: variant.to_owned(),
            baseline: id == "base",
            runs: values.iter().enumerate().map(run).collect(),
        }
    }

    #[test]
    fn the_objective_chooses_within_each_variant() {
        let trials = [
            trial("a", "skip=add", &[Some(0.5), Some(0.7)]),
            trial("base", "ST-FPM", &[Some(0.1), None]),
            trial("b", "skip=add", &[Some(0.9), None]),
            trial("c", "skip=add", &[Some(0.6), Some(0.8)]),
            trial("d", "skip=none", &[None, None]),
            trial("e", "skip=none", &[None, Some(0.9)]),
            trial("f", "skip=concat", &[None, None]),
        ];
        let choices = choices(&trials);
        let found: Vec<_> = choices.iter().map(|c| (c.trial.as_str(), c.baseline, c.promised, c.candidates)).collect();
        // An incomplete trial is never chosen; a single one needs no value.
        assert_eq!(found, [("base", true, None, 1), ("c", false, Some(0.7), 3), ("f", false, None, 1)]);
        assert_eq!(super::choices(&trials[2..]), [], "nothing to compare with");
        let without_values = [trials[1].clone(), trials[2].clone(), trial("g", "skip=add", &[None])];
        assert_eq!(super::choices(&without_values).len(), 1, "ST-FPM alone");
        assert_eq!(variants(&without_values), ["ST-FPM", "skip=add"], "each variant has its share of alpha");
    }

    #[test]
    fn seeds_that_chose_have_no_part_in_the_comparison() {
        let seeds = |choosing| comparison_seeds(&[3, 0], choosing).take(5).collect::<Vec<_>>();
        assert_eq!(seeds(true), [1, 2, 4, 5, 6]);
        assert_eq!(seeds(false), [3, 0, 1, 2, 4]);
    }
}
