//! The page of one run.

use maud::{Markup, PreEscaped, html};

use super::cards::{KEY, cards};
use super::history::RunHistory;
use super::paths::RunPagePaths;
use super::pictures::RunPictures;
use super::plots::histogram;
use super::script::SCRIPT;
use super::stages::{Sharing, failed_attempts, stages};
use super::style::STYLE;
use super::test_images::{Outcome, TestImages};
use super::training::training;
use super::{metrics, settings};
use crate::analysis::{Groups, RepeatedRuns, Rows, Variant, repeat_command};
use crate::evaluate::{Fact, Selection};
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts};
use crate::report::shell::{Shell, shell};
use crate::stages::short_key;
use crate::store::{Artifacts, RunRow, RunState};

/// What the pages of all runs need.
pub(super) struct Sources<'r> {
    pub rows: &'r Rows,
    pub artifacts: &'r Artifacts,
    pub history: &'r RunHistory,
    pub sharing: Sharing<'r>,
    pub paths: &'r RunPagePaths,
}

/// A run with a page.
#[derive(Clone, Copy)]
pub(super) struct PageRun<'r> {
    pub groups: &'r Groups<'r>,
    pub variant: &'r Variant,
    pub run: &'r RunRow,
}

impl PageRun<'_> {
    /// Returns the title: "T03 skip=add · hazelnut · seed 0".
    fn title(&self) -> String {
        format!("{} · {} · seed {}", self.variant.label, self.run.category, self.run.seed)
    }
}

/// The test images of a run and their pictures, or why there are none.
pub(super) struct Shown {
    pub images: TestImages,
    pub pictures: Result<RunPictures, String>,
}

/// Returns the page of a run. `neighbours` are the runs before and after it.
///
/// # Errors
/// A figure cannot be drawn.
pub(super) fn page(
    sources: &Sources<'_>,
    of: PageRun<'_>,
    shown: &Shown,
    neighbours: (Option<PageRun<'_>>, Option<PageRun<'_>>),
) -> Result<String, ReportError> {
    let PageRun { groups, run, .. } = of;
    let Sources { rows, artifacts, history, sharing, paths } = sources;
    let title = groups.marked(&of.title());
    let curves = if history.curves.is_empty() { &rows.curves } else { &history.curves };
    let selected = groups.value(run, Selection::Selected, Fact::Epoch);
    let population = format!("{}, seed {}; {}", run.category, run.seed, groups.protocol(run).brief());
    let training = training(rows, curves, run, selected, &population)?;
    let scores = scores(shown, population)?;
    let failures = failed_attempts(rows, artifacts, run);
    let has_numbers = run.state == RunState::Done;
    let navigation: Vec<(String, String)> = [
        ("metrics", "Metrics", has_numbers),
        ("failures", "Failed attempts", failures.is_some()),
        ("images", "Test images", has_numbers),
        ("training", "Training", !training.is_empty()),
        ("settings", "Settings", true),
        ("stages", "Stages", true),
        ("repeat", "Repeat", true),
    ]
    .into_iter()
    .filter(|(.., exists)| *exists)
    .map(|(anchor, name, _)| (anchor.to_owned(), name.to_owned()))
    .collect();
    let body = html! {
        style { (PreEscaped(STYLE)) }
        (trail(paths, neighbours))
        h1 { (title) }
        p.quiet { "Run " code { (short_key(&run.id)) } " of sweep " (rows.sweep.name) ", " (run.state) "." }
        @if let Some(reason) = &run.reason { p.note { strong { (cap(run.state.name())) ". " } (reason) } }
        @if has_numbers { section id="metrics" {
            h2 { "Metrics" }
            (metrics::metrics(groups, run))
        } }
        @if let Some(failures) = &failures { section id="failures" { h2 { "Failed attempts" } (failures) } }
        @if has_numbers { section id="images" {
            h2 { "Test images" }
            @if let Some(figure) = &scores { div.plots { (svg(figure)) } }
            (images(shown))
        } }
        @if !training.is_empty() { section id="training" {
            h2 { "Training" }
            div.plots { @for figure in &training { (svg(figure)) } }
        } }
        section id="settings" { h2 { "Settings" } (settings::settings(groups, run)) }
        section id="stages" { h2 { "Stages" } (stages(rows, history, sharing, paths, run)) }
        section id="repeat" {
            h2 { "Repeat" }
            p {
                "This command repeats the run in a new sweep"
                @if let Some(folder) = &rows.sweep.folder { ", in the folder " code { (folder) } }
                "."
            }
            pre tabindex="0" { (command(rows, run)) }
        }
        script { (PreEscaped(SCRIPT)) }
    };
    Ok(shell(&Shell { title: &title, navigation: &navigation, body: &body }))
}

/// Returns the links to the report and to the neighbours.
fn trail(paths: &RunPagePaths, (before, after): (Option<PageRun<'_>>, Option<PageRun<'_>>)) -> Markup {
    let link = |other: PageRun<'_>| Some((format!("../{}", paths.get(&other.run.id)?), other.title()));
    html! { p.trail {
        a href="../index.html" { "Report" }
        @if let Some((path, title)) = before.and_then(link) { a rel="prev" href=(path) { "← " (title) } }
        @if let Some((path, title)) = after.and_then(link) { a rel="next" href=(path) { (title) " →" } }
    } }
}

/// Draws the histogram of the image scores.
fn scores(shown: &Shown, population: String) -> Result<Option<Figure>, ReportError> {
    let scores: Vec<(bool, f64)> =
        shown.images.images.iter().map(|image| (image.defect.is_some(), image.score)).collect();
    let about = FigureTexts {
        name: "scores".to_owned(),
        description: "Image scores of normal and of defective test images, with the held-out threshold".to_owned(),
        caption: String::new(),
        population,
    };
    histogram(about, &scores, shown.images.threshold)
}

/// Returns the cards, with a summary, and what is missing.
fn images(shown: &Shown) -> Markup {
    let images = &shown.images;
    let count = |wanted: Outcome| images.images.iter().filter(|image| image.outcome == wanted).count();
    html! {
        @if let Some(missing) = &images.missing { p.note {
            strong { "Artifact missing. " } "The evaluation cannot be read: " (missing) ". The scores are those of the store; the threshold is unknown."
        } }
        @if let Err(missing) = &shown.pictures { p.note {
            strong { "No pictures. " } "The maps cannot be shown: " (missing) "."
        } }
        @if images.images.is_empty() { p { "The store has no scores of this run." } }
        @else {
            p {
                (images.images.len()) " test images"
                @if images.threshold.is_some() {
                    ": " (count(Outcome::Missed)) " missed, " (count(Outcome::FalseAlarm)) " false alarms, " (count(Outcome::Right)) " right"
                }
                "."
            }
            @if shown.pictures.is_ok() { p.quiet { "Select an image to enlarge it. " (KEY) } }
            (cards(images, shown.pictures.as_ref().ok()))
        }
    }
}

fn svg(figure: &Figure) -> Markup {
    html! { figure tabindex="0" { div role="img" aria-label=(figure.description) { (PreEscaped(figure.html())) } } }
}

/// Returns a text with a capital letter at its start.
fn cap(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

fn command(rows: &Rows, run: &RunRow) -> String {
    repeat_command(&rows.sweep, &RepeatedRuns::on_seeds(run, vec![run.seed]))
}
