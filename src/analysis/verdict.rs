//! Two variants beside each other, and what may be said of them: better, worse, or not distinguishable, and how many seeds would do.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde::Serialize;

use super::difference::{Differences, LEVEL, Pairs, adjust, settles, without};
use super::incomparable::Incomparable;
use super::paired_test::{FEWEST_SEEDS, IMAGE_SEEDS, PairedTest, Scope, paired_test, with_images};
use super::protocol::differences;
use super::side::{Side, twins};
use crate::evaluate::metrics::{Metric, Resampling};
use crate::statistics::{Estimate, delong, is_rounding, rounded, summary, wilcoxon};
use crate::text;

/// More seeds than these nobody trains: how many exactly does not matter.
const MANY_SEEDS: usize = 100;

/// One metric of one comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// The variant.
    pub variant: String,
    /// Its trial's key.
    pub trial: String,
    /// What it is compared with.
    pub reference: String,
    /// The metric.
    pub metric: Metric,
    /// Means of the compared runs: variant, reference.
    pub means: (f64, f64),
    /// Mean difference over seeds, each seed's a mean over categories.
    pub difference: f64,
    /// 95 % interval, where seeds tell one.
    pub interval: Option<(f64, f64)>,
    /// p-value, adjusted over the variants of this metric (Holm).
    pub p: Option<f64>,
    /// How interval and p-value were made, and what they speak of.
    pub method: Scope,
    /// What they were made of.
    #[serde(skip)]
    estimate: Option<Estimate>,
    /// What they would be made of with as many seeds as bring in the test images; none where these cannot be drawn, and where fewer
    /// seeds settle it.
    #[serde(skip)]
    with_images: Option<Estimate>,
    /// Complete seeds: those with which both have a number in each of the categories. All numbers are of their runs alone.
    pub seeds: usize,
    /// Seeds that are left out, for a run or its number is missing in one of the categories.
    pub incomplete_seeds: Vec<i64>,
    /// Categories in which both have a number with the same seed.
    pub categories: usize,
    /// Pairs in which the variant is better, equal, worse.
    pub better_equal_worse: (usize, usize, usize),
    /// better, worse, or why neither.
    pub verdict: String,
    /// Where the verdict is open: seeds that would find a difference of this size four times in five. None where a hundred would not
    /// do. The test is the one that so many seeds would have, adjusted as here.
    pub seeds_needed: Option<usize>,
    /// Cohen's d of the paired differences.
    pub effect_size: Option<f64>,
    /// DeLong's p-value of each category's image AUROC, for each seed: of other images, for one pair of networks; not adjusted.
    pub delong: Vec<(String, i64, f64)>,
    /// Wilcoxon's p-value over categories, from six categories and five seeds on; adjusted over the variants of this metric (Holm).
    pub over_categories: Option<f64>,
    /// What the protocols differ in, where they were compared all the same.
    pub across: Option<String>,
}

/// Every other side against the first, metric by metric. Protocols may differ only where `across` says so.
pub fn verdicts(
    reference: &Side,
    others: &[Side],
    metrics: &[Metric],
    across: bool,
) -> Result<Vec<Verdict>, Incomparable> {
    let notes: Vec<Option<String>> =
        others.iter().map(|other| protocols(reference, other, across)).collect::<Result<_, _>>()?;
    let noted: Vec<(&Side, Option<String>)> = others.iter().zip(notes).collect();
    let all = families(reference, &noted, metrics);
    match others.iter().find(|other| all.iter().all(|verdict| verdict.trial != other.trial)) {
        Some(other) => Err(Incomparable::Apart(other.label.clone(), reference.label.clone())),
        None => Ok(all),
    }
}

/// The same for sides whose protocols were looked at already; each with what they differ in.
pub(crate) fn families(reference: &Side, others: &[(&Side, Option<String>)], metrics: &[Metric]) -> Vec<Verdict> {
    let mut all = Vec::new();
    for &metric in metrics {
        let one = |(other, note): &(&Side, Option<String>)| {
            // Above this nothing is settled, once p-values are adjusted.
            let level = LEVEL / others.len() as f64;
            compare(reference, other, metric, note.clone(), level)
        };
        // A bootstrap of pixels holds histograms of all seeds: of one comparison at a time, with its resamples side by side.
        let mut family: Vec<Verdict> = match metric.resampling() {
            Resampling::Histograms(_) => others.iter().filter_map(one).collect(),
            Resampling::ImageRanks | Resampling::Unavailable(_) => others.par_iter().map(one).flatten_iter().collect(),
        };
        // Holm compares the smallest p-value with this level.
        let level = LEVEL / family.iter().filter(|verdict| verdict.p.is_some()).count().max(1) as f64;
        adjust(family.iter_mut().map(|verdict| &mut verdict.p));
        adjust(family.iter_mut().map(|verdict| &mut verdict.over_categories));
        family.iter_mut().for_each(|verdict| verdict.conclude(level));
        all.extend(family);
    }
    all
}

/// The verdicts of each trial, trials in the order in which they come.
pub fn by_trial(verdicts: &[Verdict]) -> Vec<Vec<&Verdict>> {
    let mut trials: Vec<Vec<&Verdict>> = Vec::new();
    for verdict in verdicts {
        match trials.iter_mut().find(|trial| trial[0].is_of(&verdict.trial, &verdict.variant)) {
            Some(trial) => trial.push(verdict),
            None => trials.push(vec![verdict]),
        }
    }
    trials
}

/// What the protocols of common categories differ in; an error unless that is allowed.
fn protocols(one: &Side, other: &Side, across: bool) -> Result<Option<String>, Incomparable> {
    let mut facts = BTreeSet::new();
    for run in &one.runs {
        for twin in other.runs.iter().filter(|twin| twin.category == run.category) {
            facts.extend(differences(&run.protocol, &twin.protocol));
        }
    }
    let what = facts.into_iter().collect::<Vec<_>>().join("; ");
    match (what.is_empty(), across) {
        (true, _) => Ok(None),
        (false, true) => Ok(Some(what)),
        (false, false) => Err(Incomparable::Protocols { one: one.label.clone(), other: other.label.clone(), what }),
    }
}

fn compare(reference: &Side, other: &Side, metric: Metric, across: Option<String>, level: f64) -> Option<Verdict> {
    let differences = Differences::between(other, reference, metric)?;
    let spread = summary(&differences.by_seed)?;
    let size = differences.scale();
    let total = differences.pairs().count() as f64;
    let sign = |(value, reference): (f64, f64)| match metric.direction.gain(value - reference) {
        gain if is_rounding(gain, size) => 0.0,
        gain => gain.signum(),
    };
    let count = |wanted: f64| differences.pairs().filter(|pair| sign(*pair) == wanted).count();
    let means = (
        differences.pairs().map(|(value, _)| value).sum::<f64>() / total,
        differences.pairs().map(|(_, reference)| reference).sum::<f64>() / total,
    );
    let of_category = |(_, pairs): &Pairs<'_>| {
        pairs.iter().map(|(_, value, reference)| value - reference).sum::<f64>() / pairs.len() as f64
    };
    let of_categories: Vec<f64> = differences.categories.iter().map(of_category).collect();
    let deviation = spread.deviation.filter(|deviation| !is_rounding(*deviation, size));

    let PairedTest { estimate, scope } = paired_test(metric, other, reference, &differences);
    let with_images = match scope {
        Scope::Images => estimate,
        Scope::Seeds(None) if estimate.is_some_and(|estimate| estimate.p() >= level) => {
            with_images(metric, other, reference, &differences)
        }
        Scope::Seeds(_) | Scope::FewSeeds | Scope::NoSpread => None,
    };
    Some(Verdict {
        variant: other.label.clone(),
        trial: other.trial.clone(),
        reference: reference.label.clone(),
        metric,
        means,
        difference: differences.mean(),
        interval: estimate.map(|estimate| estimate.interval()),
        p: estimate.map(|estimate| estimate.p()),
        method: scope,
        estimate,
        with_images,
        seeds: differences.by_seed.len(),
        incomplete_seeds: differences.incomplete_seeds.clone(),
        categories: differences.categories.len(),
        better_equal_worse: (count(1.0), count(0.0), count(-1.0)),
        verdict: String::new(),
        seeds_needed: None,
        effect_size: deviation.map(|deviation| spread.mean / deviation),
        delong: match metric.resampling() {
            Resampling::ImageRanks => delong_tests(reference, other, &differences.categories),
            Resampling::Histograms(_) | Resampling::Unavailable(_) => Vec::new(),
        },
        over_categories: (differences.by_seed.len() >= FEWEST_SEEDS)
            .then(|| wilcoxon(&rounded(&of_categories, size)))
            .flatten(),
        across,
    })
}

fn delong_tests(reference: &Side, other: &Side, by_category: &[Pairs<'_>]) -> Vec<(String, i64, f64)> {
    let tests = by_category.iter().flat_map(|(category, pairs)| {
        pairs.iter().filter_map(|(seed, ..)| {
            let (labels, ours, theirs) = twins(other, reference, category, *seed)?;
            Some(((*category).to_owned(), *seed, delong(&labels, &ours, &theirs)?.p))
        })
    });
    tests.collect()
}

impl Verdict {
    /// Says what may be said, its p-values being adjusted: the smallest of its family was compared with `level`.
    fn conclude(&mut self, level: f64) {
        let is_open = self.p.is_some_and(|p| !settles(p));
        self.seeds_needed = is_open.then(|| self.seeds_that_would_do(level)).flatten();
        let of = if self.method == Scope::Images { "" } else { " on these images" };
        self.verdict = match (&self.method, self.p) {
            (_, Some(_)) if is_open => format!("not distinguishable with {} seeds{}", self.seeds, self.outlook(level)),
            (_, Some(_)) if self.gain() > 0.0 => format!("better{of}"),
            (_, Some(_)) => format!("worse{of}"),
            (Scope::NoSpread, None) => "every seed has the same difference: no test".to_owned(),
            (_, None) => format!("too few seeds: {} of {FEWEST_SEEDS}", self.seeds),
        };
    }

    /// The fewest seeds with which a test at `level` would find this difference four times in five.
    fn seeds_that_would_do(&self, level: f64) -> Option<usize> {
        let would_do = |seeds: &usize| self.larger(*seeds).is_some_and(|estimate| estimate.would_settle(*seeds, level));
        // An eighth seed brings in the images and may take power away; beyond, every seed adds some.
        let with_images: Vec<usize> = (self.seeds.max(IMAGE_SEEDS)..=MANY_SEEDS).collect();
        (self.seeds..IMAGE_SEEDS)
            .find(would_do)
            .or_else(|| with_images.get(with_images.partition_point(|seeds| !would_do(seeds))).copied())
    }

    /// What the test of so many seeds would be made of.
    fn larger(&self, seeds: usize) -> Option<Estimate> {
        if seeds < IMAGE_SEEDS { self.estimate } else { self.with_images.or(self.estimate) }
    }

    /// "; 12 would do if the difference is as large as it looks": by the power of the test that so many seeds would have.
    fn outlook(&self, level: f64) -> String {
        match self.seeds_needed {
            Some(needed) if needed > self.seeds => {
                let of = if needed >= IMAGE_SEEDS && self.with_images.is_some() { "" } else { " on these images" };
                format!("; {needed} would do{of} if the difference is as large as it looks")
            }
            Some(_) => String::new(),
            None if self.with_images.is_some_and(|estimate| estimate.is_limited_by_images(level)) => {
                "; more seeds alone would not do if the difference is no larger than it looks: more test images are needed"
                    .to_owned()
            }
            None => format!("; more than {MANY_SEEDS} would be needed if the difference is no larger than it looks"),
        }
    }

    /// The difference, above 0 where the variant is better.
    pub fn gain(&self) -> f64 {
        self.metric.direction.gain(self.difference)
    }

    /// "without seed 3" where seeds are left out.
    pub fn without(&self) -> Option<String> {
        without(&self.incomplete_seeds)
    }

    /// Whether it is of the variant with this trial and label.
    pub(crate) fn is_of(&self, trial: &str, label: &str) -> bool {
        (self.trial.as_str(), self.variant.as_str()) == (trial, label)
    }

    /// The cells of a table for people.
    pub fn cells(&self) -> Vec<String> {
        let interval = self
            .interval
            .map_or("-".to_owned(), |(low, high)| format!("{} … {}", text::signed(low), text::signed(high)));
        vec![
            self.metric.to_string(),
            format!("{:.4}", self.means.0),
            format!("{:.4}", self.means.1),
            text::signed(self.difference),
            interval,
            self.p.map_or("-".to_owned(), text::short_p),
            self.verdict.clone(),
        ]
    }
}
