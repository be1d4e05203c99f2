//! The frame of live pages: their style, their script, and the parts that follow the store.

use std::time::Duration;

use maud::{Markup, PreEscaped, html};

use super::script::SCRIPT;
use crate::report::{Shell, shell};
use crate::text::encoded;

/// Time between two readings of a page that a reader looks at.
pub(super) const INTERVAL: Duration = Duration::from_secs(2);

const STYLE: &str = "
.trail a { margin-right: 1rem; } .tag { display: inline-block; border: 1px solid var(--line); border-radius: 1em; padding: 0 .6em; margin-right: .4em; font-size: .85rem; }
.away { border: 1px solid var(--bad); border-left-width: 5px; border-radius: 4px; padding: .35rem .8rem; } progress { width: 9rem; height: .8rem; vertical-align: middle; }
.charts { display: flex; flex-wrap: wrap; gap: 0 2rem; } figure.chart { width: 280px; } figure.chart svg { border-bottom: 1px solid var(--line); }
.failed { color: var(--bad); } form.search { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .6rem 0; }
form.search button { font: inherit; } pre.log { max-height: 22rem; overflow: auto; } .noted { white-space: pre-wrap; }
";

/// A live page.
pub(super) struct LivePage<'p> {
    pub title: &'p str,
    /// Addresses and names of the pages above it.
    pub trail: &'p [(String, String)],
    /// What never changes while the page is open.
    pub head: Markup,
    /// The parts that follow the store: an id for each, and its content.
    pub parts: Vec<(&'static str, Markup)>,
}

impl LivePage<'_> {
    /// Returns the whole page.
    pub(super) fn html(self) -> String {
        let every = INTERVAL.as_millis();
        let body = html! {
            style { (PreEscaped(STYLE)) }
            @if !self.trail.is_empty() {
                p.trail { @for (address, name) in self.trail { a href=(address) { "← " (name) } } }
            }
            h1 { (self.title) }
            p.away id="away" role="status" hidden { "The server does not answer. This page asks again every few seconds." }
            (self.head)
            div id="live" data-every=(every) {
                @for (id, content) in self.parts { div id=(id) data-live { (content) } }
            }
            script { (PreEscaped(SCRIPT)) }
        };
        shell(&Shell { title: self.title, navigation: &[], body: &body })
    }
}

/// Returns a page with a message only.
pub(super) fn message(title: &str, text: &str) -> String {
    let body = html! { h1 { (title) } p { (text) } p { a href="/" { "All sweeps" } } };
    shell(&Shell { title, navigation: &[], body: &body })
}

/// Returns a page that loads itself again every second until its address shows something else.
pub(super) fn waiting(title: &str, text: &str) -> String {
    let body = html! {
        meta http-equiv="refresh" content="1";
        h1 { (title) }
        p role="status" { (text) }
    };
    shell(&Shell { title, navigation: &[], body: &body })
}

/// Returns the address of a sweep's page.
pub(super) fn sweep_address(name: &str) -> String {
    format!("/sweeps/{}", encoded(name))
}

/// Returns the address of a run's page.
pub(super) fn run_address(sweep: &str, run: &str) -> String {
    format!("{}/runs/{}", sweep_address(sweep), encoded(run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_in_addresses() {
        assert_eq!(run_address("a/b ü", "12ab"), "/sweeps/a%2Fb%20%C3%BC/runs/12ab");
    }
}
