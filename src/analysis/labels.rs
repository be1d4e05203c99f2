//! Makes the labels of a report's variants distinct.

use std::collections::{BTreeMap, BTreeSet};

use super::grouping::Variant;
use crate::config::short_name;
use crate::store::RunRow;
use crate::text;

/// Adds the searched values that differ to the labels of trials with the same label.
pub(super) fn distinguish_labels(variants: &mut [Variant], runs: &[(&RunRow, usize)]) {
    type Axes = BTreeMap<String, serde_json::Value>;
    let axes_json: BTreeMap<&str, &str> =
        runs.iter().map(|(run, _)| (run.trial_id.as_str(), run.axes.as_str())).collect();
    let axes_of = |variant: &Variant| -> Axes {
        axes_json.get(variant.trial.as_str()).and_then(|axes| serde_json::from_str(axes).ok()).unwrap_or_default()
    };
    let all: Vec<(String, Axes)> = variants.iter().map(|variant| (variant.label.clone(), axes_of(variant))).collect();
    let mut by_label: BTreeMap<&str, Vec<&Axes>> = BTreeMap::new();
    all.iter().for_each(|(label, axes)| by_label.entry(label).or_default().push(axes));
    let settings = |label: &str, axes: &Axes, value: fn(&serde_json::Value) -> String| -> Vec<String> {
        let differs = |name: &&String| by_label[label].iter().any(|other| other.get(*name) != axes.get(*name));
        let differing: Vec<&String> = axes.keys().filter(differs).collect();
        differing.iter().map(|name| format!("{}={}", short_name(name, &differing), value(&axes[*name]))).collect()
    };
    let rounded: Vec<Vec<String>> = all.iter().map(|(label, axes)| settings(label, axes, text::rounded)).collect();
    let mut axes_by_text: BTreeMap<(&str, &[String]), BTreeSet<String>> = BTreeMap::new();
    for ((label, axes), rounded) in all.iter().zip(&rounded) {
        axes_by_text.entry((label, rounded)).or_default().insert(format!("{axes:?}"));
    }
    for ((variant, (label, axes)), rounded) in variants.iter_mut().zip(&all).zip(&rounded) {
        if variant.baseline {
            // The baseline keeps its name, even if a point of the search is the same training.
            continue;
        }
        // Show all digits if rounded values do not distinguish the trials.
        let is_ambiguous = axes_by_text[&(label.as_str(), rounded.as_slice())].len() > 1;
        let shown = if is_ambiguous { settings(label, axes, text::exact) } else { rounded.clone() };
        if !shown.is_empty() {
            variant.label = format!("{label} ({})", shown.join(", "));
        }
    }
}
