//! The runs that one category's figures show.

use std::collections::BTreeSet;

use super::runs::RunCurves;
use crate::analysis::{Groups, Protocol};
use crate::report::figure::FigureTexts;
use crate::text::counted;

/// Data that all figures of a category share.
pub(super) struct Subject<'a> {
    pub groups: &'a Groups<'a>,
    pub category: &'a str,
    /// The protocol of the category.
    pub protocol: &'a Protocol,
    /// Start of the file names.
    pub prefix: &'a str,
}

impl Subject<'_> {
    /// Returns the texts of a figure that draws these runs.
    pub(super) fn texts<'r>(
        &self,
        name: &str,
        description: &str,
        caption: &str,
        drawn: impl Iterator<Item = &'r RunCurves>,
    ) -> FigureTexts {
        let drawn: Vec<&RunCurves> = drawn.collect();
        let seeds: BTreeSet<i64> = drawn.iter().map(|run| run.seed).collect();
        let variants: BTreeSet<usize> = drawn.iter().map(|run| run.variant).collect();
        let counts = format!("{} of {}", counted(drawn.len(), "run"), counted(variants.len(), "variant"));
        let images = self.protocol.images();
        FigureTexts {
            name: format!("{}{name}-{}", self.prefix, self.category),
            description: self.groups.marked(description),
            caption: format!("{caption} It draws {counts}, with {}.", counted(seeds.len(), "seed")),
            population: format!("n = {counts}, {}; {images}", counted(seeds.len(), "seed")),
        }
    }
}
