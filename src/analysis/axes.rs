//! The searched axes of a report's trials, with their tried levels.

use std::collections::BTreeMap;

use serde_json::Value;

use super::grouping::Groups;
use crate::config::BASELINE;
use crate::statistics::Factor;
use crate::store::RunRow;
use crate::text;

/// Maximum number of levels per axis. An axis with more numbers gets groups of about equally many runs.
const MAX_LEVELS: usize = 16;

/// An axis that has at least two levels.
pub(crate) struct SearchedAxis {
    /// Dotted name.
    pub name: String,
    /// Name of each level.
    pub levels: Vec<String>,
    /// Short name of each level, for narrow labels. A group is named by its smallest value.
    pub ticks: Vec<String>,
    /// Whether the search drew its values from a range: they are numbers, and few trials share one. Such values are no levels.
    pub continuous: bool,
    ordered: bool,
    /// Level index of each value; the key is the value as JSON text.
    level_indices: BTreeMap<String, usize>,
}

/// Returns the axes in which the group's trials differ.
pub(crate) fn searched(groups: &Groups<'_>) -> Vec<SearchedAxis> {
    let points: Vec<BTreeMap<String, Value>> = runs(groups).map(point).collect();
    let mut names: Vec<&String> = points.iter().flat_map(BTreeMap::keys).collect();
    names.sort_unstable();
    names.dedup();
    let mut of_trials: BTreeMap<&str, usize> = BTreeMap::new();
    runs(groups).enumerate().for_each(|(index, run)| {
        of_trials.insert(&run.trial_id, index);
    });
    let axis = |name: &String| {
        let value = |point: &BTreeMap<String, Value>| point.get(name).cloned().unwrap_or_default();
        let axis = SearchedAxis::of(name, points.iter().map(value).collect())?;
        let of_trials: Vec<Value> = of_trials.values().map(|index| value(&points[*index])).collect();
        Some(SearchedAxis { continuous: groups.guidance.draws() && are_continuous(&of_trials), ..axis })
    };
    names.into_iter().filter_map(axis).collect()
}

/// Returns the runs whose trials are points of the search.
pub(crate) fn runs<'r>(groups: &'r Groups<'_>) -> impl Iterator<Item = &'r RunRow> {
    groups.all().filter(|run| is_point(run))
}

/// Returns whether a run belongs to a point of the search. ST-FPM has its own recipe and does not belong to one, unless a point is the same
/// training as the baseline.
pub(crate) fn is_point(run: &RunRow) -> bool {
    if run.baseline { run.axes != "{}" } else { run.variant != BASELINE }
}

fn point(run: &RunRow) -> BTreeMap<String, Value> {
    serde_json::from_str(&run.axes).unwrap_or_default()
}

/// Returns whether the trials' values are numbers, of which fewer than half occur in several trials.
fn are_continuous(values: &[Value]) -> bool {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    values.iter().filter(|value| !value.is_null()).for_each(|value| {
        *counts.entry(value.to_string()).or_default() += 1;
    });
    let shared: usize = counts.values().filter(|count| **count > 1).sum();
    values.iter().all(|value| value.is_number() || value.is_null()) && 2 * shared < counts.values().sum::<usize>()
}

impl SearchedAxis {
    /// Returns `None` if all values are equal.
    fn of(name: &str, mut values: Vec<Value>) -> Option<Self> {
        values.sort_by(|a, b| sort_key(a).total_cmp(&sort_key(b)).then_with(|| a.to_string().cmp(&b.to_string())));
        let ordered = values.iter().all(|value| value.is_number() || value.is_null());
        let mut distinct: Vec<&Value> = Vec::new();
        values.iter().for_each(|value| {
            if distinct.last() != Some(&value) {
                distinct.push(value);
            }
        });
        if distinct.len() < 2 {
            return None;
        }
        let group = |value: &Value| match ordered && distinct.len() > MAX_LEVELS {
            // Each group gets about equally many runs; equal values share a group.
            true => values.partition_point(|other| sort_key(other) < sort_key(value)) * MAX_LEVELS / values.len(),
            false => distinct.iter().position(|other| *other == value).unwrap_or(0),
        };
        let mut groups: Vec<(usize, Vec<&Value>)> = Vec::new();
        for value in &distinct {
            match groups.last_mut().filter(|(index, _)| *index == group(value)) {
                Some((_, members)) => members.push(value),
                None => groups.push((group(value), vec![value])),
            }
        }
        let level_indices = groups
            .iter()
            .enumerate()
            .flat_map(|(index, (_, members))| members.iter().map(move |value| (value.to_string(), index)));
        let group_name = |members: &[&Value]| match members {
            [] => String::new(),
            [value] => level_name(value),
            [first, .., last] => format!("{} … {}", level_name(first), level_name(last)),
        };
        let levels = groups.iter().map(|(_, members)| group_name(members)).collect();
        let ticks = ticks(&groups);
        Some(Self {
            name: name.to_owned(),
            levels,
            ticks,
            continuous: false,
            ordered,
            level_indices: level_indices.collect(),
        })
    }

    /// Returns the level index of a run.
    pub(crate) fn level(&self, run: &RunRow) -> usize {
        let value = point(run).remove(&self.name).unwrap_or_default();
        self.level_indices.get(&value.to_string()).copied().unwrap_or(0)
    }

    /// Returns this axis as a factor for the variance decomposition.
    pub(crate) fn factor(&self) -> Factor {
        Factor { levels: self.levels.len(), ordered: self.ordered }
    }
}

/// Returns the sort key of a value: first values of axes that do not apply, then numbers by size, then words.
fn sort_key(value: &Value) -> f64 {
    match value {
        Value::Null => f64::NEG_INFINITY,
        value => value.as_f64().unwrap_or(f64::INFINITY),
    }
}

/// Returns a tick label for each group: its smallest value, rounded down to as few digits as keep it above the previous group. A single
/// value keeps its own name.
fn ticks(groups: &[(usize, Vec<&Value>)]) -> Vec<String> {
    let mut previous_max = f64::NEG_INFINITY;
    let tick = |(_, members): &(usize, Vec<&Value>)| {
        let [smallest, .., largest] = members.as_slice() else {
            let only = members.first().copied().unwrap_or(&Value::Null);
            previous_max = sort_key(only);
            return level_name(only);
        };
        let low = sort_key(smallest);
        let short = (2..=17).map(|digits| text::round_down_to_digits(low, digits)).find(|short| previous_max < *short);
        previous_max = sort_key(largest);
        short.map_or_else(|| level_name(smallest), |short| short.to_string())
    };
    groups.iter().map(tick).collect()
}

fn level_name(value: &Value) -> String {
    if value.is_null() { "not applicable".to_owned() } else { text::rounded(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn drawn_numbers_that_few_trials_share_are_continuous() {
        let numbers = |values: &[f64]| values.iter().map(|value| json!(value)).collect::<Vec<_>>();
        assert!(are_continuous(&numbers(&[0.1, 0.25, 0.3, 0.31])));
        // One value of whole numbers may repeat by chance.
        assert!(are_continuous(&numbers(&[1.0, 2.0, 2.0, 5.0, 7.0])));
        assert!(!are_continuous(&numbers(&[0.1, 0.4, 0.4])));
        assert!(!are_continuous(&[json!("add"), json!("none")]));
        assert!(!are_continuous(&[Value::Null]));
        assert!(are_continuous(&[Value::Null, Value::Null, json!(0.3)]), "the axis applies to one trial only");
    }

    #[test]
    fn few_values_are_levels_in_their_order_and_many_numbers_are_grouped() {
        let few = SearchedAxis::of("a", vec![json!(0.4), json!(0.1), Value::Null, json!(0.1)]).expect("three levels");
        assert_eq!((few.levels, few.ordered), (vec!["not applicable".to_owned(), "0.1".into(), "0.4".into()], true));
        let words = SearchedAxis::of("a", vec![json!("none"), json!("add"), json!("add")]).expect("two levels");
        assert_eq!((words.levels, words.ordered), (vec!["add".to_owned(), "none".into()], false));
        let many = SearchedAxis::of("a", (0..64).map(|i| json!(i)).collect()).expect("many");
        assert_eq!((many.levels.len(), many.levels[0].as_str(), many.levels[15].as_str()), (16, "0 … 3", "60 … 63"));
        assert_eq!(many.ticks[15].as_str(), "60");
        let rates =
            SearchedAxis::of("a", (0..64).map(|i| json!(0.001_234 * f64::from(i + 1))).collect()).expect("many");
        assert_eq!(rates.ticks[..3], ["0.0012", "0.0061", "0.011"]);
        // Two digits would give two groups the same name, or name a group by a value of the next one.
        let close = SearchedAxis::of("a", (100..164).map(|i| json!(i)).collect()).expect("many");
        assert_eq!(close.ticks[..4], ["100", "104", "108", "112"]);
        let high = SearchedAxis::of("a", (0..64).map(|i| json!(0.9 + f64::from(i) / 640.0)).collect()).expect("many");
        assert!(high.ticks.iter().all(|tick| tick.parse::<f64>().is_ok_and(|tick| tick < 1.0)), "{:?}", high.ticks);
        assert!(SearchedAxis::of("a", vec![json!(1); 5]).is_none());
    }
}
