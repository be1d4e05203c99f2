//! The curve figures of every category.

use super::rates::{RATES, rates};
use super::runs::finished_runs;
use super::scores::scores;
use super::subject::Subject;
use crate::analysis::{Groups, Rows};
use crate::report::error::ReportError;
use crate::report::figure::Figure;
use crate::report::figures::{FigureChapter, FigureKind};
use crate::store::Artifacts;

/// The curves of every category that has any. Figure names start with `prefix`.
pub(in crate::report) const KIND: FigureKind = FigureKind {
    chapter: FigureChapter::Curves,
    draw: |source| curves(source.rows, source.groups, source.artifacts, source.prefix),
};

fn curves(rows: &Rows, groups: &Groups<'_>, artifacts: &Artifacts, prefix: &str) -> Result<Vec<Figure>, ReportError> {
    let mut figures = Vec::new();
    for (category, protocol) in &groups.categories {
        let runs = finished_runs(rows, groups, artifacts, category);
        let subject = Subject { groups, category, protocol, prefix };
        for rate in &RATES {
            figures.extend(rates(&subject, rate, &runs)?);
        }
        figures.extend(scores(&subject, &runs)?);
    }
    Ok(figures)
}
