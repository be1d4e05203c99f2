//! What the search was guided by, and what a reader must know for that: whether numbers are selected on test.

use super::words::Remark;
use crate::plan::Objective;
use crate::store::SweepRow;

/// What the search of a sweep maximised.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Guidance(Option<Objective>);

impl Guidance {
    /// Read back from the sweep's resolved settings; older stores do not speak of an objective.
    pub(super) fn of(sweep: &SweepRow) -> Self {
        let resolved: serde_json::Value = serde_json::from_str(&sweep.resolved).unwrap_or_default();
        let objective = resolved.get("search").and_then(|search| search.get("objective")).cloned();
        Self(objective.and_then(|objective| serde_json::from_value(objective).ok()).unwrap_or_default())
    }

    /// What every table and figure carries where the search saw the test images.
    pub(super) fn mark(&self) -> Option<&'static str> {
        matches!(self.0, Some(Objective::Test(_))).then_some("selected on test")
    }

    /// What guided the search, in words; none where nothing did.
    pub(super) fn words(&self) -> Option<Remark> {
        Some(match self.0.as_ref()? {
            Objective::PseudoPixelAuroc => Remark {
                lead: None,
                text: "The search was guided by pixel AUROC on held-out normal images with defects that didact painted on them \
                       (pseudo_pixel_auroc): no label and no test image had a part in it."
                    .to_owned(),
            },
            Objective::Test(result) => Remark {
                lead: Some("Selected on test."),
                text: format!(
                    "The search was guided by {result} on the test images themselves: what it found best is an oracle, its numbers are \
                     better than new images would give, and every table and figure here is marked so."
                ),
            },
        })
    }

    /// What the search maximised, if anything.
    pub(super) fn objective(&self) -> Option<&Objective> {
        self.0.as_ref()
    }
}
