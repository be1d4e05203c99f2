//! The page: the question, the verdict, and everything that it is based on.

use std::cell::Cell;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};

use super::chapters::{Chapter, Content, chapters};
use super::figure::Figure;
use super::figures::palette::slots;
use super::gallery;
use super::leaderboard::leaderboard;
use super::marks::with_pages;
use super::pictures::Picture;
use super::print::Column;
use super::run_pages::RunPagePaths;
use super::section::Section;
use super::shell::{Shell, shell};
use super::table::html;
use super::tables::failures;
use super::words::{FindingTexts, Remark};
use super::{banners, brush, reproduce, summary, words};
use crate::analysis::{Groups, Rows};

/// Start of the paragraph on the page's origin. It identifies the pages of all versions.
pub(super) const WRITTEN_BY: &str = "Written by didact ";

/// Bytes of figures and pictures that a page holds, galleries included. The rest are files beside the page, which it links to: browsers and
/// mail must cope with a page of fifteen categories.
const EMBEDDED: usize = 2_600_000;
/// Bytes that are left for figures, however large the galleries are.
const FOR_FIGURES: usize = 1_200_000;

/// Returns the whole page. Runs link to their own pages.
pub(super) fn page(rows: &Rows, sections: &[Section<'_>], run_pages: &RunPagePaths) -> String {
    let sweep = &rows.sweep;
    let galleries: Vec<Markup> = sections.iter().map(|section| gallery::markup(&section.gallery)).collect();
    let room = Room::beside(&galleries);
    let failures = failures(rows);
    let parts: Vec<Vec<Chapter<'_>>> = sections.iter().map(|section| chapters(section)).collect();
    let links = parts.first().into_iter().flatten().map(|chapter| (chapter.anchor.clone(), chapter.title.to_owned()));
    let protocols = (1..parts.len()).map(|index| (protocol_anchor(index), format!("Protocol {}", index + 1)));
    let ends = failures.iter().map(|table| ("failures", table.title.as_str())).chain([("origin", "Origin")]);
    let ends = ends.map(|(anchor, title)| (anchor.to_owned(), title.to_owned()));
    let navigation: Vec<(String, String)> = links.chain(protocols).chain(ends).collect();
    let has_axes = sections.iter().flat_map(|section| section.figures.all()).any(Figure::has_axes);
    let body = html! {
        @if parts.iter().flatten().any(Chapter::has_gallery) { style { (PreEscaped(gallery::STYLE)) } }
        @if has_axes { style { (PreEscaped(brush::STYLE)) } }
        h1 { (sweep.name) }
        @if let Some(question) = &sweep.question { p.question { (question) } }
        @for remark in banners::state(rows) { (banner(&remark)) }
        p.quiet { (summary::state(rows)) }
        @if let Some(remark) = words::guidance(&rows.sweep) { (note(&remark)) }
        @for (index, (section, chapters)) in sections.iter().zip(&parts).enumerate() {
            @let shown = Shown { rows, section, gallery: &galleries[index], run_pages, room: &room };
            @if sections.len() > 1 {
                h2 id=(protocol_anchor(index)) { "Protocol " (index + 1) " of " (sections.len()) }
                p.note { (words::SEPARATE_PROTOCOL) }
            }
            div.protocol {
                @for remark in section.remarks() { (note(&remark)) }
                @for chapter in chapters { section id=(chapter.anchor) {
                    h2 { (section.groups.marked(chapter.title)) }
                    @for content in &chapter.contents { (shown.content(content)) }
                } }
            }
        }
        @if let Some(failures) = failures { section id="failures" {
            h2 { (failures.title) }
            (html::grid(&failures))
        } }
        (origin(rows))
        @if parts.iter().flatten().any(Chapter::has_gallery) { script { (PreEscaped(gallery::SCRIPT)) } }
        @if has_axes { script { (PreEscaped(brush::SCRIPT)) } }
    };
    shell(&Shell { title: &sweep.name, navigation: &navigation, body: &body })
}

/// What a protocol's part of the page shows.
struct Shown<'p> {
    rows: &'p Rows,
    section: &'p Section<'p>,
    gallery: &'p Markup,
    run_pages: &'p RunPagePaths,
    room: &'p Room,
}

/// Bytes that the page may still embed.
struct Room(Cell<usize>);

impl Room {
    /// Returns the room that the galleries leave.
    fn beside(galleries: &[Markup]) -> Self {
        let taken: usize = galleries.iter().map(|gallery| gallery.0.len()).sum();
        Self(Cell::new(EMBEDDED.saturating_sub(taken).max(FOR_FIGURES)))
    }

    /// Returns whether the page has room for these bytes, and takes it.
    fn take(&self, bytes: usize) -> bool {
        let left = self.0.get().checked_sub(bytes);
        left.inspect(|left| self.0.set(*left)).is_some()
    }
}

fn protocol_anchor(index: usize) -> String {
    format!("protocol-{}", index + 1)
}

fn note(remark: &Remark) -> Markup {
    html! { p.note { (remark_text(remark)) } }
}

/// Shows a remark that changes how to read everything below it.
fn banner(remark: &Remark) -> Markup {
    html! { div.banner {
        p { (remark_text(remark)) }
        @if let Some(command) = &remark.command { pre tabindex="0" { (command) } }
    } }
}

fn remark_text(remark: &Remark) -> Markup {
    html! { @if let Some(lead) = &remark.lead { strong { (lead) " " } } (remark.text) }
}

impl Shown<'_> {
    /// Shows a block of content.
    fn content(&self, content: &Content<'_>) -> Markup {
        let section = self.section;
        match content {
            Content::Answer(answer) => html! { p.answer { (answer) } },
            Content::Findings(texts) => findings(texts),
            Content::Note(text) => html! { p.quiet { (text) } },
            Content::Text(text) => html! { p { (text) } },
            Content::Tables(tables) => html::block(tables),
            Content::Leaderboard => leaderboard(section),
            Content::Figures(figures) => html! { div.figures { @for figure in figures { (self.figure(figure)) } } },
            Content::Switch { label, figures } => self.switch(label, figures),
            Content::Pictures { pictures, notes } => html! {
                @for picture in *pictures { (jpeg(picture, self.room)) }
                @for note in *notes { p.note { (note) } }
            },
            Content::Gallery => self.gallery.clone(),
            Content::Link { address, text } => html! { p { a href=(address) { (text) } } },
            Content::Protocol => protocol(section.groups),
            Content::Runs => reproduce::block(self.rows, (section.groups, section.judging), self.run_pages),
            Content::Folded { title, contents } => html! { details {
                summary { (title) }
                @for content in contents { (self.content(content)) }
            } },
        }
    }
}

impl Shown<'_> {
    /// Shows a figure with links to its files. Its marks lead to the pages of their runs.
    fn figure(&self, figure: &Figure) -> Markup {
        let compact = figure.compact_html();
        let class = compact.is_some().then_some("narrow");
        let linked = with_pages(&compact.unwrap_or_else(|| figure.html()), |run| self.run_pages.get(run));
        // The leaderboard's boxes hide a variant in all figures by its colour.
        let drawn = slots()
            .fold(linked, |drawn, (variable, colour)| drawn.replace(&colour, &format!("var({variable}, {colour})")));
        if !self.room.take(drawn.len()) {
            return self::linked(&format!("{}.svg", figure.name), &figure.description);
        }
        html! { figure class=[class] {
            div role="img" aria-label=(figure.description) { (PreEscaped(drawn)) }
            figcaption {
                (figure.caption)
                @for (ending, name) in [("svg", "SVG"), ("csv", "CSV")] { " " a href={ (figure.name) "." (ending) } { (name) } }
                @for column in Column::ALL { @if let Some(file) = figure.pdf_name(column) { " " a href=(file) { (column) } } }
            }
        } }
    }

    /// Shows one of several figures at a time; on paper, all of them. This needs no script.
    fn switch(&self, label: &str, figures: &[&Figure]) -> Markup {
        let group = format!("{}switch-{}", self.section.prefix, label.to_lowercase());
        html! { div.switch role="radiogroup" aria-label=(label) {
            @for (place, figure) in figures.iter().enumerate() { div.choice {
                @if figures.len() > 1 { label {
                    input type="radio" name=(group) checked[place == 0];
                    " " (figure.choice.unwrap_or(&figure.name))
                } }
                div.chosen { (self.figure(figure)) }
            } }
        } }
    }
}

/// Lists one sentence per variant.
fn findings(texts: &FindingTexts) -> Markup {
    match texts {
        FindingTexts::NotCompared(reason) => html! { p { (reason) } },
        FindingTexts::PerVariant(variants) => html! { ul.findings { @for (label, sentence) in variants {
            li { strong { (label) } ": " (sentence) }
        } } },
    }
}

/// Lists the facts of the protocol that the numbers were measured under.
fn protocol(groups: &Groups<'_>) -> Markup {
    html! {
        h3 { (groups.marked("Protocol")) }
        div.scroll tabindex="0" { table { tbody {
            @for (category, protocol) in &groups.categories { tr { td { (category) } td.text { (protocol.images()) } } }
            @if let Some((_, protocol)) = groups.categories.first() {
                @for (name, value) in protocol.facts() { tr { td { (name) } td.text { (value) } } }
            }
        } } }
    }
}

fn jpeg(picture: &Picture, room: &Room) -> Markup {
    let encoded = STANDARD.encode(&picture.jpeg);
    if !room.take(encoded.len()) {
        return linked(&format!("{}.png", picture.name), &picture.caption);
    }
    html! { figure {
        img alt=(picture.caption) src={ "data:image/jpeg;base64," (encoded) };
        figcaption { (picture.caption) }
    } }
}

/// Links to the file of a figure that the page has no room for.
fn linked(file: &str, what: &str) -> Markup {
    html! { p.quiet { a href=(file) { (file) } ": " (what) } }
}

/// Shows where the numbers come from: program version, sweep file and settings.
fn origin(rows: &Rows) -> Markup {
    html! { section id="origin" {
        h2 { "Origin" }
        p { (WRITTEN_BY) (crate::VERSION) " from the stored results of sweep " code { (rows.sweep.name) } "." }
        details { summary { "sweep file" } pre tabindex="0" { (rows.sweep.source) } }
        details {
            summary { "all settings of each trial" }
            @for (label, settings) in settings(rows) {
                details { summary { (label) } pre tabindex="0" { (settings) } }
            }
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
