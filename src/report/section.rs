//! One protocol's part of a report, computed and drawn before it is written in any format.

use super::figures::Figures;
use super::gallery::Gallery;
use super::pictures::Picture;
use super::recipe::recipe_remark;
use super::tables::Tables;
use super::words::Remark;
use super::{banners, words};
use crate::analysis::{ByCategory, Costs, Groups, Tuned, Verdict};

/// One protocol's part of a report.
pub(super) struct Section<'r> {
    /// Start of the names of its files and anchors; empty if there is only one protocol.
    pub prefix: String,
    pub groups: &'r Groups<'r>,
    /// The runs that only compare chosen trials.
    pub judging: Option<&'r Groups<'r>>,
    /// Costs of the variants.
    pub costs: Vec<Costs>,
    pub comparisons: &'r [Verdict],
    /// Comparisons in each category.
    pub categories: Vec<ByCategory>,
    /// The chosen trials, if the sweep chooses any.
    pub tuned: Option<&'r Tuned>,
    /// Verdicts on the chosen trials, from a fixed number of seeds.
    pub confirmed: &'r [Verdict],
    pub tables: Tables,
    pub figures: Figures,
    pub pictures: Vec<Picture>,
    /// One test image, its maps by the best variant and by ST-FPM.
    pub article: Option<Picture>,
    pub gallery: Gallery,
    /// What could not be drawn, and why.
    pub notes: Vec<String>,
}

impl Section<'_> {
    /// Returns the remarks that a reader must know before the numbers.
    pub(super) fn remarks(&self) -> Vec<Remark> {
        let across = words::across(self.groups).into_iter();
        across.chain(recipe_remark(self.groups)).chain(banners::objective(self.groups)).collect()
    }
}
