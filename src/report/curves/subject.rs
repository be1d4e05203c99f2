//! The runs that one category's figures show.

use std::collections::BTreeSet;

use super::runs::RunCurves;
use crate::analysis::{Groups, Protocol};
use crate::report::figure::left_out;

/// Data that all figures of a category share.
pub(super) struct Subject<'a> {
    pub groups: &'a Groups<'a>,
    pub category: &'a str,
    /// Describes the runs and images behind the figure.
    pub population: String,
    /// Start of the file names.
    pub prefix: &'a str,
}

impl<'a> Subject<'a> {
    pub(super) fn of(
        groups: &'a Groups<'a>,
        (category, protocol): (&'a str, &Protocol),
        runs: &[RunCurves],
        prefix: &'a str,
    ) -> Self {
        Self { groups, category, population: population(groups, protocol, runs), prefix }
    }
}

/// Describes the runs and images: "6 runs (seeds 0, 1, 2); 28 training images; test: 6 good, 17 colour; 256×256 px, pillow-bilinear
/// resize".
fn population(groups: &Groups<'_>, protocol: &Protocol, runs: &[RunCurves]) -> String {
    let seeds: BTreeSet<i64> = runs.iter().map(|run| run.seed).collect();
    let seeds: Vec<String> = seeds.iter().map(i64::to_string).collect();
    let size = protocol.facts().into_iter().find(|(name, _)| *name == "image size");
    let size = size.map(|(_, value)| format!("; {value}")).unwrap_or_default();
    let (count, images) = (runs.len(), protocol.images());
    format!("{count} runs (seeds {}); {images}{size}{}", seeds.join(", "), left_out(groups.variants.len()))
}
