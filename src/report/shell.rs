//! What every page has: self-contained, in one look.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::style::STYLE;

/// A whole page.
pub(super) fn shell(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · didact" }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) } }
        }
    };
    page.into_string()
}
