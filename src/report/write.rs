//! Draws everything, then writes it: an old report stays whole until the new one is.

use std::path::{Path, PathBuf};

use super::comparison::comparisons;
use super::effects::{Effects, effects};
use super::figure::Figure;
use super::figures::{contour, forest, history, parallel, pareto, selection, shapes, slices, stability};
use super::grouping::{Groups, Ranking, groups};
use super::page::{Figures, Section, page};
use super::verdict::Verdict;
use super::{ReportError, Rows, bars, learning, pictures, published};
use crate::store::Artifacts;

/// Writes `index.html` and the PNG files; returns the page's path.
pub fn write(rows: &Rows, artifacts: &Artifacts, ranking: Ranking, out: &Path) -> Result<PathBuf, ReportError> {
    let all = groups(rows, ranking);
    let many = all.len() > 1;
    let mut sections = Vec::new();
    for (index, groups) in all.into_iter().enumerate() {
        let prefix = if many { format!("protocol-{}-", index + 1) } else { String::new() };
        let (pictures, notes) = pictures::pictures(rows, &groups, artifacts, &prefix)?;
        let (comparisons, effects) = (comparisons(rows, &groups, artifacts), effects(&groups));
        sections.push(Section {
            published: published::block(rows, &groups)?,
            figures: figures(rows, &groups, &comparisons, &effects, &prefix)?,
            comparisons,
            effects,
            pictures,
            notes,
            groups,
        });
    }
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for section in &sections {
        for figure in section.figures.all() {
            files.push((format!("{}.png", figure.name), figure.png()?));
            files.push((format!("{}.svg", figure.name), figure.svg().into()));
        }
        files.extend(section.pictures.iter().map(|picture| (format!("{}.png", picture.name), picture.png.clone())));
    }
    // The page last: whoever opens it finds its figures beside it.
    files.push(("index.html".to_owned(), page(rows, &sections).into_bytes()));
    std::fs::create_dir_all(out).map_err(|source| ReportError::Write { path: out.to_owned(), source })?;
    for (name, bytes) in &files {
        put(&out.join(name), bytes)?;
    }
    remove_stale(out, &files);
    Ok(out.join("index.html"))
}

/// Everything that is drawn from numbers.
fn figures(
    rows: &Rows,
    groups: &Groups<'_>,
    comparisons: &[Verdict],
    effects: &[Effects],
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
        cost: pareto::front(rows, groups, prefix)?.into_iter().collect(),
    })
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let temporary = path.with_extension("tmp");
    std::fs::write(&temporary, bytes)
        .and_then(|()| std::fs::rename(&temporary, path))
        .map_err(|source| ReportError::Write { path: path.to_owned(), source })
}

/// How names of figures and pictures begin.
const OURS: [&str; 15] = [
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
    "rules",
    "shapes",
    "slices",
    "stability",
    "weights-",
];

/// Figures of an older report that this one does not have: only files that carry the names of ours.
fn remove_stale(out: &Path, files: &[(String, Vec<u8>)]) {
    let ours = |name: &str| {
        let name = name.strip_prefix("protocol-").and_then(|rest| rest.split_once('-')).map_or(name, |(_, rest)| rest);
        name.rsplit_once('.').is_some_and(|(stem, ending)| {
            ["png", "svg"].contains(&ending) && OURS.iter().any(|start| stem.starts_with(start))
        })
    };
    for entry in std::fs::read_dir(out).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if ours(&name) && files.iter().all(|(known, _)| *known != name) {
            // What stays is only a picture too many.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
