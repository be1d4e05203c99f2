//! Compares two variants and gives a verdict: better, worse or not distinguishable, and how many seeds would be enough.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde::Serialize;

use super::difference::{CategoryPairs, Differences, LEVEL, adjust, is_significant, without};
use super::incomparable::Incomparable;
use super::paired_test::{IMAGE_SEEDS, PairedTest, Scope, paired_test, with_images};
use super::protocol::differences;
use super::side::{Side, paired_scores};
use crate::evaluate::metrics::{Metric, Resampling};
use crate::statistics::{Estimate, FEWEST_SEEDS, delong, is_rounding, rounded, summary, wilcoxon};
use crate::text;

/// Maximum number of seeds in a forecast. Larger experiments are unrealistic, so the exact number does not matter.
const MAX_SEEDS: usize = 100;

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
    /// The estimate with enough seeds to include the test images. `None` if these cannot be resampled, or if the difference is
    /// significant with fewer seeds already.
    #[serde(skip)]
    with_images: Option<Estimate>,
    /// Number of complete seeds: both have a number in each of the categories. All numbers here cover the runs of these seeds only.
    pub seeds: usize,
    /// Seeds that are omitted because a run or its number is missing in one of the categories.
    pub incomplete_seeds: Vec<i64>,
    /// Number of categories in which both have a number with the same seed.
    pub categories: usize,
    /// Numbers of pairs in which the variant is better, equal, worse.
    pub better_equal_worse: (usize, usize, usize),
    /// "better", "worse", or the reason for neither.
    pub verdict: String,
    /// If the verdict is open: number of seeds with which the test has a power of 0.8 for a difference of this size. `None` if 100 seeds
    /// are not enough. The forecast uses the test for that number of seeds, adjusted as here.
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
    let all = compare_checked(reference, &noted, metrics);
    match others.iter().find(|other| all.iter().all(|verdict| verdict.trial != other.trial)) {
        Some(other) => Err(Incomparable::NoCommonSeed(other.label.clone(), reference.label.clone())),
        None => Ok(all),
    }
}

/// Compares sides whose protocols are already checked; each side comes with what the protocols differ in.
pub(crate) fn compare_checked(
    reference: &Side,
    others: &[(&Side, Option<String>)],
    metrics: &[Metric],
) -> Vec<Verdict> {
    let mut all = Vec::new();
    for &metric in metrics {
        let compare_with = |(other, note): &(&Side, Option<String>)| {
            // A p-value above this level cannot be significant after adjusting.
            let level = LEVEL / others.len() as f64;
            compare(reference, other, metric, note.clone(), level)
        };
        // A pixel bootstrap holds the histograms of all seeds in memory. So comparisons run one at a time, each with parallel resamples.
        let mut comparison_family: Vec<Verdict> = match metric.resampling() {
            Resampling::Histograms(_) => others.iter().filter_map(compare_with).collect(),
            Resampling::ImageRanks | Resampling::Unavailable(_) => {
                others.par_iter().map(compare_with).flatten_iter().collect()
            }
        };
        // Holm compares the smallest p-value with this level.
        let level = LEVEL / comparison_family.iter().filter(|verdict| verdict.p.is_some()).count().max(1) as f64;
        adjust(comparison_family.iter_mut().map(|verdict| &mut verdict.p));
        adjust(comparison_family.iter_mut().map(|verdict| &mut verdict.over_categories));
        comparison_family.iter_mut().for_each(|verdict| verdict.conclude(level));
        all.extend(comparison_family);
    }
    all
}

/// Compares every side with the reference in each category alone. p is adjusted over all variants and categories.
pub(super) fn compare_categories(reference: &Side, others: &[&Side], metric: Metric) -> Vec<(String, Vec<Verdict>)> {
    let categories: Vec<String> = reference.categories().into_iter().map(str::to_owned).collect();
    let level = LEVEL / (categories.len() * others.len()).max(1) as f64;
    let of_category = |category: &String| {
        let reference = reference.in_category(category);
        let of_side = |side: &&Side| compare(&reference, &side.in_category(category), metric, None, level);
        (category.clone(), others.iter().filter_map(of_side).collect::<Vec<_>>())
    };
    let mut all: Vec<(String, Vec<Verdict>)> = categories.iter().map(of_category).collect();
    let tested = all.iter().flat_map(|(_, verdicts)| verdicts).filter(|verdict| verdict.p.is_some()).count();
    adjust(all.iter_mut().flat_map(|(_, verdicts)| verdicts).map(|verdict| &mut verdict.p));
    let level = LEVEL / tested.max(1) as f64;
    all.iter_mut().flat_map(|(_, verdicts)| verdicts).for_each(|verdict| verdict.conclude(level));
    all.retain(|(_, verdicts)| !verdicts.is_empty());
    all
}

/// Groups the verdicts by trial, in the order in which trials first appear.
pub fn by_trial(verdicts: &[Verdict]) -> Vec<Vec<&Verdict>> {
    let mut trials: Vec<Vec<&Verdict>> = Vec::new();
    for verdict in verdicts {
        match trials.iter_mut().find(|trial| trial[0].belongs_to(&verdict.trial, &verdict.variant)) {
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
        for counterpart in other.runs.iter().filter(|counterpart| counterpart.category == run.category) {
            facts.extend(differences(&run.protocol, &counterpart.protocol));
        }
    }
    let what = facts.into_iter().collect::<Vec<_>>().join("; ");
    match (what.is_empty(), across) {
        (true, _) => Ok(None),
        (false, true) => Ok(Some(what)),
        (false, false) => {
            Err(Incomparable::DifferentProtocols { one: one.label.clone(), other: other.label.clone(), what })
        }
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
    let of_category = |(_, pairs): &CategoryPairs<'_>| {
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

fn delong_tests(reference: &Side, other: &Side, by_category: &[CategoryPairs<'_>]) -> Vec<(String, i64, f64)> {
    let tests = by_category.iter().flat_map(|(category, pairs)| {
        pairs.iter().filter_map(|(seed, ..)| {
            let (labels, ours, theirs) = paired_scores(other, reference, category, *seed)?;
            Some(((*category).to_owned(), *seed, delong(&labels, &ours, &theirs)?.p))
        })
    });
    tests.collect()
}

impl Verdict {
    /// Writes the verdict after the p-values are adjusted. `level` is the level that the smallest p-value of this metric was compared with.
    fn conclude(&mut self, level: f64) {
        let is_open = self.p.is_some_and(|p| !is_significant(p));
        self.seeds_needed = is_open.then(|| self.find_seeds_needed(level)).flatten();
        let images = if self.method == Scope::Images { "" } else { " on these images" };
        self.verdict = match (&self.method, self.p) {
            (_, Some(_)) if is_open => format!("not distinguishable with {} seeds{}", self.seeds, self.forecast(level)),
            (_, Some(_)) if self.gain() > 0.0 => format!("better{images}"),
            (_, Some(_)) => format!("worse{images}"),
            (Scope::NoSpread, None) => "every seed has the same difference: no test".to_owned(),
            (_, None) => format!("too few seeds: {} of {FEWEST_SEEDS}", self.seeds),
        };
    }

    /// Returns the smallest number of seeds with which a test at `level` has a power of 0.8 for this difference.
    fn find_seeds_needed(&self, level: f64) -> Option<usize> {
        let is_enough =
            |seeds: &usize| self.estimate_with(*seeds).is_some_and(|estimate| estimate.has_power(*seeds, level));
        // The eighth seed adds the images to the test and may reduce its power. After that, every seed adds power.
        let with_images: Vec<usize> = (self.seeds.max(IMAGE_SEEDS)..=MAX_SEEDS).collect();
        (self.seeds..IMAGE_SEEDS)
            .find(is_enough)
            .or_else(|| with_images.get(with_images.partition_point(|seeds| !is_enough(seeds))).copied())
    }

    /// Returns the estimate of a test with this number of seeds.
    fn estimate_with(&self, seeds: usize) -> Option<Estimate> {
        if seeds < IMAGE_SEEDS { self.estimate } else { self.with_images.or(self.estimate) }
    }

    /// Describes the forecast: "; 12 would be enough if the difference is as large as observed". It uses the power of the test with that
    /// number of seeds.
    fn forecast(&self, level: f64) -> String {
        match self.seeds_needed {
            Some(needed) if needed > self.seeds => {
                let images = if needed >= IMAGE_SEEDS && self.with_images.is_some() { "" } else { " on these images" };
                format!("; {needed} would be enough{images} if the difference is as large as observed")
            }
            Some(_) => String::new(),
            None if self.with_images.is_some_and(|estimate| estimate.is_limited_by_images(level)) => {
                "; more seeds alone would not be enough if the difference is no larger than observed: more test images are needed"
                    .to_owned()
            }
            None => format!("; more than {MAX_SEEDS} would be needed if the difference is no larger than observed"),
        }
    }

    /// Returns the difference as a gain: above 0 if the variant is better.
    pub fn gain(&self) -> f64 {
        self.metric.direction.gain(self.difference)
    }

    /// Returns "without seed 3" if seeds are omitted.
    pub fn without(&self) -> Option<String> {
        without(&self.incomplete_seeds)
    }

    /// Returns whether this verdict belongs to the variant with this trial and label.
    pub(crate) fn belongs_to(&self, trial: &str, label: &str) -> bool {
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
