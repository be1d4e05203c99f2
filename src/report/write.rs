//! Draws everything, then writes it. An old report stays complete until the new one is complete.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::error::ReportError;
use super::figure::Figure;
use super::figures::{FigureSource, Figures};
use super::gallery::GallerySource;
use super::page::page;
use super::pictures::ArticleChoice;
use super::run_pages::{RunHistory, RunPageChoice, run_page_paths, run_pages};
use super::section::Section;
use super::table::{csv, latex};
use super::tables::Tables;
use super::{gallery, markdown, pictures};
use crate::analysis::{Analysis, ByCategory, ComparedGroups, Costs, Groups, MAX_DRAWN, Side, by_category, findings};
use crate::outputs::{ForeignFiles, MovedAside, OutputError, OutputFolder, OutputPlace};
use crate::store::Artifacts;

/// Files of a report: their paths below its folder, and their bytes.
type Files = Vec<(String, Vec<u8>)>;

/// Progress of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Number of finished steps.
    pub done: usize,
    /// Total number of steps.
    pub total: usize,
    /// The current step.
    pub doing: &'static str,
}

/// Files that every report has. The page comes last, so that its figures exist when somebody opens it.
const MAIN_FILES: [&str; 3] = ["report.json", "report.md", "index.html"];

/// A written report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenReport {
    /// Path of the page.
    pub page: PathBuf,
    /// Files that were moved aside to make room.
    pub moved_aside: Option<MovedAside>,
}

/// Checks whether the report of a sweep could be written to a folder now. The check covers the file names that are known before the report
/// is made.
///
/// # Errors
/// The folder contains files of these names that no report of the sweep wrote.
pub fn check_folder(sweep: &str, folder: &Path) -> Result<(), OutputError> {
    let known = output_folder(sweep, folder);
    if is_of_older_version(&known, folder) { Ok(()) } else { known.check(&MAIN_FILES) }
}

/// Returns the folder of a sweep's report, with the manifest of its files.
fn output_folder(sweep: &str, folder: &Path) -> OutputFolder {
    OutputFolder::open(folder, &format!("report of sweep {sweep}"))
}

/// Steps for each protocol, in this order.
const STEPS: [&str; 2] = ["pictures", "figures"];

/// Writes the page with its figures and tables, the pages of the chosen runs, and the same content as Markdown and JSON. Calls `on_step` when
/// a step begins. If one file cannot be written, no file is replaced. Of an older report, only files that are unchanged since it wrote them
/// are replaced or removed.
///
/// # Errors
/// The folder contains files of these names that no report of the sweep wrote, unless [`ForeignFiles::MoveAside`] moves them. Also if the
/// report cannot be drawn, encoded or written.
pub fn write(
    analysis: &Analysis<'_>,
    artifacts: &Artifacts,
    place: OutputPlace<'_>,
    (choice, history): (RunPageChoice, &RunHistory),
    on_step: &mut dyn FnMut(Step),
) -> Result<WrittenReport, ReportError> {
    let (rows, all) = (analysis.rows, &analysis.protocols);
    let total = STEPS.len() * all.len() + 2;
    let mut begun = 0;
    let mut begin = |doing| {
        on_step(Step { done: begun, total, doing });
        begun += 1;
    };
    let mut sections = Vec::new();
    for (index, of) in all.iter().enumerate() {
        let prefix = if all.len() > 1 { format!("protocol-{}-", index + 1) } else { String::new() };
        sections.push(section(analysis, of, artifacts, prefix, &mut begin)?);
    }
    begin("pages of runs");
    // The runs that judge come first, because verdicts and figures of chosen trials are made of them.
    let groups: Vec<&Groups<'_>> = analysis.judging.iter().chain(all.iter().map(|of| &of.groups)).collect();
    let run_page_paths = run_page_paths(&groups, choice);
    let mut files = run_pages(rows, &groups, artifacts, (choice, history), &run_page_paths)?;
    begin("files");
    files.extend(figures(&sections)?);
    files.extend(tables(&sections)?);
    let main = [
        json(analysis)?,
        markdown::document(rows, &sections).into_bytes(),
        page(rows, &sections, &run_page_paths).into_bytes(),
    ];
    files.extend(MAIN_FILES.map(str::to_owned).into_iter().zip(main));
    let folder = output_folder(&rows.sweep.name, place.folder);
    // Older versions kept no manifest of their files. So files that they may have written are moved, not deleted.
    let foreign = if is_of_older_version(&folder, place.folder) { ForeignFiles::MoveAside } else { place.foreign };
    let moved_aside = folder.update(&files, foreign)?;
    Ok(WrittenReport { page: place.folder.join("index.html"), moved_aside })
}

/// Draws one protocol's part. `prefix` starts the names of its files.
fn section<'a>(
    analysis: &'a Analysis<'a>,
    of: &'a ComparedGroups<'a>,
    artifacts: &Artifacts,
    prefix: String,
    begin: &mut dyn FnMut(&'static str),
) -> Result<Section<'a>, ReportError> {
    let (rows, ComparedGroups { groups, sides, comparisons, effects, .. }) = (analysis.rows, of);
    begin(STEPS[0]);
    let (pictures, notes) = pictures::pictures(rows, groups, artifacts, &prefix)?;
    let choice = ArticleChoice { variant: None, category: None };
    let (article, _) = pictures::article_picture(rows, groups, artifacts, &choice, &prefix)?;
    let gallery = gallery::gallery(&GallerySource {
        rows,
        groups,
        artifacts,
        variants: &pictures::best_first(groups),
        prefix: &prefix,
    })?;
    begin(STEPS[1]);
    let costs = Costs::of_variants(rows, groups);
    let source = FigureSource { rows, groups, artifacts, sides, costs: &costs, comparisons, effects, prefix: &prefix };
    let figures = Figures::draw(&source)?;
    let confirmed: &[_] = if of.tuned.is_some() { &analysis.confirmed } else { &[] };
    let chosen = of.chosen().map(|tuned| (tuned, confirmed));
    let judged = of.chosen().filter(|tuned| tuned.decide.is_none());
    let categories = match judged.and(analysis.chosen.split_first()) {
        Some((baseline, others)) => by_category(baseline, &others.iter().collect::<Vec<_>>(), &rows.metrics),
        None => categories(groups, sides),
    };
    let tables = Tables::of(rows, groups, sides, &costs, comparisons, effects, chosen, &categories)?;
    Ok(Section {
        tables: tables.prefixed(&prefix),
        tuned: of.chosen(),
        confirmed,
        categories,
        figures,
        prefix,
        costs,
        comparisons,
        pictures,
        article,
        gallery,
        notes,
        groups,
        judging: analysis.judging.as_ref().filter(|_| of.tuned.is_some()),
    })
}

/// Compares the drawn variants with the re-run baseline in each category.
fn categories(groups: &Groups<'_>, sides: &[Side]) -> Vec<ByCategory> {
    let drawn = || groups.variants.iter().zip(sides).take(MAX_DRAWN);
    let Some((_, baseline)) = drawn().find(|(variant, _)| variant.baseline) else { return Vec::new() };
    let others: Vec<&Side> = drawn().filter(|(variant, _)| !variant.baseline).map(|(_, side)| side).collect();
    if others.is_empty() { Vec::new() } else { by_category(baseline, &others, &groups.metrics) }
}

/// Returns whether the folder has a report of a version that kept no manifest of its files.
fn is_of_older_version(known: &OutputFolder, folder: &Path) -> bool {
    let page = folder.join("index.html");
    let is_file = std::fs::symlink_metadata(&page).is_ok_and(|facts| facts.is_file());
    !known.has_manifest()
        && is_file
        && std::fs::read(&page).is_ok_and(|bytes| contains_text(&bytes, super::page::WRITTEN_BY))
}

fn contains_text(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Returns the files of figures and pictures. Several figures are rasterised at a time.
fn figures(sections: &[Section<'_>]) -> Result<Files, ReportError> {
    let all: Vec<&Figure> = sections.iter().flat_map(|section| section.figures.all()).collect();
    let of_figures: Vec<Files> = all.par_iter().map(|figure| figure.files()).collect::<Result<_, _>>()?;
    let pictures = sections.iter().flat_map(|section| section.article.iter().chain(&section.pictures));
    let of_pictures = pictures.map(|picture| (format!("{}.png", picture.name), picture.png.clone()));
    Ok(of_figures.into_iter().flatten().chain(of_pictures).collect())
}

/// Returns two files per table: the exact values, and a float for a document.
fn tables(sections: &[Section<'_>]) -> Result<Files, ReportError> {
    let mut files = Vec::new();
    for table in sections.iter().flat_map(|section| section.tables.all()) {
        let name = |ending: &str| format!("tables/{}.{ending}", table.name);
        files.push((name("csv"), csv::bytes(table)?));
        files.push((name("tex"), latex::float(table).into_bytes()));
    }
    Ok(files)
}

/// Returns what `report --json` prints.
fn json(analysis: &Analysis<'_>) -> Result<Vec<u8>, ReportError> {
    let mut text = serde_json::to_vec_pretty(&findings(analysis)).map_err(std::io::Error::from)?;
    text.push(b'\n');
    Ok(text)
}
