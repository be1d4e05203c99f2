//! The parts that all pages share: every page is self-contained and has the same style.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::script::SCRIPT;
use super::style::STYLE;

/// The parts of a page that differ from page to page.
pub(crate) struct Shell<'p> {
    pub title: &'p str,
    /// Anchors with their names.
    pub navigation: &'p [(String, String)],
    pub body: &'p Markup,
}

/// Returns a whole page.
pub(crate) fn shell(page: &Shell<'_>) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // Stops browsers from requesting an icon from a server.
                link rel="icon" href="data:,";
                title { (page.title) " · didact" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                @if !page.navigation.is_empty() {
                    nav aria-label="Contents" { @for (anchor, name) in page.navigation { a href={ "#" (anchor) } { (name) } } }
                }
                main { (page.body) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}
