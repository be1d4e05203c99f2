//! The objective of a search.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::evaluate::metrics::{Metric, PSEUDO_PIXEL_AUROC, Population};
use crate::settings::{DefaultValue, Field, NamedValue};

/// The objective of a search: it maximises the mean of a metric over the categories and seeds of a trial. Text and JSON use the name in
/// the sweep file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objective(Metric);

impl Objective {
    /// Pixel AUROC on held-out normal images with painted defects: no label, no test image.
    pub const PSEUDO: Self = Self(PSEUDO_PIXEL_AUROC);

    /// Returns all objectives, those without test images first.
    pub fn all() -> impl Iterator<Item = Self> {
        let on = |population| Metric::on(population).filter(|metric| metric.objective).map(Self);
        on(Population::Painted).chain(on(Population::Test))
    }

    /// Returns the metric that is averaged. It is measured at the selected epoch.
    pub fn metric(self) -> Metric {
        self.0
    }

    /// Returns whether it is measured on the test images, which makes it an oracle. Oracles are always marked.
    pub fn is_on_test(self) -> bool {
        self.0.population == Population::Test
    }

    /// Reads the objective, if the file names one.
    pub(super) fn read(field: Field<'_>) -> Option<Self> {
        let values = || Self::all().map(|objective| (objective.documented(), objective)).collect();
        let default = DefaultValue::Described("`pseudo_pixel_auroc` with `tpe`, a pruner, or a choice of trials");
        let given = field.is_given();
        let objective = field.one_of(values, default);
        given.then(|| objective.unwrap_or(Self::PSEUDO))
    }

    /// Returns the name in the sweep file with the metric's description.
    fn documented(self) -> NamedValue {
        let mark = if self.is_on_test() { "; measured on the test images, so always marked as oracle" } else { "" };
        NamedValue { name: self.to_string().into(), about: format!("{}{mark}", self.0.description) }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_on_test() { "test_" } else { "" }, self.0)
    }
}

impl Serialize for Objective {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Objective {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let objective = Self::all().find(|objective| objective.to_string() == name);
        objective.ok_or_else(|| de::Error::custom(format!("there is no objective `{name}`")))
    }
}
