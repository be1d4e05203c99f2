//! How to reproduce each number: per run, its key, seed, protocol, versions, device, weights and command.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::run_pages::RunPagePaths;
use super::table::Cell;
use super::table::html::frame;
use crate::analysis::{Groups, RepeatedRuns, Rows, Variant, repeat_command};
use crate::stages::short_key;
use crate::store::{RunRow, StageRow};
use crate::tensor::Convolutions;

/// Returns the anchor of a variant's runs in a category.
pub(super) fn anchor(variant: &Variant, category: &str) -> String {
    let plain = |text: &str| text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect::<String>();
    format!("runs-{}-{}", plain(short_key(&variant.trial)), plain(category))
}

/// Returns a table cell with a variant's name, linked to its first runs.
pub(super) fn label(groups: &Groups<'_>, variant: &Variant) -> Cell {
    let mut categories = groups.categories.iter().map(|(category, _)| category);
    let first = categories.find(|category| groups.runs(variant, category).next().is_some());
    Cell::text(&variant.label).linked(first.map(|category| anchor(variant, category)))
}

/// Returns one row per run, and the command for each variant and category. `judging` are the runs that only compare chosen trials.
pub(super) fn block(
    rows: &Rows,
    (groups, judging): (&Groups<'_>, Option<&Groups<'_>>),
    run_pages: &RunPagePaths,
) -> Markup {
    let facts = |run: &RunRow, fact: fn(&StageRow) -> Option<String>| -> String {
        let values: BTreeSet<String> = rows.stages_of(&run.id).filter_map(fact).collect();
        if values.is_empty() { "–".to_owned() } else { values.into_iter().collect::<Vec<_>>().join(", ") }
    };
    html! {
        div class=(frame(std::iter::once(groups).chain(judging).map(|of| of.all().count()).sum())) tabindex="0" { table {
            thead { tr {
                th { "run" } th { "seed" } th.text { "state" } th.text { "protocol" } th.text { "device" }
                th.text { "didact version" }
            } }
            @for (of, judges) in [(Some(groups), false), (judging, true)] { @for (variant, category, runs) in of.map(cells).unwrap_or_default() {
                @if let Some(first) = runs.first() {
                    tbody id=[(!judges).then(|| anchor(variant, category))] {
                        tr.group { td colspan="6" { strong { (first.title) } ", " (category) @if judges { ", seeds of the comparison" }
                            details { summary { "command" } pre tabindex="0" { (command(rows, first, &runs)) } }
                        } }
                        @for run in &runs { tr {
                            td {
                                @let key = html! { code { (short_key(&run.id)) } };
                                @if let Some(path) = run_pages.get(&run.id) { a href=(path) { (key) } } @else { (key) }
                            } td { (run.seed) } td.text { (run.state) }
                            td.text { code { (short_key(&run.protocol_id)) } }
                            td.text { (facts(run, device)) }
                            td.text { (facts(run, |stage| stage.version.clone())) }
                        } }
                    }
                }
            } }
        } }
        p.quiet {
            "Teacher weights: BLAKE3 " (teachers(groups))
            ". Each command repeats all runs of its group in a new sweep. Run it in the folder where the sweep was started"
            @if let Some(folder) = &rows.sweep.folder { ", " code { (folder) } }
            ". Stages that the store already has are not computed again; to use another store, add " code { "--store" }
            ". " code { "didact why" } " with a run's key shows the run's stages and their state."
        }
    }
}

/// Returns the runs of each variant and category.
fn cells<'g>(groups: &'g Groups<'_>) -> Vec<(&'g Variant, &'g str, Vec<&'g RunRow>)> {
    let of_variant = |variant: &'g Variant| {
        groups
            .categories
            .iter()
            .map(move |(category, _)| (variant, category.as_str(), groups.runs(variant, category).collect()))
    };
    groups.variants.iter().flat_map(of_variant).collect()
}

/// Returns the device of a stage, and what else computed its convolutions.
fn device(stage: &StageRow) -> Option<String> {
    let device = stage.device.as_ref()?;
    Some(match &stage.convolutions {
        Some(others) if others != Convolutions::Own.name() => format!("{device} ({others})"),
        _ => device.clone(),
    })
}

/// Returns the digests of the teachers' weights.
fn teachers(groups: &Groups<'_>) -> String {
    let digests: BTreeSet<String> = groups.categories.iter().map(|(_, protocol)| protocol.teacher()).collect();
    digests.into_iter().collect::<Vec<_>>().join(", ")
}

/// Returns the command that repeats the runs of one trial and category.
fn command(rows: &Rows, first: &RunRow, runs: &[&RunRow]) -> String {
    let seeds = runs.iter().map(|run| run.seed).collect();
    repeat_command(&rows.sweep, &RepeatedRuns::on_seeds(first, seeds))
}
