//! The page: what was asked, what was found, and everything that it rests on.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::agreement::agreement;
use super::costs::Costs;
use super::effects::Effects;
use super::figure::Figure;
use super::grouping::{Groups, metric_label};
use super::guidance::Guidance;
use super::pictures::Picture;
use super::script::SCRIPT;
use super::style::STYLE;
use super::text::signed;
use super::verdict::Verdict;
use super::{Rows, costs, effects_block, reproduce, summary, tables};

/// With more variants their sentences are folded away: tables and figures say the same.
const MOST_SPOKEN: usize = 5;

/// One protocol's part of the page, its figures drawn.
pub(super) struct Section<'r> {
    pub groups: Groups<'r>,
    pub comparisons: Vec<Verdict>,
    pub effects: Vec<Effects>,
    pub published: Option<Markup>,
    pub figures: Figures,
    pub pictures: Vec<Picture>,
    /// What could not be drawn.
    pub notes: Vec<String>,
}

/// The figures by the part of the page that they stand in.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub leaderboard: Vec<Figure>,
    pub ablation: Vec<Figure>,
    pub search: Vec<Figure>,
    pub learning: Vec<Figure>,
    pub cost: Vec<Figure>,
}

impl Figures {
    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Figure> {
        [&self.leaderboard, &self.ablation, &self.search, &self.learning, &self.cost].into_iter().flatten()
    }
}

/// A part of the page: its anchor, its title, what it holds.
struct Chapter {
    anchor: String,
    title: &'static str,
    body: Markup,
}

/// The whole page.
pub(super) fn page(rows: &Rows, sections: &[Section<'_>]) -> String {
    let sweep = &rows.sweep;
    let parts: Vec<Vec<Chapter>> = sections
        .iter()
        .enumerate()
        .map(|(index, section)| {
            let prefix = if sections.len() > 1 { format!("protocol-{}-", index + 1) } else { String::new() };
            chapters(rows, section, &prefix)
        })
        .collect();
    let body = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                // No favicon is asked for.
                link rel="icon" href="data:,";
                title { (sweep.name) " · didact" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                nav aria-label="parts of the page" { div {
                    @for chapter in parts.first().into_iter().flatten() { a href={ "#" (chapter.anchor) } { (chapter.title) } }
                    @for index in 1..parts.len() { a href={ "#protocol-" (index + 1) } { "Protocol " (index + 1) } }
                    a href="#origin" { "Origin" }
                } }
                main {
                    h1 { (sweep.name) }
                    @if let Some(question) = &sweep.question { p.question { (question) } }
                    (summary::state(rows))
                    (Guidance::of(rows).words())
                    label.filter hidden[true] { "Rows with " input id="filter" type="search" placeholder="text"; }
                    @for (index, (section, chapters)) in sections.iter().zip(&parts).enumerate() {
                        @if sections.len() > 1 { (apart(index, sections.len())) }
                        @if let Some(what) = &section.groups.across { (across(what)) }
                        @for chapter in chapters { section id=(chapter.anchor) { h2 { (section.groups.marked(chapter.title)) } (chapter.body) } }
                    }
                    (failures(rows))
                    (origin(rows))
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    body.into_string()
}

fn apart(index: usize, of: usize) -> Markup {
    html! {
        h2 id={ "protocol-" (index + 1) } { "Protocol " (index + 1) " of " (of) }
        p.note { "These numbers were measured in another way than those of the other parts, and are not to be ranked with them." }
    }
}

fn across(what: &str) -> Markup {
    html! { p.note {
        strong { "Across protocols. " }
        "As asked, numbers that were measured in different ways stand in one table; they do not measure the same thing, and a \
         difference may be one of measuring (" (what) "). ST-FPM here is that of the first protocol."
    } }
}

/// The parts of one protocol that hold something.
fn chapters(rows: &Rows, section: &Section<'_>, prefix: &str) -> Vec<Chapter> {
    let (groups, figures) = (&section.groups, &section.figures);
    let drawn = |figures: &[Figure]| html! { @for figure in figures { (svg(figure)) } };
    let summary = html! {
        @if let Some(answer) = summary::answer(&section.comparisons) { p.answer { (answer) } }
        (findings(rows, section))
    };
    let leaderboard = html! {
        (tables::results(groups))
        (drawn(&figures.leaderboard))
        @if !section.comparisons.is_empty() { (tables::comparisons(&section.comparisons, groups)) }
        @if let Some(published) = &section.published { (published) }
    };
    let search =
        html! { (effects_block::block(&section.effects, groups)) (drawn(&figures.search)) (agreement(groups)) };
    let learning = html! { (drawn(&figures.learning)) (tables::epochs(groups)) };
    let cost = html! { (costs::table(rows, groups)) (drawn(&figures.cost)) };
    let reproduce = html! { (protocol(groups)) (reproduce::block(rows, groups)) };
    let searched = !section.effects.is_empty() || !figures.search.is_empty();
    [
        ("summary", "Summary", Some(summary)),
        ("leaderboard", "Leaderboard", Some(leaderboard)),
        ("ablation", "Ablation", (!figures.ablation.is_empty()).then(|| drawn(&figures.ablation))),
        ("hyperparameters", "Hyperparameters", searched.then_some(search)),
        ("learning", "Learning", Some(learning)),
        ("cost", "Cost", Some(cost)),
        ("pictures", "Pictures", pictures(section)),
        ("reproduce", "Reproduce", Some(reproduce)),
    ]
    .into_iter()
    .filter_map(|(anchor, title, body)| Some(Chapter { anchor: format!("{prefix}{anchor}"), title, body: body? }))
    .collect()
}

fn pictures(section: &Section<'_>) -> Option<Markup> {
    let markup = html! {
        p.quiet {
            "Distance between teacher and prediction at each level, coarse to fine, and the fused map over the input. Each level \
             of a row has one scale over all its test images: brightest = their 99.9 % quantile."
        }
        @for picture in &section.pictures { (png(picture)) }
        @for note in &section.notes { p.note { (note) } }
    };
    (!section.pictures.is_empty() || !section.notes.is_empty()).then_some(markup)
}

/// What the numbers were measured under.
fn protocol(groups: &Groups<'_>) -> Markup {
    html! {
        h3 { (groups.marked("Protocol")) }
        div.scroll { table { tbody {
            @for (category, protocol) in &groups.categories { tr { td { (category) } td.text { (protocol.images()) } } }
            @if let Some((_, protocol)) = groups.categories.first() {
                @for (name, value) in protocol.facts() { tr { td { (name) } td.text { (value) } } }
            }
        } } }
        h3 { (groups.marked("Runs")) }
    }
}

/// Does it help, by how much, at what cost, and how sure is that: a sentence a variant.
fn findings(rows: &Rows, section: &Section<'_>) -> Markup {
    let groups = &section.groups;
    let Some(baseline) = groups.baseline() else {
        return html! { p { "There is no re-run baseline in this sweep: nothing is compared." } };
    };
    if groups.variants.iter().all(|variant| variant.baseline) {
        return html! { p { "Only ST-FPM was run: there is nothing to compare it with here." } };
    }
    let reference = Costs::of(rows, groups, baseline);
    let list = html! { ul.findings {
        @for variant in groups.variants.iter().filter(|variant| !variant.baseline) {
            @let cost = Costs::of(rows, groups, variant).against(&reference);
            li {
                strong { (variant.label) }
                @let found: Vec<&Verdict> = section.comparisons.iter().filter(|v| v.is_of(&variant.trial, &variant.label)).collect();
                @if found.is_empty() { ": no pair of runs with numbers yet" }
                @for (place, comparison) in found.iter().enumerate() {
                    (if place == 0 { ": " } else { "; " })
                    (metric_label(comparison.metric)) " " (signed(comparison.difference))
                    @if let Some((low, high)) = comparison.interval { " (95 % " (signed(low)) " to " (signed(high)) ")" }
                    ", " (comparison.verdict)
                }
                "."
                @if let Some(cost) = cost { " Cost: " (cost) "." }
            }
        }
    } };
    html! {
        @if groups.variants.len() <= MOST_SPOKEN { (list) }
        @else { details { summary { "every variant in words" } (list) } }
    }
}

fn svg(figure: &Figure) -> Markup {
    html! { figure { div role="img" aria-label=(figure.description) { (PreEscaped(figure.html())) } } }
}

fn png(picture: &Picture) -> Markup {
    html! { figure {
        img alt=(picture.caption) src={ "data:image/png;base64," (STANDARD.encode(&picture.png)) };
        figcaption { (picture.caption) }
    } }
}

fn failures(rows: &Rows) -> Markup {
    let failed: Vec<_> = rows.runs.iter().filter(|run| run.state == "failed").collect();
    html! { @if !failed.is_empty() {
        h2 { "Failed runs" }
        div.scroll { table {
            thead { tr { th { "variant" } th.text { "category" } th { "seed" } th.text { "reason" } } }
            tbody { @for run in failed { tr {
                td { (run.variant) } td.text { (run.category) } td { (run.seed) }
                td.text.wrap { (run.reason.as_deref().unwrap_or("unknown")) }
            } } }
        } }
    } }
}

/// Where the numbers come from and how to get them again.
fn origin(rows: &Rows) -> Markup {
    html! {
        h2 id="origin" { "Origin" }
        p { "Written by didact " (crate::VERSION) " from the store's rows of sweep " code { (rows.sweep.name) } ". The sweep file:" }
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
