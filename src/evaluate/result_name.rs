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
            Self::OfKind(..) | Self::Fact(_) | Self::Unknown(_) => None,
        }
    }

    /// Returns the direction in which values are better; `None` if neither direction is.
    pub fn direction(&self) -> Option<Direction> {
        match self {
            Self::Metric(metric) | Self::OfKind(metric, _) => Some(metric.direction),
            Self::Fact(_) | Self::Unknown(_) => None,
        }
    }

    /// Returns the name without the kind of defect, and that kind.
    fn parts(&self) -> (&str, Option<&str>) {
        match self {
            Self::Metric(metric) => (metric.name, None),
            Self::OfKind(metric, kind) => (metric.name, Some(kind)),
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

impl PartialEq<Fact> for ResultName {
    fn eq(&self, other: &Fact) -> bool {
        matches!(self, Self::Fact(fact) if fact == other)
    }
}

/// Orders by name; kinds of defects follow their metric.
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
            (name, Some(kind)) => write!(f, "{name}:{kind}"),
        }
    }
}

impl From<&str> for ResultName {
    fn from(name: &str) -> Self {
        let of_kind = || {
            let (metric, kind) = name.split_once(':')?;
            Some(Self::OfKind(Metric::named(metric)?, kind.to_owned()))
        };
        let known = Metric::named(name).map(Self::Metric).or_else(|| Fact::named(name).map(Self::Fact));
        known.or_else(of_kind).unwrap_or_else(|| Self::Unknown(name.to_owned()))
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
            "image_f1max",
            "zeal",
            "zeal:cut",
        ];
        let read: Vec<ResultName> = names.map(ResultName::from).to_vec();
        assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), names);
        assert!(read.is_sorted());
        assert_eq!(read[3], IMAGE_AUROC);
        assert_eq!(read[4], ResultName::OfKind(IMAGE_AUROC, "cut".into()));
        assert_eq!((&read[0], &read[8]), (&ResultName::Fact(Fact::Epoch), &ResultName::Unknown("zeal:cut".into())));
    }
}
