//! What a search maximises.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::evaluate::metrics::{Metric, PSEUDO_PIXEL_AUROC, Population};
use crate::settings::{Field, NamedValue, Usual};

/// What a search maximises: the mean of a metric over the categories and seeds of a trial. It is written as in a sweep file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objective(Metric);

impl Objective {
    /// Pixel AUROC on held-out normal images with painted defects: no label, no test image.
    pub const PSEUDO: Self = Self(PSEUDO_PIXEL_AUROC);

    /// All of them: those without test images first.
    pub fn all() -> impl Iterator<Item = Self> {
        let on = |population| Metric::on(population).filter(|metric| metric.objective).map(Self);
        on(Population::Painted).chain(on(Population::Test))
    }

    /// The metric that is averaged, of the selected epoch.
    pub fn metric(self) -> Metric {
        self.0
    }

    /// Whether it is measured on the test images: an oracle, always marked as such.
    pub fn is_on_test(self) -> bool {
        self.0.population == Population::Test
    }

    /// Reads the objective; none where the file names none.
    pub(super) fn read(field: Field<'_>) -> Option<Self> {
        let values = || Self::all().map(|objective| (objective.documented(), objective)).collect();
        let usual = Usual::Words("`pseudo_pixel_auroc` with `tpe` or a pruner");
        let given = field.is_given();
        let objective = field.one_of(values, usual);
        given.then(|| objective.unwrap_or(Self::PSEUDO))
    }

    /// Its name in the sweep file with the metric's description.
    fn documented(self) -> NamedValue {
        let mark = if self.is_on_test() { " Measured on the test images: an oracle, always marked." } else { "" };
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
