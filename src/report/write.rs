//! Draws everything, then writes it: an old report stays whole until the new one is.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::comparison::{comparisons, sides};
use super::costs::Costs;
use super::effects::{Effects, effects};
use super::figure::Figure;
use super::figures::{
    bars, contour, forest, history, learning, parallel, pareto, selection, shapes, slices, stability,
};
use super::file::put;
use super::findings::Findings;
use super::grouping::{Groups, Ranking, groups};
use super::page::page;
use super::section::{Figures, Section};
use super::table::{csv, latex};
use super::tables::Tables;
use super::verdict::Verdict;
use super::{ReportError, Rows, curves, markdown, pictures};
use crate::store::Artifacts;

/// Files of a report by their names below its folder.
type Files = Vec<(String, Vec<u8>)>;

/// How far a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Steps that are done.
    pub done: usize,
    /// All of them.
    pub total: usize,
    /// What is done now.
    pub doing: &'static str,
}

/// What is done for each protocol, in this order.
const STEPS: [&str; 3] = ["pictures", "comparisons", "figures"];

/// Writes the page with its figures, tables, and the same as Markdown and JSON; returns the page's path. `tell` hears what begins.
pub fn write(
    rows: &Rows,
    artifacts: &Artifacts,
    ranking: Ranking,
    out: &Path,
    tell: &mut dyn FnMut(Step),
) -> Result<PathBuf, ReportError> {
    let all = groups(rows, ranking);
    let many = all.len() > 1;
    let total = STEPS.len() * all.len() + 1;
    let mut begun = 0;
    let mut begin = |doing| {
        tell(Step { done: begun, total, doing });
        begun += 1;
    };
    let mut sections = Vec::new();
    for (index, groups) in all.into_iter().enumerate() {
        let prefix = if many { format!("protocol-{}-", index + 1) } else { String::new() };
        begin(STEPS[0]);
        let (pictures, notes) = pictures::pictures(rows, &groups, artifacts, &prefix)?;
        begin(STEPS[1]);
        let sides = sides(rows, &groups, artifacts);
        let comparisons = comparisons(&groups, &sides);
        let effects = effects(&groups);
        let costs = Costs::of_variants(rows, &groups);
        begin(STEPS[2]);
        sections.push(Section {
            tables: Tables::of(rows, &groups, &sides, &costs, &comparisons, &effects)?.prefixed(&prefix),
            figures: draw(rows, &groups, artifacts, (&costs, &comparisons, &effects), &prefix)?,
            prefix,
            costs,
            comparisons,
            effects,
            pictures,
            notes,
            groups,
        });
    }
    begin("files");
    let mut files = figures(&sections)?;
    files.extend(tables(&sections)?);
    files.push(("report.json".to_owned(), json(&sections)?));
    files.push(("report.md".to_owned(), markdown::document(rows, &sections).into_bytes()));
    // The page last: whoever opens it finds its figures beside it.
    files.push(("index.html".to_owned(), page(rows, &sections).into_bytes()));
    let wrong = |path: &Path| {
        let path = path.to_owned();
        |source| ReportError::Write { path, source }
    };
    std::fs::create_dir_all(out.join("tables")).map_err(wrong(out))?;
    for (name, bytes) in &files {
        let path = out.join(name);
        put(&path, bytes).map_err(wrong(&path))?;
    }
    remove_stale(out, &files);
    Ok(out.join("index.html"))
}

/// Everything that is drawn from numbers.
fn draw(
    rows: &Rows,
    groups: &Groups<'_>,
    artifacts: &Artifacts,
    (costs, comparisons, effects): (&[Costs], &[Verdict], &[Effects]),
    prefix: &str,
) -> Result<Figures, ReportError> {
    let some = |figures: Vec<Option<Figure>>| figures.into_iter().flatten().collect();
    let mut learning = learning::learning(rows, groups, prefix)?;
    learning.extend(selection::rules(groups, prefix)?);
    learning.extend(stability::seeds(groups, prefix)?);
    Ok(Figures {
        leaderboard: bars::bars(groups, prefix)?,
        ablation: some(vec![
            forest::variants(comparisons, groups, prefix)?,
            forest::levels(effects, groups, prefix)?,
            contour::two_axes(effects, groups, prefix)?,
            shapes::shapes(groups, prefix)?,
        ]),
        search: some(vec![
            slices::slices(groups, prefix)?,
            parallel::coordinates(groups, prefix)?,
            history::history(groups, prefix)?,
        ]),
        learning,
        curves: curves::curves(rows, groups, artifacts, prefix)?,
        cost: pareto::front(groups, costs, prefix)?.into_iter().collect(),
    })
}

/// Figures and pictures, those of the figures drawn side by side.
fn figures(sections: &[Section<'_>]) -> Result<Files, ReportError> {
    let all: Vec<&Figure> = sections.iter().flat_map(|section| section.figures.all()).collect();
    let pngs: Vec<Vec<u8>> = all.par_iter().map(|figure| figure.png()).collect::<Result<_, _>>()?;
    let mut files = Files::new();
    for (figure, png) in all.iter().zip(pngs) {
        files.push((format!("{}.png", figure.name), png));
        files.push((format!("{}.svg", figure.name), figure.svg().into()));
    }
    for picture in sections.iter().flat_map(|section| &section.pictures) {
        files.push((format!("{}.png", picture.name), picture.png.clone()));
    }
    Ok(files)
}

/// Each table twice: exact values, and a float for a document.
fn tables(sections: &[Section<'_>]) -> Result<Files, ReportError> {
    let mut files = Vec::new();
    for table in sections.iter().flat_map(|section| section.tables.all()) {
        let name = |ending: &str| format!("tables/{}.{ending}", table.name);
        files.push((name("csv"), csv::bytes(table)?));
        files.push((name("tex"), latex::float(table).into_bytes()));
    }
    Ok(files)
}

/// What `report --json` prints.
fn json(sections: &[Section<'_>]) -> Result<Vec<u8>, ReportError> {
    let of_section =
        |section: &Section<'_>| Findings::of(&section.groups, section.comparisons.clone(), section.effects.clone());
    let findings: Vec<Findings> = sections.iter().map(of_section).collect();
    let mut text = serde_json::to_vec_pretty(&findings).map_err(std::io::Error::from)?;
    text.push(b'\n');
    Ok(text)
}

/// What an older report may have left: folder, endings and beginnings of names, without the protocol's number.
const OURS: [(&str, &[&str], &[&str]); 2] = [
    (
        "",
        &[".png", ".svg"],
        &[
            "bars-",
            "forest",
            "gradients-",
            "history",
            "interaction",
            "levels",
            "loss-",
            "maps-",
            "parallel",
            "pareto",
            "pro-",
            "roc-",
            "rules",
            "scores-",
            "shapes",
            "slices",
            "stability",
            "weights-",
        ],
    ),
    (
        "tables/",
        &[".csv", ".tex"],
        &["results-", "comparisons.", "objective.", "effects.", "effects-", "epochs.", "published.", "costs."],
    ),
];

/// Removes figures and tables that this report does not have: only files that carry the names of ours.
fn remove_stale(out: &Path, files: &[(String, Vec<u8>)]) {
    for (folder, endings, beginnings) in OURS {
        for entry in std::fs::read_dir(out.join(folder)).into_iter().flatten().filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let numbered = name.strip_prefix("protocol-").and_then(|rest| rest.split_once('-'));
            let bare = numbered.map_or(name.as_str(), |(_, rest)| rest);
            let ours = endings.iter().any(|ending| bare.ends_with(ending))
                && beginnings.iter().any(|beginning| bare.starts_with(beginning));
            if ours && files.iter().all(|(known, _)| *known != format!("{folder}{name}")) {
                // What stays is only a file too many.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}
