//! Compares the chosen trials with that of ST-FPM, on seeds that had no part in the choice, and says what is settled.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::choice::Choice;
use super::protocol::Protocol;
use crate::config::{Confirmation, DecideSettings};
use crate::evaluate::metrics::{Metric, Resampling, Scope};
use crate::statistics::{Answer, Decision, FEWEST_SEEDS, Question, SKEWED, skewness};
use crate::store::{RunState, SearchTrial};
use crate::text::{counted, signed};

/// What is known about a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Settled {
    /// The answer holds whenever one stops.
    Answer(Answer),
    /// More seeds will be added.
    Open,
    /// The largest number of seeds was used.
    Undecided,
    /// A run failed for good, so its seed has no difference.
    Failed,
}

/// The comparison of a chosen trial with that of ST-FPM.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariantDecision {
    /// The chosen trial.
    pub choice: Choice,
    /// Differences of complete seeds, in the order of seeds: the mean over categories, above 0 if the variant is better.
    pub differences: Vec<(u64, f64)>,
    /// What is known.
    pub settled: Settled,
    /// Number of seeds that gave the answer, or of all complete ones.
    pub seeds: usize,
    /// Mean of the differences of these seeds.
    pub mean: Option<f64>,
    /// Interval that holds whenever one stops, shared out over the variants; `None` with fewer than five seeds, or if it is the whole line.
    pub interval: Option<(f64, f64)>,
    /// p-value that holds whenever one stops, times the number of variants; `None` with fewer than five seeds.
    pub p: Option<f64>,
    /// Number of seeds with which an open answer is likely; `None` with fewer than five seeds.
    pub needed: Option<usize>,
    /// Whether the differences are so skewed that the answer may be wrong more often than `alpha` says.
    pub skewed: bool,
}

/// Longest forecast of a number of seeds.
const FORECAST: usize = 1000;

/// Compares all variants with the first choice, ST-FPM.
///
/// `variants` is the number of variants besides ST-FPM. Each has an equal share of `alpha`, also without a chosen trial. `trials` have the
/// values of the metric of `settings`. `seeds` are those of the comparison, in their order. `protocols` are those of ST-FPM's chosen trial.
pub(super) fn decisions(
    choices: &[Choice],
    variants: usize,
    trials: &[SearchTrial],
    seeds: &[u64],
    settings: &DecideSettings,
    protocols: &[Protocol],
) -> Vec<VariantDecision> {
    let Some((baseline, others)) = choices.split_first() else { return Vec::new() };
    let question = Question {
        alpha: settings.alpha / variants.max(1) as f64,
        margin: settings.margin,
        resolution: resolution(settings.metric, protocols),
        range: settings.metric.range.of_differences(),
    };
    let find = |choice: &Choice| trials.iter().find(|trial| trial.id == choice.trial);
    let of_variant = |choice: &Choice| {
        let paired = match (find(choice), find(baseline)) {
            (Some(one), Some(other)) => paired(one, other, seeds, settings.metric),
            _ => Paired { differences: Vec::new(), failed: false },
        };
        decide(choice, paired, &question, settings.max_seeds, variants)
    };
    others.iter().map(of_variant).collect()
}

fn decide(choice: &Choice, paired: Paired, question: &Question, most: usize, variants: usize) -> VariantDecision {
    let differences: Vec<f64> = paired.differences.iter().map(|(_, difference)| *difference).collect();
    let decision = question.decide(&differences);
    let settled = match decision.and_then(|decision| decision.answer) {
        Some(answer) => Settled::Answer(answer),
        None if paired.failed => Settled::Failed,
        None if differences.len() >= most => Settled::Undecided,
        None => Settled::Open,
    };
    let seen = decision.map_or(0, |decision| decision.look.count);
    let is_open = |decision: &Decision| decision.answer.is_none();
    VariantDecision {
        choice: choice.clone(),
        settled,
        seeds: seen,
        mean: decision.map(|decision| decision.look.mean),
        interval: decision.and_then(|decision| decision.look.interval),
        p: decision.and_then(|decision| decision.p).map(|p| (p * variants as f64).min(1.0)),
        needed: decision.filter(is_open).and_then(|decision| question.needed(&decision.look, FORECAST)),
        skewed: seen >= FEWEST_SEEDS && skewness(&differences[..seen]).abs() > SKEWED,
        differences: paired.differences,
    }
}

/// Differences of complete seeds, up to the first seed that is not complete.
struct Paired {
    differences: Vec<(u64, f64)>,
    /// Whether that seed will never be complete.
    failed: bool,
}

/// Pairs two trials by category and seed.
fn paired(one: &SearchTrial, other: &SearchTrial, seeds: &[u64], metric: Metric) -> Paired {
    let categories: BTreeSet<&str> = other.runs.iter().map(|run| run.category.as_str()).collect();
    let mut differences = Vec::new();
    for &seed in seeds {
        let value = |trial: &SearchTrial, category: &str| {
            trial.runs.iter().find(|run| run.seed as u64 == seed && run.category == category).map(|run| {
                match run.state {
                    RunState::Done => run.value.ok_or(true),
                    RunState::Failed | RunState::Cancelled | RunState::Pruned => Err(true),
                    RunState::Pending | RunState::Running => Err(false),
                }
            })
        };
        let mut sum = 0.0;
        for &category in &categories {
            match (value(one, category), value(other, category)) {
                (Some(Ok(ours)), Some(Ok(theirs))) => sum += metric.direction.gain(ours - theirs),
                (Some(Err(true)), _) | (_, Some(Err(true))) => return Paired { differences, failed: true },
                _ => return Paired { differences, failed: false },
            }
        }
        differences.push((seed, sum / categories.len() as f64));
    }
    Paired { differences, failed: false }
}

/// Returns the smallest step of a difference: one pair of images or one pixel more, in one of the categories.
fn resolution(metric: Metric, protocols: &[Protocol]) -> f64 {
    let step = |protocol: &Protocol| {
        let (good, defective) = protocol.test_images();
        let images = (good + defective) as f64;
        match (metric.scope(), metric.resampling()) {
            (Scope::Image, Resampling::ImageRanks) => 1.0 / (good as f64 * defective as f64),
            (Scope::Image, _) => 1.0 / images,
            (Scope::Pixel, _) => 1.0 / (images * protocol.pixels() as f64),
        }
    };
    let steps = protocols.iter().map(step).filter(|step| step.is_finite());
    steps.fold(0.0, f64::max) / protocols.len().max(1) as f64
}

/// Returns how many seeds of the comparison each choice needs now, in the order of `choices`. ST-FPM needs as many as the others.
///
/// `variants` is as in [`decisions`]. `planned` is the number of seeds of which all chosen trials have runs.
pub fn seeds_wanted(
    choices: &[Choice],
    decisions: &[VariantDecision],
    confirmation: &Confirmation,
    (variants, planned): (usize, usize),
    has_idle_workers: bool,
) -> Vec<usize> {
    let settings = match confirmation {
        Confirmation::Fixed(seeds) => return vec![*seeds; choices.len()],
        Confirmation::UntilSettled(settings) => settings,
    };
    let range = settings.metric.range.of_differences();
    let question =
        Question { alpha: settings.alpha / variants.max(1) as f64, margin: settings.margin, resolution: 0.0, range };
    // No answer is possible with fewer.
    let fewest = question.fewest().min(settings.max_seeds);
    let wanted = |decision: &VariantDecision| match decision.settled {
        Settled::Open if decision.differences.len() >= planned || has_idle_workers => {
            (planned + 1).clamp(fewest, settings.max_seeds)
        }
        Settled::Open => planned.clamp(fewest, settings.max_seeds),
        Settled::Answer(_) | Settled::Undecided | Settled::Failed => 0,
    };
    let of_variants: Vec<usize> = decisions.iter().map(wanted).collect();
    let most = of_variants.iter().copied().max().unwrap_or_default();
    std::iter::once(most).chain(of_variants).collect()
}

impl VariantDecision {
    /// Describes the answer, for people: "better", "open, too few seeds for a claim", "undecided; about 50 seeds would do".
    pub fn answer(&self) -> String {
        match (self.settled, self.needed) {
            (Settled::Answer(answer), _) => Settled::Answer(answer).to_string(),
            (settled, _) if self.seeds < FEWEST_SEEDS => format!("{settled}, too few seeds for a claim"),
            (settled @ (Settled::Open | Settled::Undecided), Some(needed)) => {
                format!("{settled}; about {needed} seeds would do")
            }
            (settled, _) => settled.to_string(),
        }
    }

    /// Describes what is known, for people: "skip=add: better, after 7 seeds (+0.0123, interval +0.0041 to +0.0205)".
    pub fn describe(&self) -> String {
        let seeds = counted(self.seeds, "seed");
        let mean = self.mean.map(signed);
        let interval = self.interval.map(|(low, high)| format!("interval {} to {}", signed(low), signed(high)));
        let facts: Vec<String> = mean.into_iter().chain(interval).collect();
        let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
        let few = if self.seeds < FEWEST_SEEDS { ", too few for a claim" } else { "" };
        format!("{}: {}, after {seeds}{few}{facts}", self.choice.variant, self.settled)
    }
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answer(Answer::Better) => "better",
            Self::Answer(Answer::Worse) => "worse",
            Self::Answer(Answer::Equivalent) => "equivalent",
            Self::Open => "open",
            Self::Undecided => "undecided",
            Self::Failed => "undecided (failed)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::metrics::{IMAGE_AUROC, PIXEL_AUROC};
    use crate::statistics::Range;
    use crate::store::SearchRun;

    /// Category, seed and value of a run; `Err` is a failed run.
    type RunOf<'a> = (&'a str, i64, Result<Option<f64>, ()>);

    /// A trial with these runs.
    fn trial(id: &str, runs: &[RunOf<'_>]) -> SearchTrial {
        let run = |(category, seed, value): &RunOf<'_>| SearchRun {
            id: format!("{id}/{category}/{seed}"),
            category: (*category).to_owned(),
            seed: *seed,
            state: match value {
                Ok(Some(_)) => RunState::Done,
                Ok(None) => RunState::Running,
                Err(()) => RunState::Failed,
            },
            value: value.ok().flatten(),
        };
        SearchTrial {
            id: id.to_owned(),
            axes: "{}".to_owned(),
            title: id.to_owned(),
            variant: id.to_owned(),
            baseline: id == "base",
            runs: runs.iter().map(run).collect(),
        }
    }

    #[test]
    fn seeds_count_in_their_order_and_only_when_every_category_is_done() {
        let base: Vec<_> =
            (0..4).flat_map(|seed| [("nut", seed, Ok(Some(0.5))), ("bolt", seed, Ok(Some(0.7)))]).collect();
        let mut ours = vec![("nut", 0, Ok(Some(0.6))), ("bolt", 0, Ok(Some(0.7))), ("nut", 1, Ok(Some(0.5)))];
        ours.extend([("bolt", 1, Ok(Some(0.9))), ("nut", 2, Ok(None)), ("bolt", 2, Ok(Some(0.1)))]);
        ours.extend([("nut", 3, Ok(Some(0.9))), ("bolt", 3, Ok(Some(0.9)))]);
        let compare = |ours: &[_]| paired(&trial("a", ours), &trial("base", &base), &[0, 1, 2, 3], PIXEL_AUROC);
        let gains =
            |paired: &Paired| paired.differences.iter().map(|(seed, x)| (*seed, (x * 1e6).round())).collect::<Vec<_>>();
        // Seed 3 is done, but seed 2 is not: it must not be seen earlier because it was faster.
        let found = compare(&ours);
        assert_eq!((gains(&found), found.failed), (vec![(0, 5e4), (1, 1e5)], false));
        ours[4].2 = Err(());
        let found = compare(&ours);
        assert_eq!((gains(&found), found.failed), (vec![(0, 5e4), (1, 1e5)], true));
        ours[4].2 = Ok(Some(0.3));
        assert_eq!(compare(&ours).differences.len(), 4);
    }

    #[test]
    fn below_five_seeds_nothing_is_claimed() {
        let gains = [0.01, 0.011, 0.009, 0.0105, 0.0102];
        let settings = |seeds: usize, alpha: f64| {
            let choice = Choice {
                variant: "skip=add".to_owned(),
                baseline: false,
                trial: "a".to_owned(),
                title: "a".to_owned(),
                promised: None,
                candidates: 1,
            };
            let differences = (0..).zip(gains.into_iter().take(seeds)).collect();
            let question = Question { alpha, margin: 0.002, resolution: 0.0, range: Range::UNBOUNDED };
            decide(&choice, Paired { differences, failed: false }, &question, 40, 1)
        };
        for seeds in 0..FEWEST_SEEDS {
            // With an error of one half, the formula alone would settle it.
            for alpha in [0.05, 0.5] {
                let found = settings(seeds, alpha);
                assert_eq!((found.settled, found.seeds), (Settled::Open, seeds));
                assert_eq!((found.interval, found.p, found.needed, found.skewed), (None, None, None, false), "{seeds}");
                assert_eq!(found.answer(), "open, too few seeds for a claim");
            }
        }
        assert_eq!(settings(2, 0.05).describe(), "skip=add: open, after 2 seeds, too few for a claim (+0.0105)");
        let five = settings(5, 0.05);
        assert_eq!((five.settled, five.answer().as_str()), (Settled::Answer(Answer::Better), "better"));
        assert!(five.interval.is_some() && five.p.is_some_and(|p| p < 0.05));
    }

    #[test]
    fn the_smallest_step_is_one_pair_of_images_or_one_pixel() {
        let protocol = |good: u64, defective: u64| {
            Protocol::of_text(&format!(
                r#"{{ "image_size": 10, "counts": {{ "test": {{ "good": {good}, "cut": {defective} }} }} }}"#
            ))
        };
        let both = [protocol(4, 5), protocol(10, 10)];
        assert!((resolution(IMAGE_AUROC, &both) - 1.0 / 20.0 / 2.0).abs() < 1e-12);
        assert!((resolution(PIXEL_AUROC, &both) - 1.0 / 900.0 / 2.0).abs() < 1e-12);
    }
}
