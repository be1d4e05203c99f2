//! The page: the question, the findings, and everything that they are based on.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};

use super::chapters::{Chapter, Content, chapters};
use super::figure::Figure;
use super::gallery;
use super::pictures::Picture;
use super::section::Section;
use super::shell::{Shell, shell};
use super::table::html;
use super::tables::failures;
use super::words::{FindingTexts, Remark};
use super::{reproduce, summary, words};
use crate::analysis::{Groups, Rows};

/// Start of the paragraph on the page's origin. It identifies the pages of all versions.
pub(super) const WRITTEN_BY: &str = "Written by didact ";

/// Maximum number of variants whose sentences are shown unfolded; tables and figures show the same.
const MAX_UNFOLDED: usize = 4;

/// Returns the whole page.
pub(super) fn page(rows: &Rows, sections: &[Section<'_>]) -> String {
    let sweep = &rows.sweep;
    let parts: Vec<Vec<Chapter<'_>>> = sections.iter().map(|section| chapters(section)).collect();
    let links = parts.first().into_iter().flatten().map(|chapter| (chapter.anchor.clone(), chapter.title.to_owned()));
    let protocols = (1..parts.len()).map(|index| (protocol_anchor(index), format!("Protocol {}", index + 1)));
    let navigation: Vec<(String, String)> =
        links.chain(protocols).chain([("origin".to_owned(), "Origin".to_owned())]).collect();
    let body = html! {
        h1 { (sweep.name) }
        @if let Some(question) = &sweep.question { p.question { (question) } }
        @if let Some(remark) = summary::unfinished(rows) { (note(&remark)) }
        p.quiet { (summary::state(rows)) }
        @if let Some(remark) = words::guidance(&rows.sweep) { (note(&remark)) }
        label.filter hidden { "Show only rows that contain " input id="filter" type="search" placeholder="text"; }
        @for (index, (section, chapters)) in sections.iter().zip(&parts).enumerate() {
            @if sections.len() > 1 {
                h2 id=(protocol_anchor(index)) { "Protocol " (index + 1) " of " (sections.len()) }
                p.note { (words::SEPARATE_PROTOCOL) }
            }
            @for remark in section.remarks() { (note(&remark)) }
            @for chapter in chapters { section id=(chapter.anchor) {
                h2 { (section.groups.marked(chapter.title)) }
                @for content in &chapter.contents { (shown(rows, section, content)) }
            } }
        }
        (where_it_helps(sections))
        @if let Some(failures) = failures(rows) {
            h2 { (failures.title) }
            (html::grid(&failures))
        }
        (origin(rows))
    };
    shell(&Shell { title: &sweep.name, navigation: &navigation, body: &body })
}

/// Shows test images with the maps of variants and of ST-FPM.
fn where_it_helps(sections: &[Section<'_>]) -> Markup {
    let is_empty = |section: &Section<'_>| section.gallery.is_empty() && section.article.is_none();
    html! { @if !sections.iter().all(is_empty) { section id="where" {
        h2 { "Where it helps" }
        style { (PreEscaped(gallery::STYLE)) }
        @for section in sections {
            @if let Some(picture) = &section.article { (jpeg(picture)) }
            @if let Some(address) = section.gallery.worst_image() { p { a href=(address) { "The worst image of the best variant" } } }
            (gallery::markup(&section.gallery))
        }
        script { (PreEscaped(gallery::SCRIPT)) }
    } } }
}

fn protocol_anchor(index: usize) -> String {
    format!("protocol-{}", index + 1)
}

fn note(remark: &Remark) -> Markup {
    html! { p.note { @if let Some(lead) = remark.lead { strong { (lead) " " } } (remark.text) } }
}

fn shown(rows: &Rows, section: &Section<'_>, content: &Content<'_>) -> Markup {
    match content {
        Content::Answer(answer) => html! { p.answer { (answer) } },
        Content::Findings(texts) => findings(texts),
        Content::Note(text) => html! { p.quiet { (text) } },
        Content::Tables(tables) => html::block(tables),
        Content::Figures(figures) => html! { @for figure in figures { (svg(figure)) } },
        Content::Pictures { pictures, notes } => html! {
            @for picture in *pictures { (jpeg(picture)) }
            @for note in *notes { p.note { (note) } }
        },
        Content::Protocol => protocol(&section.groups),
        Content::Runs => reproduce::block(rows, &section.groups),
    }
}

/// Lists one sentence per variant.
fn findings(texts: &FindingTexts) -> Markup {
    match texts {
        FindingTexts::NotCompared(reason) => html! { p { (reason) } },
        FindingTexts::PerVariant(variants) => {
            let list = html! { ul.findings { @for (label, sentence) in variants {
                li { strong { (label) } ": " (sentence) }
            } } };
            html! {
                @if variants.len() <= MAX_UNFOLDED { (list) }
                @else { details { summary { "findings for each variant" } (list) } }
            }
        }
    }
}

/// Lists the facts of the protocol that the numbers were measured under.
fn protocol(groups: &Groups<'_>) -> Markup {
    html! {
        h3 { (groups.marked("Protocol")) }
        div.scroll { table { tbody {
            @for (category, protocol) in &groups.categories { tr { td { (category) } td.text { (protocol.images()) } } }
            @if let Some((_, protocol)) = groups.categories.first() {
                @for (name, value) in protocol.facts() { tr { td { (name) } td.text { (value) } } }
            }
        } } }
    }
}

fn svg(figure: &Figure) -> Markup {
    html! { figure { div role="img" aria-label=(figure.description) { (PreEscaped(figure.html())) } } }
}

fn jpeg(picture: &Picture) -> Markup {
    html! { figure {
        img alt=(picture.caption) src={ "data:image/jpeg;base64," (STANDARD.encode(&picture.jpeg)) };
        figcaption { (picture.caption) }
    } }
}

/// Shows where the numbers come from: program version, sweep file and settings.
fn origin(rows: &Rows) -> Markup {
    html! { section id="origin" {
        h2 { "Origin" }
        p { (WRITTEN_BY) (crate::VERSION) " from the stored results of sweep " code { (rows.sweep.name) } "." }
        details { summary { "sweep file" } pre { (rows.sweep.source) } }
        @for (label, settings) in settings(rows) {
            details { summary { "all settings of " (label) } pre { (settings) } }
        }
    } }
}

/// Returns each trial's name and its resolved settings.
fn settings(rows: &Rows) -> Vec<(&str, String)> {
    let mut trials: std::collections::BTreeSet<&str> = std::collections::BTreeSet::new();
    let mut all = Vec::new();
    for run in rows.runs.iter().filter(|run| trials.insert(&run.trial_id)) {
        let value: serde_json::Value = serde_json::from_str(&run.settings).unwrap_or_default();
        all.push((run.title.as_str(), serde_json::to_string_pretty(&value).unwrap_or_default()));
    }
    all
}
