//! Makes the pages of all chosen runs, with the files of their pictures.

use rayon::prelude::*;

use super::choice::{MAX_PAGES, RunPageChoice};
use super::history::RunHistory;
use super::page::{PageRun, Shown, Sources, page};
use super::paths::RunPagePaths;
use super::pictures::{Files, RunPictures, WrittenInputs};
use super::stages::sharing;
use super::test_images::TestImages;
use crate::analysis::{Groups, MAX_DRAWN, Rows};
use crate::report::error::ReportError;
use crate::report::pictures::Source;
use crate::store::{Artifacts, RunState};

/// Returns the paths of the pages that [`run_pages`] makes.
pub(in crate::report) fn run_page_paths(groups: &[&Groups<'_>], choice: RunPageChoice) -> RunPagePaths {
    RunPagePaths::of(chosen(groups, choice).iter().map(|of| of.run.id.as_str()))
}

/// Makes the pages of the chosen runs, and the files of their pictures.
///
/// # Errors
/// A page or a picture cannot be drawn.
pub(in crate::report) fn run_pages(
    rows: &Rows,
    groups: &[&Groups<'_>],
    artifacts: &Artifacts,
    (choice, history): (RunPageChoice, &RunHistory),
    paths: &RunPagePaths,
) -> Result<Files, ReportError> {
    let runs = chosen(groups, choice);
    let sources = Sources { rows, artifacts, history, sharing: sharing(rows), paths };
    let written = WrittenInputs::default();
    let files: Vec<Files> = (0..runs.len())
        .into_par_iter()
        .map(|place| {
            let of = runs[place];
            let (pictures, mut files) = pictures(&sources, of, &written)?;
            let shown = Shown { images: TestImages::of(rows, artifacts, of.run), pictures };
            let before = place.checked_sub(1).map(|place| runs[place]);
            let text = page(&sources, of, &shown, (before, runs.get(place + 1).copied()))?;
            files.iter_mut().for_each(|(name, _)| *name = format!("runs/{name}"));
            let path = sources.paths.get(&of.run.id).unwrap_or_default();
            files.push((path.to_owned(), text.into_bytes()));
            Ok(files)
        })
        .collect::<Result<_, ReportError>>()?;
    Ok(files.into_iter().flatten().collect())
}

/// Returns the ended runs that get a page, in the order of the report.
fn chosen<'r>(groups: &[&'r Groups<'r>], choice: RunPageChoice) -> Vec<PageRun<'r>> {
    let (variants, most) = match choice {
        RunPageChoice::Drawn => (MAX_DRAWN, MAX_PAGES),
        RunPageChoice::All => (usize::MAX, usize::MAX),
        RunPageChoice::None => (0, 0),
    };
    let runs = groups.iter().flat_map(|&groups| {
        let shown = groups.variants.iter().take(variants);
        shown.flat_map(move |variant| groups.of_variant(variant).map(move |run| PageRun { groups, variant, run }))
    });
    runs.filter(|of| !of.run.state.is_open()).take(most).collect()
}

/// The pictures of a run, or the reason why there are none, and their files.
type Pictures = (Result<RunPictures, String>, Files);

/// Draws the pictures of a run's test images. If its artifacts are missing, it returns the reason.
fn pictures(sources: &Sources<'_>, of: PageRun<'_>, written: &WrittenInputs) -> Result<Pictures, ReportError> {
    if of.run.state != RunState::Done {
        return Ok((Err("the run is not done".to_owned()), Vec::new()));
    }
    match Source::open(sources.rows, sources.artifacts, of.run, of.variant) {
        Err(error) => Ok((Err(error.to_string()), Vec::new())),
        Ok(source) => {
            let drawn = RunPictures::of(&source, &of.run.id, written);
            let wrong = |source| ReportError::Draw { figure: format!("the test images of run {}", of.run.id), source };
            drawn.map(|(pictures, files)| (Ok(pictures), files)).map_err(wrong)
        }
    }
}
