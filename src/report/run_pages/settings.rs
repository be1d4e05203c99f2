//! The settings of a run in which it differs from ST-FPM.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use serde_json::Value;

use crate::analysis::Groups;
use crate::report::table::{Cell, Column, Table, TableRow, html::grid};
use crate::store::RunRow;
use crate::text::exact;

/// Returns a table of the settings that differ from those of the re-run baseline.
pub(super) fn settings(groups: &Groups<'_>, run: &RunRow) -> Markup {
    let baseline = groups.baseline().and_then(|variant| groups.of_variant(variant).next());
    match baseline {
        Some(baseline) if baseline.trial_id == run.trial_id => html! {
            p { "This run is the baseline, ST-FPM. Its settings are at the end of the report." }
        },
        Some(baseline) => match differences(&run.settings, &baseline.settings).as_slice() {
            [] => html! { p { "All settings are those of ST-FPM." } },
            differences => html! {
                p.quiet { "Only settings that differ from those of ST-FPM. A dash means that the setting does not apply." }
                (grid(&table(differences)))
            },
        },
        None => html! { p { "The sweep has no ST-FPM under this protocol, so there is nothing to compare with." } },
    }
}

/// A setting's name, its value, and the value in ST-FPM.
type Difference = (String, Option<String>, Option<String>);

/// Returns the settings that differ, by name.
fn differences(ours: &str, theirs: &str) -> Vec<Difference> {
    let (ours, theirs) = (flat(ours), flat(theirs));
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let differing = names.into_iter().filter(|name| ours.get(*name) != theirs.get(*name));
    differing.map(|name| (name.clone(), ours.get(name).cloned(), theirs.get(name).cloned())).collect()
}

/// Returns the settings by their dotted names. A table without entries has none.
fn flat(json: &str) -> BTreeMap<String, String> {
    fn collect(name: &str, value: &Value, into: &mut BTreeMap<String, String>) {
        match value {
            Value::Object(table) => table.iter().for_each(|(inner, value)| {
                let dotted = if name.is_empty() { inner.clone() } else { format!("{name}.{inner}") };
                collect(&dotted, value, into);
            }),
            Value::Null => {}
            value => {
                into.insert(name.to_owned(), exact(value));
            }
        }
    }
    let mut flat = BTreeMap::new();
    collect("", &serde_json::from_str(json).unwrap_or_default(), &mut flat);
    flat
}

fn table(differences: &[Difference]) -> Table {
    let value = |value: &Option<String>| Cell::text(value.as_deref().unwrap_or("–"));
    let row = |(name, ours, theirs): &Difference| TableRow {
        cells: vec![Cell::text(name), value(ours), value(theirs)],
        ..TableRow::default()
    };
    Table {
        name: "settings".to_owned(),
        title: "Settings".to_owned(),
        columns: ["setting", "this run", "ST-FPM"].map(Column::label).to_vec(),
        rows: differences.iter().map(row).collect(),
        remarks: None,
        notes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::differences;

    #[test]
    fn only_settings_that_differ_are_listed_by_their_dotted_names() {
        let ours = r#"{ "model": { "autoencoder": { "unet": { "depth": 2 } } }, "joint": { "epochs": 5, "rate": 0.1 }, "x": null }"#;
        let theirs = r#"{ "model": { "autoencoder": "none" }, "joint": { "epochs": 5, "rate": 0.4 } }"#;
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
        let found: Vec<String> = differences(ours, theirs)
            .iter()
            .map(|(name, ours, theirs)| format!("{name}: {} / {}", text(ours), text(theirs)))
            .collect();
        assert_eq!(
            found,
            ["joint.rate: 0.1 / 0.4", "model.autoencoder: – / none", "model.autoencoder.unet.depth: 2 / –"]
        );
        assert!(differences(ours, ours).is_empty());
    }
}
