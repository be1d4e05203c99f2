//! Groups failed runs by what they have in common.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rows::Rows;
use crate::config::short_name;
use crate::store::{RunRow, RunState};
use crate::text;

/// Failed runs with one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailedRuns {
    /// Number of runs.
    pub count: usize,
    /// The settings that these runs share and that no finished run has: "learning_rate = 10000". Without such settings, the titles of their
    /// trials.
    pub what: String,
    /// Why they failed.
    pub reason: String,
}

/// Maximum number of trials that are named.
const MAX_NAMED: usize = 3;

/// Returns the failed runs of a sweep by reason, the most frequent first.
pub(crate) fn failed_runs(rows: &Rows) -> Vec<FailedRuns> {
    let done: Vec<&RunRow> = rows.all_runs().filter(|run| run.state == RunState::Done).collect();
    let mut by_reason: BTreeMap<&str, Vec<&RunRow>> = BTreeMap::new();
    for run in rows.all_runs().filter(|run| run.state == RunState::Failed) {
        by_reason.entry(run.reason.as_deref().unwrap_or("for an unknown reason")).or_default().push(run);
    }
    let of_reason = |(reason, runs): (&str, Vec<&RunRow>)| FailedRuns {
        count: runs.len(),
        what: shared_settings(&runs, &done).unwrap_or_else(|| titles(&runs)),
        reason: reason.to_owned(),
    };
    let mut all: Vec<FailedRuns> = by_reason.into_iter().map(of_reason).collect();
    all.sort_by_key(|failed| std::cmp::Reverse(failed.count));
    all
}

fn axes(run: &RunRow) -> BTreeMap<String, Value> {
    serde_json::from_str(&run.axes).unwrap_or_default()
}

fn shared_settings(failed: &[&RunRow], done: &[&RunRow]) -> Option<String> {
    let all: Vec<BTreeMap<String, Value>> = failed.iter().map(|run| axes(run)).collect();
    let done: Vec<BTreeMap<String, Value>> = done.iter().map(|run| axes(run)).collect();
    let (first, others) = all.split_first()?;
    let is_theirs = |(name, value): &(&String, &Value)| {
        let has = |axes: &BTreeMap<String, Value>| axes.get(*name) == Some(*value);
        others.iter().all(has) && !done.iter().any(has)
    };
    let shared: Vec<(&String, &Value)> = first.iter().filter(is_theirs).collect();
    let names: Vec<&String> = first.keys().collect();
    let described = shared.iter().map(|(name, value)| format!("{} = {}", short_name(name, &names), text::exact(value)));
    (!shared.is_empty()).then(|| described.collect::<Vec<_>>().join(", "))
}

fn titles(runs: &[&RunRow]) -> String {
    let titles: BTreeSet<&str> = runs.iter().map(|run| run.title.as_str()).collect();
    let rest = titles.len().saturating_sub(MAX_NAMED);
    let named = titles.into_iter().take(MAX_NAMED).collect::<Vec<_>>().join(", ");
    if rest > 0 { format!("{named} and {rest} more") } else { named }
}
