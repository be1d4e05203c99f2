//! The name in the store of a number of a run.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::metrics::{Direction, Metric};
use crate::names::named_enum;

/// Identifies a number of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ResultName {
    /// A metric.
    Metric(Metric),
    /// A metric on one kind of defect together with all normal images.
    OfKind(Metric, String),
    /// A metric on the test images under one lighting.
    UnderLighting(Metric, String),
    /// A number that is not a measured result.
    Fact(Fact),
    /// A number that this version does not recognise.
    Unknown(String),
}

named_enum! {
    /// A number of a run that is not a measured result.
    pub enum Fact {
        /// Epoch of the weights, from 1.
        Epoch = "epoch",
        /// Number of trained values of student and auto-encoders.
        Parameters = "parameters",
        /// Forward floating-point operations per image.
        Flops = "flops",
    }
}

impl ResultName {
    /// Returns the metric, if the number is one over all defects.
    pub fn metric(&self) -> Option<Metric> {
        match self {
            Self::Metric(metric) => Some(*metric),
            Self::OfKind(..) | Self::UnderLighting(..) | Self::Fact(_) | Self::Unknown(_) => None,
        }
    }

    /// Returns the direction in which values are better; `None` if neither direction is.
    pub fn direction(&self) -> Option<Direction> {
        match self {
            Self::Metric(metric) | Self::OfKind(metric, _) | Self::UnderLighting(metric, _) => Some(metric.direction),
            Self::Fact(_) | Self::Unknown(_) => None,
        }
    }

    /// Returns the name without the images that it is restricted to, and these images: a mark and a name.
    fn parts(&self) -> (&str, Option<(char, &str)>) {
        match self {
            Self::Metric(metric) => (metric.name, None),
            Self::OfKind(metric, kind) => (metric.name, Some((':', kind))),
            Self::UnderLighting(metric, lighting) => (metric.name, Some(('@', lighting))),
            Self::Fact(fact) => (fact.name(), None),
            Self::Unknown(name) => (name, None),
        }
    }
}

impl From<Metric> for ResultName {
    fn from(metric: Metric) -> Self {
        Self::Metric(metric)
    }
}

impl From<Fact> for ResultName {
    fn from(fact: Fact) -> Self {
        Self::Fact(fact)
    }
}

impl PartialEq<Metric> for ResultName {
    fn eq(&self, other: &Metric) -> bool {
        matches!(self, Self::Metric(metric) if metric == other)
    }
}

/// A metric on the test images under one lighting, to be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lit<'l>(pub Metric, pub &'l str);

impl PartialEq<Lit<'_>> for ResultName {
    fn eq(&self, Lit(metric, lighting): &Lit<'_>) -> bool {
        matches!(self, Self::UnderLighting(known, name) if known == metric && name == lighting)
    }
}

/// A metric on one kind of defect, to be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfKind<'k>(pub Metric, pub &'k str);

impl PartialEq<OfKind<'_>> for ResultName {
    fn eq(&self, OfKind(metric, kind): &OfKind<'_>) -> bool {
        matches!(self, Self::OfKind(known, name) if known == metric && name == kind)
    }
}

impl PartialEq<Fact> for ResultName {
    fn eq(&self, other: &Fact) -> bool {
        matches!(self, Self::Fact(fact) if fact == other)
    }
}

/// Orders by name; kinds of defects and lighting follow their metric.
impl Ord for ResultName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl PartialOrd for ResultName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ResultName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (name, None) => f.write_str(name),
            (name, Some((mark, images))) => write!(f, "{name}{mark}{images}"),
        }
    }
}

impl From<&str> for ResultName {
    fn from(name: &str) -> Self {
        let restricted = || {
            let at = name.find([':', '@'])?;
            let (metric, images) = (Metric::named(&name[..at])?, name[at + 1..].to_owned());
            Some(if name[at..].starts_with(':') {
                Self::OfKind(metric, images)
            } else {
                Self::UnderLighting(metric, images)
            })
        };
        let known = Metric::named(name).map(Self::Metric).or_else(|| Fact::named(name).map(Self::Fact));
        known.or_else(restricted).unwrap_or_else(|| Self::Unknown(name.to_owned()))
    }
}

impl Serialize for ResultName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ResultName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(String::deserialize(deserializer)?.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::metrics::IMAGE_AUROC;

    #[test]
    fn names_come_back_and_keep_their_order() {
        let names = [
            "epoch",
            "flops",
            "image_ap",
            "image_auroc",
            "image_auroc:cut",
            "image_auroc:hole",
            "image_auroc@shift_1",
            "image_f1max",
            "zeal",
            "zeal:cut",
        ];
        let read: Vec<ResultName> = names.map(ResultName::from).to_vec();
        assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), names);
        assert!(read.is_sorted());
        assert_eq!(read[3], IMAGE_AUROC);
        assert_eq!(read[4], ResultName::OfKind(IMAGE_AUROC, "cut".into()));
        assert!(read[6] == Lit(IMAGE_AUROC, "shift_1") && read[4] != Lit(IMAGE_AUROC, "cut"));
        assert_eq!((&read[0], &read[9]), (&ResultName::Fact(Fact::Epoch), &ResultName::Unknown("zeal:cut".into())));
    }
}
