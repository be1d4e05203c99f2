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
use super::style::STYLE;
use super::text::signed;
use super::verdict::Verdict;
use super::{Rows, costs, effects_block, tables};

/// One protocol's part of the page, its figures drawn.
pub(super) struct Section<'r> {
    pub groups: Groups<'r>,
    pub comparisons: Vec<Verdict>,
    pub effects: Vec<Effects>,
    pub published: Option<Markup>,
    pub bars: Vec<Figure>,
    pub curves: Vec<Figure>,
    pub learning: Vec<Figure>,
    pub pictures: Vec<Picture>,
    /// What could not be drawn.
    pub notes: Vec<String>,
}

/// The whole page.
pub(super) fn page(rows: &Rows, sections: &[Section<'_>]) -> String {
    let sweep = &rows.sweep;
    let body = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (sweep.name) " · didact" }
                style { (PreEscaped(STYLE)) }
            }
            body { main {
                h1 { (sweep.name) }
                @if let Some(question) = &sweep.question { p.question { (question) } }
                p.quiet { (population(rows)) }
                (Guidance::of(rows).words())
                @for (index, section) in sections.iter().enumerate() { (part(rows, section, index, sections.len())) }
                (failures(rows))
                (origin(rows))
            } }
        }
    };
    body.into_string()
}

/// "12 runs: 11 done, 1 failed".
fn population(rows: &Rows) -> String {
    let mut states: Vec<(&str, usize)> = Vec::new();
    for run in &rows.runs {
        match states.iter_mut().find(|(state, _)| *state == run.state) {
            Some((_, count)) => *count += 1,
            None => states.push((&run.state, 1)),
        }
    }
    let states: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let runs = if rows.runs.len() == 1 { "run" } else { "runs" };
    format!("{} {runs}: {}. Numbers below are of the runs that are done.", rows.runs.len(), states.join(", "))
}

fn part(rows: &Rows, section: &Section<'_>, index: usize, of: usize) -> Markup {
    let groups = &section.groups;
    html! {
        @if of > 1 {
            h2 { "Protocol " (index + 1) " of " (of) }
            p.note { "These numbers were measured in another way than those of the other parts, and are not to be ranked with them." }
        }
        @if let Some(what) = &groups.across { p.note {
            strong { "Across protocols. " }
            "As asked, numbers that were measured in different ways stand in one table; they do not measure the same thing, and a \
             difference may be one of measuring (" (what) "). ST-FPM here is that of the first protocol."
        } }
        h2 { (groups.marked("Findings")) }
        (findings(rows, section))
        h2 { "Results" }
        (tables::results(groups))
        @if !section.comparisons.is_empty() { (tables::comparisons(&section.comparisons, groups)) }
        @for figure in &section.bars { (svg(figure)) }
        (agreement(groups))
        (effects_block::block(&section.effects, groups))
        (tables::epochs(groups))
        @if let Some(published) = &section.published { (published) }
        (costs::table(rows, groups))
        @if !section.curves.is_empty() {
            h2 { "Curves" }
            p.quiet {
                "Of the selected epochs: the mean over a variant's seeds at every place, and the range from the lowest to the highest \
                 of them. Curves of pixels are thinned from the exact ones, those of images are exact."
            }
            @for figure in &section.curves { (svg(figure)) }
        }
        @if !section.learning.is_empty() {
            h2 { "Learning" }
            @for figure in &section.learning { (svg(figure)) }
        }
        @if !section.pictures.is_empty() || !section.notes.is_empty() {
            h2 { "Pictures" }
            p.quiet {
                "Distance between teacher and prediction at each level, coarse to fine, and the fused map over the input with the ground \
                 truth outlined. A column has one scale for all rows: of a level 0 to the highest 99.9 % quantile of a row's test images, \
                 of the fused map 0 to twice the row's held-out threshold, so that the middle colour is where an image becomes anomalous."
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
    html! { ul.findings {
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
