//! Writes the command that repeats runs: the same file with one point of its space, in a sweep of its own.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::BASELINE;
use crate::data::Grouping;
use crate::plan::trial_id;
use crate::store::{RunRow, SweepRow};

/// Runs of one trial to repeat.
#[derive(Debug, Clone)]
pub struct RepeatedRuns<'a> {
    /// Key of the first run.
    pub run: &'a str,
    /// Number of the trial in the sweep.
    pub number: i64,
    /// Whether the trial is the re-run baseline.
    pub baseline: bool,
    /// Label of the trial's variant.
    pub variant: &'a str,
    /// The trial's point in the space, as JSON; see [`crate::config::SweepTrial::point`].
    pub point: &'a str,
    /// Settings of the trial, as JSON.
    pub settings: &'a str,
    /// Categories of the runs.
    pub categories: Vec<&'a str>,
    /// Seeds of the runs.
    pub seeds: Vec<i64>,
}

impl<'a> RepeatedRuns<'a> {
    /// Returns the runs on these seeds that differ from `run` in nothing else.
    pub(crate) fn on_seeds(run: &'a RunRow, seeds: Vec<i64>) -> Self {
        Self {
            run: &run.id,
            number: run.number,
            baseline: run.baseline,
            variant: &run.variant,
            point: &run.point,
            settings: &run.settings,
            categories: vec![&run.category],
            seeds,
        }
    }
}

/// Returns the command, with one line per setting. It replaces all of `[search]` with a grid of one point. It keeps the sweep's objective,
/// because a separate stage measures what guides a search.
pub fn repeat_command(sweep: &SweepRow, runs: &RepeatedRuns<'_>) -> String {
    let mut overrides = start_overrides(sweep);
    overrides.push(format!("name={}", toml_text(&new_sweep_name(sweep, runs))));
    // A model of all categories has to learn from all of them again.
    if !is_of_all_categories(runs.settings) {
        let categories: Vec<String> = runs.categories.iter().map(|category| toml_text(category)).collect();
        overrides.push(format!("data.categories=[{}]", categories.join(", ")));
    }
    let point: BTreeMap<String, Value> = serde_json::from_str(runs.point).unwrap_or_default();
    let resolved: Value = serde_json::from_str(&sweep.resolved).unwrap_or_default();
    // ST-FPM at a point of the search is drawn only if chosen trials are compared.
    let tuned = !runs.baseline && runs.variant == BASELINE;
    overrides.push(format!("search={}", search_table(&point, &runs.seeds, &resolved["search"]["objective"], tuned)));
    let variants: Vec<String> = resolved["report"]["variants"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|name| point.contains_key(*name))
        .map(toml_text)
        .collect();
    overrides.push(format!("report.variants=[{}]", variants.join(", ")));
    overrides.push(format!("baseline.rerun={}", if runs.baseline || tuned { r#""only""# } else { "false" }));
    if resolved["decide"].is_object() {
        overrides.push("decide=false".to_owned());
    }
    command(sweep, &overrides)
}

fn is_of_all_categories(settings: &str) -> bool {
    let settings: Value = serde_json::from_str(settings).unwrap_or_default();
    settings["data"]["grouping"] == Grouping::All.name()
}

/// Returns the command that continues a sweep.
pub(crate) fn continue_command(sweep: &SweepRow) -> String {
    command(sweep, &start_overrides(sweep))
}

fn command(sweep: &SweepRow, overrides: &[String]) -> String {
    let file = sweep.file.as_deref().map_or_else(String::new, |file| format!(" {}", quoted(&as_argument(file))));
    let flags: String = overrides.iter().map(|text| format!(" \\\n  --set {}", quoted(text))).collect();
    format!("didact sweep{file}{flags}")
}

/// Returns the new sweep's name: the sweep, the trial and the first digits of the first run's key, as in `tiny-T07-3f2a9c10`.
fn new_sweep_name(sweep: &SweepRow, runs: &RepeatedRuns<'_>) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric();
    let end = format!("-{}-{}", trial_id(runs.number), runs.run.chars().filter(plain).take(8).collect::<String>());
    let max_bytes = 64_usize.saturating_sub(end.len());
    format!("{}{end}", sweep.name.get(..max_bytes).unwrap_or(&sweep.name))
}

fn search_table(point: &BTreeMap<String, Value>, seeds: &[i64], objective: &Value, tuned: bool) -> String {
    let seeds: Vec<String> = seeds.iter().map(i64::to_string).collect();
    let mut parts = vec![format!("seeds = [{}]", seeds.join(", "))];
    parts.extend(objective.as_str().map(|objective| format!("objective = {}", toml_text(objective))));
    parts.extend(tuned.then(|| "confirm_seeds = 1".to_owned()));
    let space: Vec<String> =
        point.iter().map(|(name, value)| format!("{} = [{}]", toml_text(name), toml_value(value))).collect();
    parts.push(format!("space = {{ {} }}", space.join(", ")));
    format!("{{ {} }}", parts.join(", "))
}

/// Returns the overrides that the sweep was started with.
fn start_overrides(sweep: &SweepRow) -> Vec<String> {
    serde_json::from_str(&sweep.overrides).unwrap_or_default()
}

/// Adds `./` to a file name that looks like a flag.
fn as_argument(file: &str) -> String {
    if file.starts_with('-') { format!("./{file}") } else { file.to_owned() }
}

/// Returns the text as a TOML string on one line.
fn toml_text(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns a value as in a sweep file; numbers keep all their digits.
fn toml_value(value: &Value) -> String {
    match value {
        Value::String(text) => toml_text(text),
        Value::Array(items) => format!("[{}]", items.iter().map(toml_value).collect::<Vec<_>>().join(", ")),
        Value::Object(table) => {
            let entries: Vec<String> =
                table.iter().map(|(name, value)| format!("{} = {}", toml_text(name), toml_value(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// Quotes text for a shell: unchanged if that is safe, else in single quotes.
fn quoted(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "._-/=+:,@".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sweep() -> SweepRow {
        SweepRow {
            id: "s".into(),
            name: "tiny".into(),
            question: None,
            file: Some("my sweeps/it's.toml".into()),
            folder: Some("/work".into()),
            overrides: json!(["joint.epochs=2", r#"data.root="/data/my set""#]).to_string(),
            source: "schema = 1".into(),
            resolved: json!({ "search": { "objective": "test_aupro" },
                              "report": { "variants": ["model.skip", "joint.student.learning_rate"] } })
            .to_string(),
        }
    }

    fn runs(point: &str) -> RepeatedRuns<'_> {
        let (run, categories) = ("3f2a9c1055", vec!["wäsche \"1\""]);
        let (settings, seeds) = (r#"{"data":{"grouping":"category"}}"#, vec![0, 5]);
        RepeatedRuns { run, number: 7, baseline: false, variant: "U-Net", point, settings, categories, seeds }
    }

    #[test]
    fn a_command_contains_all_settings_of_the_runs() {
        let point = json!({ "joint.student.learning_rate": 0.1 + 0.2, "joint.batch_size": 8 }).to_string();
        insta::assert_snapshot!(repeat_command(&sweep(), &runs(&point)), @r#"
        didact sweep 'my sweeps/it'\''s.toml' \
          --set joint.epochs=2 \
          --set 'data.root="/data/my set"' \
          --set 'name="tiny-T07-3f2a9c10"' \
          --set 'data.categories=["wäsche \"1\""]' \
          --set 'search={ seeds = [0, 5], objective = "test_aupro", space = { "joint.batch_size" = [8], "joint.student.learning_rate" = [0.30000000000000004] } }' \
          --set 'report.variants=["joint.student.learning_rate"]' \
          --set baseline.rerun=false
        "#);
    }

    #[test]
    fn a_model_of_all_categories_is_repeated_with_all_of_them() {
        let settings = r#"{"data":{"grouping":"all"}}"#;
        let command = repeat_command(&sweep(), &RepeatedRuns { settings, ..runs("{}") });
        assert!(!command.contains("data.categories") && command.contains("seeds = [0, 5]"), "{command}");
    }

    #[test]
    fn a_long_name_stays_valid_and_a_file_like_a_flag_becomes_a_path() {
        let long = SweepRow { name: "x".repeat(64), ..sweep() };
        assert!(crate::config::is_sweep_name(&new_sweep_name(&long, &runs("{}"))));
        assert_eq!(as_argument("-f.toml"), "./-f.toml");
    }

    #[test]
    fn values_survive_a_round_trip_through_toml() {
        for value in [json!("a\"b\\c\nd é"), json!([0.5, 1, 1e-9, 5e300]), json!({ "a b": [true, 1.0] })] {
            let text = format!("x = {}", toml_value(&value));
            let back: toml::Table = toml::from_str(&text).expect(&text);
            assert_eq!(serde_json::to_value(&back["x"]).expect("JSON"), value, "{text}");
        }
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
