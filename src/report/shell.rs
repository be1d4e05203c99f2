//! What every page has: self-contained, in one look.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::script::SCRIPT;
use super::style::STYLE;

/// A page but for what all pages have.
pub(super) struct Shell<'p> {
    pub title: &'p str,
    /// Anchors with their names.
    pub navigation: &'p [(String, String)],
    pub body: &'p Markup,
}

/// A whole page.
pub(super) fn shell(page: &Shell<'_>) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // So that browsers ask nobody for an icon.
                link rel="icon" href="data:,";
                title { (page.title) " · didact" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                @if !page.navigation.is_empty() {
                    nav { div { @for (anchor, name) in page.navigation { a href={ "#" (anchor) } { (name) } } } }
                }
                main { (page.body) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}
