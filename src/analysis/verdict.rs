//! Compares two variants and gives a verdict: better, worse or not distinguishable, and how many seeds would be enough.

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

/// Maximum number of seeds in a forecast. Nobody trains more, so the exact number does not matter.
const MANY_SEEDS: usize = 100;

/// The result of one comparison in one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Label of the variant.
    pub variant: String,
    /// Key of the variant's trial.
    pub trial: String,
    /// Label of the reference that the variant is compared with.
    pub reference: String,
    /// The metric.
    pub metric: Metric,
    /// Means of the compared runs: variant, reference.
    pub means: (f64, f64),
    /// Mean difference over seeds; each seed's difference is a mean over categories.
    pub difference: f64,
    /// 95 % interval; `None` if the seeds do not give one.
    pub interval: Option<(f64, f64)>,
    /// p-value, adjusted over the variants of this metric (Holm).
    pub p: Option<f64>,
    /// How interval and p-value were computed, and what they generalise to.
    pub method: Scope,
    /// The estimate behind interval and p-value.
    #[serde(skip)]
    estimate: Option<Estimate>,
    /// The estimate with enough seeds to include the test images. `None` if these cannot be resampled, or if fewer seeds already settle the
    /// difference.
    #[serde(skip)]
    with_images: Option<Estimate>,
    /// Number of complete seeds: both have a number in each of the categories. All numbers here cover the runs of these seeds only.
    pub seeds: usize,
    /// Seeds that are left out because a run or its number is missing in one of the categories.
    pub incomplete_seeds: Vec<i64>,
    /// Number of categories in which both have a number with the same seed.
    pub categories: usize,
    /// Numbers of pairs in which the variant is better, equal, worse.
    pub better_equal_worse: (usize, usize, usize),
    /// "better", "worse", or the reason for neither.
    pub verdict: String,
    /// If the verdict is open: number of seeds that would find a difference of this size four times in five. `None` if a hundred would not
    /// be enough. The forecast uses the test for that number of seeds, adjusted as here.
    pub seeds_needed: Option<usize>,
    /// Cohen's d of the paired differences.
    pub effect_size: Option<f64>,
    /// DeLong's p-value of each category's image AUROC, for each seed. It generalises to other images for one pair of networks and is not
    /// adjusted.
    pub delong: Vec<(String, i64, f64)>,
    /// Wilcoxon's p-value over categories, with at least six categories and five seeds; adjusted over the variants of this metric (Holm).
    pub over_categories: Option<f64>,
    /// What the protocols differ in, if they were compared in spite of that.
    pub across: Option<String>,
}

/// Compares every other side with the reference, metric by metric. Protocols may differ only if `across` is true.
///
/// # Errors
/// Protocols differ without `across`, or a side has no complete seed in common with the reference.
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

/// Compares sides whose protocols are already checked; each side comes with what the protocols differ in.
pub(crate) fn families(reference: &Side, others: &[(&Side, Option<String>)], metrics: &[Metric]) -> Vec<Verdict> {
    let mut all = Vec::new();
    for &metric in metrics {
        let one = |(other, note): &(&Side, Option<String>)| {
            // A p-value above this level cannot settle anything after adjusting.
            let level = LEVEL / others.len() as f64;
            compare(reference, other, metric, note.clone(), level)
        };
        // A pixel bootstrap holds the histograms of all seeds in memory. So run one comparison at a time, with its resamples in parallel.
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

/// Groups the verdicts by trial, in the order in which trials first appear.
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

/// Returns what the protocols of common categories differ in.
///
/// # Errors
/// The protocols differ and `across` is false.
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
    /// Writes the verdict after the p-values are adjusted. `level` is the level that the smallest p-value of this metric was compared with.
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

    /// Returns the smallest number of seeds with which a test at `level` would find this difference four times in five.
    fn seeds_that_would_do(&self, level: f64) -> Option<usize> {
        let would_do = |seeds: &usize| self.larger(*seeds).is_some_and(|estimate| estimate.would_settle(*seeds, level));
        // The eighth seed adds the images to the test and may reduce its power. After that, every seed adds power.
        let with_images: Vec<usize> = (self.seeds.max(IMAGE_SEEDS)..=MANY_SEEDS).collect();
        (self.seeds..IMAGE_SEEDS)
            .find(would_do)
            .or_else(|| with_images.get(with_images.partition_point(|seeds| !would_do(seeds))).copied())
    }

    /// Returns the estimate of a test with this number of seeds.
    fn larger(&self, seeds: usize) -> Option<Estimate> {
        if seeds < IMAGE_SEEDS { self.estimate } else { self.with_images.or(self.estimate) }
    }

    /// Describes the forecast: "; 12 would do if the difference is as large as it looks". It uses the power of the test with that number of
    /// seeds.
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

    /// Returns the difference as a gain: above 0 if the variant is better.
    pub fn gain(&self) -> f64 {
        self.metric.direction.gain(self.difference)
    }

    /// Returns "without seed 3" if seeds are left out.
    pub fn without(&self) -> Option<String> {
        without(&self.incomplete_seeds)
    }

    /// Returns whether this verdict belongs to the variant with this trial and label.
    pub(crate) fn is_of(&self, trial: &str, label: &str) -> bool {
        (self.trial.as_str(), self.variant.as_str()) == (trial, label)
    }

    /// Returns the cells of a table row for people.
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
