//! The figures of every category.

use std::collections::BTreeSet;

use super::rates::{RATES, rates};
use super::runs::{RunCurves, finished_runs};
use super::scores::scores;
use crate::report::figure::{Figure, left_out};
use crate::report::grouping::Groups;
use crate::report::protocol::Protocol;
use crate::report::{ReportError, Rows};
use crate::store::Artifacts;

/// The curves of every category that has any; `prefix` begins their names.
pub(in crate::report) fn curves(
    rows: &Rows,
    groups: &Groups<'_>,
    artifacts: &Artifacts,
    prefix: &str,
) -> Result<Vec<Figure>, ReportError> {
    let mut figures = Vec::new();
    for (category, protocol) in &groups.categories {
        let runs = finished_runs(rows, groups, artifacts, category);
        let subject = Subject { groups, category, population: population(groups, protocol, &runs), prefix };
        for rate in &RATES {
            figures.extend(rates(&subject, rate, &runs)?);
        }
        figures.extend(scores(&subject, &runs)?);
    }
    Ok(figures)
}

/// What the figures of a category have in common.
pub(super) struct Subject<'a> {
    pub groups: &'a Groups<'a>,
    pub category: &'a str,
    /// What is drawn, of what.
    pub population: String,
    /// Begins the names of files.
    pub prefix: &'a str,
}

/// "6 runs (seeds 0, 1, 2); 28 training images; test: 6 good, 17 colour; 256×256 px, pillow-bilinear resize".
fn population(groups: &Groups<'_>, protocol: &Protocol, runs: &[RunCurves]) -> String {
    let seeds: BTreeSet<i64> = runs.iter().map(|run| run.seed).collect();
    let seeds: Vec<String> = seeds.iter().map(i64::to_string).collect();
    let size = protocol.facts().into_iter().find(|(name, _)| *name == "image size");
    let size = size.map(|(_, value)| format!("; {value}")).unwrap_or_default();
    let (count, images) = (runs.len(), protocol.images());
    format!("{count} runs (seeds {}); {images}{size}{}", seeds.join(", "), left_out(groups.variants.len()))
}
