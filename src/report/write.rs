//! Draws everything, then writes it: an old report stays whole until the new one is.

use std::path::{Path, PathBuf};

use super::comparison::comparisons;
use super::grouping::groups;
use super::page::{Section, page};
use super::{ReportError, Rows, bars, learning, pictures, published};
use crate::store::Artifacts;

/// Writes `index.html` and the PNG files; returns the page's path.
pub fn write(rows: &Rows, artifacts: &Artifacts, out: &Path) -> Result<PathBuf, ReportError> {
    let all = groups(rows);
    let many = all.len() > 1;
    let mut sections = Vec::new();
    for (index, groups) in all.into_iter().enumerate() {
        let prefix = if many { format!("protocol-{}-", index + 1) } else { String::new() };
        let (pictures, notes) = pictures::pictures(rows, &groups, artifacts, &prefix)?;
        sections.push(Section {
            comparisons: comparisons(&groups),
            published: published::block(rows, &groups)?,
            bars: bars::bars(&groups, &prefix)?,
            learning: learning::learning(rows, &groups, &prefix)?,
            pictures,
            notes,
            groups,
        });
    }
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for section in &sections {
        for figure in section.bars.iter().chain(&section.learning) {
            files.push((format!("{}.png", figure.name), figure.png()?));
        }
        files.extend(section.pictures.iter().map(|picture| (format!("{}.png", picture.name), picture.png.clone())));
    }
    // The page last: whoever opens it finds its figures beside it.
    files.push(("index.html".to_owned(), page(rows, &sections).into_bytes()));
    std::fs::create_dir_all(out).map_err(|source| ReportError::Write { path: out.to_owned(), source })?;
    for (name, bytes) in &files {
        put(&out.join(name), bytes)?;
    }
    Ok(out.join("index.html"))
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let temporary = path.with_extension("tmp");
    std::fs::write(&temporary, bytes)
        .and_then(|()| std::fs::rename(&temporary, path))
        .map_err(|source| ReportError::Write { path: path.to_owned(), source })
}
