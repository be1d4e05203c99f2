//! Draws everything, then writes it: an old report stays whole until the new one is.

use std::path::{Path, PathBuf};

use super::comparison::comparisons;
use super::effects::effects;
use super::grouping::{Ranking, groups};
use super::page::{Section, page};
use super::{ReportError, Rows, bars, curves, learning, pictures, published};
use crate::store::Artifacts;

/// How the names of figures begin.
const KINDS: [&str; 8] = ["bars-", "roc-", "pro-", "scores-", "loss-", "weights-", "gradients-", "maps-"];

/// Writes `index.html` and the PNG files; returns the page's path.
pub fn write(rows: &Rows, artifacts: &Artifacts, ranking: Ranking, out: &Path) -> Result<PathBuf, ReportError> {
    let all = groups(rows, ranking);
    let many = all.len() > 1;
    let mut sections = Vec::new();
    for (index, groups) in all.into_iter().enumerate() {
        let prefix = if many { format!("protocol-{}-", index + 1) } else { String::new() };
        let (pictures, notes) = pictures::pictures(rows, &groups, artifacts, &prefix)?;
        sections.push(Section {
            comparisons: comparisons(rows, &groups, artifacts),
            effects: effects(&groups),
            published: published::block(rows, &groups)?,
            bars: bars::bars(&groups, &prefix)?,
            curves: curves::curves(rows, &groups, artifacts, &prefix)?,
            learning: learning::learning(rows, &groups, &prefix)?,
            pictures,
            notes,
            groups,
        });
    }
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for section in &sections {
        for figure in section.bars.iter().chain(&section.curves).chain(&section.learning) {
            files.push((format!("{}.png", figure.name), figure.png()?));
        }
        files.extend(section.pictures.iter().map(|picture| (format!("{}.png", picture.name), picture.print.clone())));
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

/// Writes a file that appears whole or not at all.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let temporary = path.with_extension("tmp");
    std::fs::write(&temporary, bytes)
        .and_then(|()| std::fs::rename(&temporary, path))
        .map_err(|source| ReportError::Write { path: path.to_owned(), source })
}

/// Figures of an older report that this one does not have: only files that carry the names of ours.
fn remove_stale(out: &Path, files: &[(String, Vec<u8>)]) {
    let ours = |name: &str| {
        let name = name.strip_prefix("protocol-").and_then(|rest| rest.split_once('-')).map_or(name, |(_, rest)| rest);
        name.ends_with(".png") && KINDS.iter().any(|kind| name.starts_with(kind))
    };
    for entry in std::fs::read_dir(out).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if ours(&name) && files.iter().all(|(known, _)| *known != name) {
            // What stays is only a picture too many.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
