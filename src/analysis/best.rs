//! The best variant of a column, marked only if the paired tests support it.

use super::difference::{Differences, adjust, is_significant};
use super::grouping::Groups;
use super::paired_test::{IMAGE_SEEDS, paired_test};
use super::side::Side;
use crate::evaluate::metrics::Metric;
use crate::statistics::FEWEST_SEEDS;

/// The variants that the best mean must be distinguishable from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rivals {
    /// Every other variant, if the baseline is one of the variants. A marked variant then also beats ST-FPM.
    All,
    /// Only the second best variant.
    Second,
}

impl Rivals {
    pub(crate) fn of(groups: &Groups<'_>) -> Self {
        if groups.baseline().is_some() { Self::All } else { Self::Second }
    }

    /// Returns the note that explains the bold marks in a metric's table.
    pub(crate) fn note(self, metric: Metric, marked: bool) -> String {
        let best = metric.direction.best();
        let rivals = match self {
            Self::All => "every other variant".to_owned(),
            Self::Second => format!("the second {best}"),
        };
        match marked {
            true => format!(
                "Bold: the {best} mean of its column, if the paired test of at least {FEWEST_SEEDS} seeds distinguishes it from \
                 {rivals} (p < 0.05, Holm). With fewer than {IMAGE_SEEDS} seeds, this holds on these images only. A column without \
                 bold has no such mean."
            ),
            false => format!(
                "No mean is bold: no column has a {best} mean that the paired test of at least {FEWEST_SEEDS} seeds distinguishes from \
                 {rivals} (p < 0.05, Holm)."
            ),
        }
    }
}

/// Returns the index of the side with the best of `means` over `categories`, if the tests distinguish it from its rivals.
pub(crate) fn best(
    sides: &[Side],
    means: &[Option<f64>],
    rivals: Rivals,
    categories: &[&str],
    metric: Metric,
) -> Option<usize> {
    let mut ranked: Vec<(usize, f64)> =
        means.iter().enumerate().filter_map(|(index, mean)| Some((index, (*mean)?))).collect();
    ranked.sort_by(|(_, a), (_, b)| metric.direction.rank(*a, *b));
    let ((first, _), others) = ranked.split_first()?;
    let others = match rivals {
        Rivals::All => others,
        Rivals::Second => &others[..others.len().min(1)],
    };
    if others.is_empty() {
        return None;
    }
    // Adjusting never makes a p-value smaller, so computing stops at the first one that is not significant.
    let p_values = others.iter().map(|(other, _)| p_if_better(&sides[*first], &sides[*other], categories, metric));
    let mut p_values: Vec<Option<f64>> = p_values.take_while(|p| p.is_some_and(is_significant)).collect();
    adjust(p_values.iter_mut());
    (p_values.len() == others.len() && p_values.iter().all(|p| p.is_some_and(is_significant))).then_some(*first)
}

/// Returns the p-value of the difference if `one` is better than `other`. Returns `None` if it is not better or if there is no test.
fn p_if_better(one: &Side, other: &Side, categories: &[&str], metric: Metric) -> Option<f64> {
    let differences = Differences::over_categories(categories, one, other, metric)?;
    // If only one side has a category, the two means cover different categories and are not comparable.
    let better = differences.categories.len() == categories.len() && metric.direction.gain(differences.mean()) > 0.0;
    better.then(|| paired_test(metric, one, other, &differences).p()).flatten()
}
