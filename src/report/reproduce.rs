//! How to get each number again: per run its key, seed, protocol, versions, device, weights and command.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use serde_json::Value;

use super::Rows;
use super::grouping::{Groups, Variant};
use super::table::Cell;
use super::table::html::frame;
use super::text;
use crate::plan::short_key;
use crate::store::{RunRow, StageRow};

/// The anchor of the runs of a variant in a category.
pub(super) fn anchor(variant: &Variant, category: &str) -> String {
    let plain = |text: &str| text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect::<String>();
    format!("runs-{}-{}", plain(short_key(&variant.trial)), plain(category))
}

/// A variant's name in a table, which leads to its first runs.
pub(super) fn label(groups: &Groups<'_>, variant: &Variant) -> Cell {
    let mut categories = groups.categories.iter().map(|(category, _)| category);
    let first = categories.find(|category| groups.runs(variant, category).next().is_some());
    Cell::text(&variant.label).linked(first.map(|category| anchor(variant, category)))
}

/// A row a run, and the command of each variant and category.
pub(super) fn block(rows: &Rows, groups: &Groups<'_>) -> Markup {
    let facts = |run: &RunRow, fact: fn(&StageRow) -> Option<&str>| -> String {
        let found: BTreeSet<&str> = rows.stages_of(&run.id).filter_map(fact).collect();
        if found.is_empty() { "–".to_owned() } else { found.into_iter().collect::<Vec<_>>().join(", ") }
    };
    html! {
        div class=(frame(groups.all().count())) { table {
            thead { tr {
                th { "run" } th { "seed" } th.text { "state" } th.text { "protocol" } th.text { "device" } th.text { "didact" }
            } }
            @for variant in &groups.variants { @for (category, _) in &groups.categories {
                @let runs: Vec<&RunRow> = groups.runs(variant, category).collect();
                @if let Some(first) = runs.first() {
                    tbody id=(anchor(variant, category)) {
                        tr.group { td colspan="6" { strong { (first.title) } ", " (category)
                            details { summary { "command" } pre { (command(rows, first, &runs)) } }
                        } }
                        @for run in &runs { tr {
                            td { code { (short_key(&run.id)) } } td { (run.seed) } td.text { (run.state) }
                            td.text { code { (short_key(&run.protocol_id)) } }
                            td.text { (facts(run, |stage| stage.device.as_deref())) }
                            td.text { (facts(run, |stage| stage.version.as_deref())) }
                        } }
                    }
                }
            } }
        } }
        p.quiet {
            "Teacher weights: BLAKE3 " (teachers(groups)) ". A command makes all the runs of its group; "
            code { "didact why" } " with a run's key tells what it was made of. Runs that are in the store already are not computed again: name another store with --store."
        }
    }
}

/// The digests of the teachers' weights.
fn teachers(groups: &Groups<'_>) -> String {
    let digests: BTreeSet<String> = groups.categories.iter().map(|(_, protocol)| protocol.teacher()).collect();
    digests.into_iter().collect::<Vec<_>>().join(", ")
}

/// What is typed to make the runs of a group, of one trial and category, again.
fn command(rows: &Rows, first: &RunRow, runs: &[&RunRow]) -> String {
    let file = rows.sweep.file.as_deref().map_or_else(String::new, |file| format!(" {}", quoted(file)));
    let seeds: Vec<String> = runs.iter().map(|run| run.seed.to_string()).collect();
    let mut sets: Vec<String> = given(&rows.sweep.source).map(str::to_owned).collect();
    sets.push(format!("data.categories=[{}]", toml_text(&first.category)));
    sets.push(format!("search.seeds=[{}]", seeds.join(", ")));
    let axes: BTreeMap<String, Value> = serde_json::from_str(&first.axes).unwrap_or_default();
    let space: Vec<String> = axes
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| format!("{} = [{}]", toml_text(name), toml_value(value)))
        .collect();
    if first.baseline == 0 {
        sets.push("search.strategy=grid".to_owned());
        sets.push(format!("search.space={{ {} }}", space.join(", ")));
    }
    let sets: String = sets.iter().map(|set| format!(" \\\n  --set {}", quoted(set))).collect();
    format!("didact sweep{file}{sets}")
}

/// The overrides with which the sweep was started: its text begins with them.
fn given(source: &str) -> impl Iterator<Item = &str> {
    source.lines().map_while(|line| line.strip_prefix("# --set "))
}

fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn toml_value(value: &Value) -> String {
    value.as_str().map_or_else(|| text::exact(value), toml_text)
}

/// For a shell: as it is where that is safe, else in single quotes.
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

    #[test]
    fn a_shell_reads_back_what_is_quoted() {
        assert_eq!(quoted("experiments/a.toml"), "experiments/a.toml");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("search.seeds=[0, 1]"), "'search.seeds=[0, 1]'");
        assert_eq!(given("# --set a=1\n# --set b=x y\nschema = 1\n# --set c=2").collect::<Vec<_>>(), ["a=1", "b=x y"]);
        assert_eq!(toml_value(&serde_json::json!("a\"b")), "'a\"b'");
        assert_eq!(toml_value(&serde_json::json!([0.5, 1])), "[0.5,1]");
    }
}
