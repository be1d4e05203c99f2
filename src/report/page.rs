//! The page: what was asked, what was found, and everything that it rests on.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};

use super::Rows;
use super::effects::Effects;
use super::figure::Figure;
use super::grouping::Groups;
use super::guidance::Guidance;
use super::pictures::Picture;
use super::shell::shell;
use super::table::html;
use super::tables::{Tables, failures};
use super::verdict::Verdict;
use super::words::{self, Found, Remark};

/// One protocol's part of the page, its figures drawn.
pub(super) struct Section<'r> {
    pub groups: Groups<'r>,
    pub comparisons: Vec<Verdict>,
    pub effects: Vec<Effects>,
    pub tables: Tables,
    pub bars: Vec<Figure>,
    pub learning: Vec<Figure>,
    pub pictures: Vec<Picture>,
    /// What could not be drawn.
    pub notes: Vec<String>,
}

/// The whole page.
pub(super) fn page(rows: &Rows, sections: &[Section<'_>]) -> String {
    let sweep = &rows.sweep;
    let body = html! {
        h1 { (sweep.name) }
        @if let Some(question) = &sweep.question { p.question { (question) } }
        p.quiet { (words::population(rows)) }
        @if let Some(remark) = Guidance::of(rows).words() { (note(&remark)) }
        @for (index, section) in sections.iter().enumerate() { (part(rows, section, index, sections.len())) }
        @if let Some(failures) = failures(rows) {
            h2 { (failures.title) }
            (html::grid(&failures))
        }
        (origin(rows))
    };
    shell(&sweep.name, &body)
}

fn note(remark: &Remark) -> Markup {
    html! { p.note { @if let Some(lead) = remark.lead { strong { (lead) " " } } (remark.text) } }
}

fn part(rows: &Rows, section: &Section<'_>, index: usize, of: usize) -> Markup {
    let (groups, tables) = (&section.groups, &section.tables);
    html! {
        @if of > 1 {
            h2 { "Protocol " (index + 1) " of " (of) }
            p.note { (words::APART) }
        }
        @if let Some(remark) = words::across(groups) { (note(&remark)) }
        h2 { (groups.marked("Findings")) }
        (findings(rows, section))
        h2 { "Results" }
        (html::block(&tables.results))
        (html::block(&tables.comparisons))
        @for figure in &section.bars { (svg(figure)) }
        (html::block(&tables.agreement))
        @if !tables.effects.is_empty() {
            h2 { (groups.marked("What each setting does")) }
            (html::block(&tables.effects))
        }
        (html::block(&tables.epochs))
        (html::block(&tables.published))
        (html::block(&tables.costs))
        @if !section.learning.is_empty() {
            h2 { "Learning" }
            @for figure in &section.learning { (svg(figure)) }
        }
        @if !section.pictures.is_empty() || !section.notes.is_empty() {
            h2 { "Anomaly maps" }
            p.quiet {
                "Distance between teacher and prediction at each level, coarse to fine, and the fused map over the input. Each level \
                 of a row has one scale over all its test images: brightest = their 99.9 % quantile."
            }
            @for picture in &section.pictures { (png(picture)) }
            @for note in &section.notes { p.note { (note) } }
        }
        h2 { "Protocol" }
        div.scroll { table { tbody {
            @for (category, protocol) in &groups.categories { tr { td { (category) } td.text { (protocol.images()) } } }
            @if let Some((_, protocol)) = groups.categories.first() {
                @for (name, value) in protocol.facts() { tr { td { (name) } td.text { (value) } } }
            }
        } } }
    }
}

/// A sentence a variant.
fn findings(rows: &Rows, section: &Section<'_>) -> Markup {
    html! { @match words::found(rows, &section.groups, &section.comparisons) {
        Found::Nothing(why) => p { (why) },
        Found::Variants(variants) => ul.findings { @for (label, said) in &variants { li { strong { (label) } ": " (said) } } },
    } }
}

fn svg(figure: &Figure) -> Markup {
    html! { figure role="img" aria-label=(figure.description) { (PreEscaped(figure.html())) } }
}

fn png(picture: &Picture) -> Markup {
    html! { figure {
        img alt=(picture.caption) src={ "data:image/png;base64," (STANDARD.encode(&picture.png)) };
        figcaption { (picture.caption) }
    } }
}

/// Where the numbers come from and how to get them again.
fn origin(rows: &Rows) -> Markup {
    html! {
        h2 { "Origin" }
        p { "Written by didact " (env!("CARGO_PKG_VERSION")) " from the store's rows of sweep " code { (rows.sweep.name) } ". The sweep file:" }
        details { summary { "sweep file" } pre { (rows.sweep.source) } }
        @for (label, settings) in settings(rows) {
            details { summary { "every setting of " (label) } pre { (settings) } }
        }
    }
}

/// Label and resolved settings of each trial.
fn settings(rows: &Rows) -> Vec<(&str, String)> {
    let mut trials: Vec<&str> = Vec::new();
    let mut all = Vec::new();
    for run in &rows.runs {
        if !trials.contains(&run.trial_id.as_str()) {
            trials.push(&run.trial_id);
            let value: serde_json::Value = serde_json::from_str(&run.settings).unwrap_or_default();
            all.push((run.variant.as_str(), serde_json::to_string_pretty(&value).unwrap_or_default()));
        }
    }
    all
}
