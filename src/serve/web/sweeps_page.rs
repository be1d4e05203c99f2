//! The page of all sweeps.

use maud::{Markup, html};

use super::page::{LivePage, sweep_address};
use crate::store::ListedSweep;

/// Returns the page of the sweeps whose name, tags or note contain a text, whatever the case.
pub(super) fn sweeps_page(sweeps: &[ListedSweep], text: &str) -> String {
    let wanted = text.trim().to_lowercase();
    let shown: Vec<&ListedSweep> = sweeps.iter().filter(|sweep| matches(sweep, &wanted)).collect();
    let head = html! {
        form.search role="search" action="/" {
            label for="search" { "Search names, tags and notes" }
            input id="search" type="search" name="q" value=(text);
            button { "Search" }
        }
    };
    LivePage { title: "Sweeps", trail: &[], head, parts: vec![("sweeps", table(&shown, sweeps.len()))] }.html()
}

fn matches(sweep: &ListedSweep, wanted: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(wanted);
    has(&sweep.name) || sweep.tags.0.iter().any(|tag| has(&tag.to_string())) || sweep.note.as_deref().is_some_and(has)
}

fn table(sweeps: &[&ListedSweep], all: usize) -> Markup {
    html! {
        p.quiet role="status" {
            @if sweeps.len() == all { (all) " sweep" @if all != 1 { "s" } } @else { (sweeps.len()) " of " (all) " sweeps" }
            " in this store."
        }
        @if !sweeps.is_empty() { div.scroll tabindex="0" { table {
            thead { tr {
                th.text { "sweep" } th.text { "state" } th { "runs done" } th { "failed" } th.text { "started (UTC)" } th.text { "tags" } th.text { "note" }
            } }
            tbody { @for sweep in sweeps { tr {
                td.text { a id={ "sweep-" (sweep.name) } href=(sweep_address(&sweep.name)) { (sweep.name) } }
                td.text { (sweep.state()) }
                td { (sweep.done) " of " (sweep.runs) }
                td { @if sweep.failed > 0 { span.failed { (sweep.failed) } } @else { "0" } }
                td.text { (sweep.updated_at.get(..16).unwrap_or(&sweep.updated_at).replace('T', " ")) }
                td.text { @for tag in &sweep.tags.0 { span.tag { (tag) } } }
                td.text.wrap { (sweep.note.as_deref().and_then(|note| note.lines().next()).unwrap_or_default()) }
            } } }
        } } }
    }
}
