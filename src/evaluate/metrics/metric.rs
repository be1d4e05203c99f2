//! What is registered of a metric, and the handle that stands for it.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Pixels, REGISTERED, Resampling, Scored, Sweep, Thresholded, Undefined};
use crate::evaluate::Measured;

/// Everything that the program knows of one metric.
#[derive(Debug)]
pub struct Definition {
    /// The name in the store, in sweep files and on the command line.
    pub name: &'static str,
    /// The name for people.
    pub label: &'static str,
    /// What it says, in one line.
    pub description: &'static str,
    /// Which of two values is better.
    pub direction: Direction,
    /// The images that it is measured on.
    pub population: Population,
    /// How it is computed, and from what.
    pub source: Source,
    /// How it is computed on test images that were drawn anew.
    pub resampling: Resampling,
    /// Whether a search can maximise it.
    pub objective: bool,
    /// Whether it is also measured for each kind of defect, beside all normal images.
    pub of_each_kind: bool,
}

/// Which of two values is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The higher one.
    Higher,
    /// The lower one.
    Lower,
}

/// The images that a metric is measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Population {
    /// The test images.
    Test,
    /// The held-out normal images, with and without painted defects.
    Painted,
}

/// What a metric is computed from, and how.
#[derive(Debug)]
pub enum Source {
    /// From the images' scores.
    Images(fn(&Sweep) -> Result<f64, Undefined>),
    /// From the images' scores and the threshold that the held-out normals set.
    Threshold(fn(&Thresholded<'_>) -> Result<f64, Undefined>),
    /// From the scores of all pixels together.
    Pixels(fn(&Sweep) -> Result<f64, Undefined>),
    /// From the maps and masks of each image.
    Maps(fn(&Pixels<'_>) -> Measured),
}

/// Whether a metric judges images or pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Whether an image is defective.
    Image,
    /// Which pixels are; it needs masks.
    Pixel,
}

/// A registered metric; it is written and read by its name.
#[derive(Clone, Copy)]
pub struct Metric(&'static Definition);

/// No metric has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no metric `{0}`")]
pub struct UnknownMetric(pub String);

impl Metric {
    /// What is said of a metric, to be registered.
    pub(super) const fn new(definition: &'static Definition) -> Self {
        Self(definition)
    }

    /// Every metric, in the order in which lists show them.
    pub fn all() -> impl Iterator<Item = Self> {
        REGISTERED.iter().copied()
    }

    /// The metrics that are measured on these images.
    pub fn on(population: Population) -> impl Iterator<Item = Self> {
        Self::all().filter(move |metric| metric.population == population)
    }

    /// The metric of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|metric| metric.name == name)
    }

    /// How it is computed on test images that were drawn anew.
    pub fn resampling(self) -> &'static Resampling {
        &self.0.resampling
    }

    /// Measures it; a number that is undefined has its reason.
    pub fn measure(self, scored: &Scored<'_>) -> Measured {
        let pixels = || scored.pixels.as_ref().map_err(|why| *why);
        match self.source {
            Source::Images(value) => Measured::of(value(&scored.images)),
            Source::Threshold(value) => Measured::of(scored.threshold.as_ref().map_err(|why| *why).and_then(value)),
            Source::Pixels(value) => Measured::of(pixels().and_then(|pixels| value(&pixels.sweep))),
            Source::Maps(value) => pixels().map_or_else(|why| Measured::of(Err(why)), value),
        }
    }
}

impl Definition {
    /// Whether it judges images or pixels.
    pub fn scope(&self) -> Scope {
        match self.source {
            Source::Images(_) | Source::Threshold(_) => Scope::Image,
            Source::Pixels(_) | Source::Maps(_) => Scope::Pixel,
        }
    }
}

impl Direction {
    /// A difference of two values as a gain: above 0 where the first is better.
    pub fn gain(self, difference: f64) -> f64 {
        match self {
            Self::Higher => difference,
            Self::Lower => -difference,
        }
    }

    /// The better value first.
    pub fn rank(self, one: f64, other: f64) -> Ordering {
        self.gain(other).total_cmp(&self.gain(one))
    }

    /// What the best value is called.
    pub fn best(self) -> &'static str {
        match self {
            Self::Higher => "highest",
            Self::Lower => "lowest",
        }
    }
}

impl Deref for Metric {
    type Target = Definition;

    fn deref(&self) -> &Definition {
        self.0
    }
}

impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Metric {}

impl PartialOrd for Metric {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Metric {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(other.name)
    }
}

impl Hash for Metric {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(name: &str) -> Result<Self, UnknownMetric> {
        Self::named(name).ok_or_else(|| UnknownMetric(name.to_owned()))
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
