//! Registered facts of a metric, and the handle that represents it.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Pixels, REGISTERED, Resampling, SaturatedDefects, Scored, Segmented, Sweep, Thresholded, Undefined};
use crate::evaluate::Measured;
use crate::statistics::Range;

/// All facts that the program knows about one metric.
#[derive(Debug)]
pub struct Definition {
    /// Name in the store, in sweep files and on the command line.
    pub name: &'static str,
    /// Name for readers.
    pub label: &'static str,
    /// Meaning of the metric, in one line.
    pub description: &'static str,
    /// Direction in which values are better.
    pub direction: Direction,
    /// Possible values.
    pub range: Range,
    /// Images on which it is measured.
    pub population: Population,
    /// Function that computes it, and the input of that function.
    pub source: MetricSource,
    /// Method for resampled test images.
    pub resampling: Resampling,
    /// Whether a search can maximise it.
    pub objective: bool,
    /// Whether it is also measured per kind of defect, each together with all normal images.
    pub per_defect_kind: bool,
}

/// Direction in which values are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Higher values are better.
    Higher,
    /// Lower values are better.
    Lower,
}

/// The images on which a metric is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Population {
    /// The test images.
    Test,
    /// The held-out normal images, with and without painted defects.
    Painted,
}

/// Input of a metric, with the function that computes it.
#[derive(Debug)]
pub enum MetricSource {
    /// Scores of the images.
    Images(fn(&Sweep) -> Result<f64, Undefined>),
    /// Scores of the images, and the threshold that the held-out normals set.
    Threshold(fn(&Thresholded<'_>) -> Result<f64, Undefined>),
    /// Maps cut at the threshold that the pixels of the held-out normals set, and the labels of the images.
    Segmented(fn(&Segmented<'_>) -> Result<f64, Undefined>),
    /// Scores of all pixels together.
    Pixels(fn(&Sweep) -> Result<f64, Undefined>),
    /// Scores of all pixels together, and the threshold that the pixels of the held-out normals set.
    PixelThreshold(fn(&Sweep, f64) -> Result<f64, Undefined>),
    /// Maps and masks of each image.
    Maps(fn(&Pixels<'_>) -> Measured),
    /// Scores of all pixels together, and the defects with their saturation areas.
    Saturated(fn(&Sweep, &SaturatedDefects<'_>) -> Measured),
    /// The mean of other metrics, which are measured on the same images.
    Mean(&'static [Metric]),
}

/// Whether a metric judges images or pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// It judges whether an image is defective.
    Image,
    /// It judges which pixels are defective; this needs masks.
    Pixel,
}

/// A registered metric, serialised as its name.
#[derive(Clone, Copy)]
pub struct Metric(&'static Definition);

/// No metric has the given name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no metric `{0}`")]
pub struct UnknownMetric(pub String);

impl Metric {
    /// Creates a metric to register from its definition.
    pub(super) const fn new(definition: &'static Definition) -> Self {
        Self(definition)
    }

    /// Returns every metric, in the order of lists.
    pub fn all() -> impl Iterator<Item = Self> {
        REGISTERED.iter().copied()
    }

    /// Returns the metrics that are measured on these images.
    pub fn on(population: Population) -> impl Iterator<Item = Self> {
        Self::all().filter(move |metric| metric.population == population)
    }

    /// Returns the metric with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|metric| metric.name == name)
    }

    /// Returns the method that computes it on resampled test images.
    pub fn resampling(self) -> &'static Resampling {
        &self.0.resampling
    }

    /// Measures the metrics in their order. A mean takes the values of the metrics before it, so that nothing is measured twice.
    pub fn measure_all(metrics: impl IntoIterator<Item = Self>, scored: &Scored<'_>) -> Vec<(Self, Measured)> {
        let mut all: Vec<(Self, Measured)> = Vec::new();
        for metric in metrics {
            let measured = metric.measure_after(scored, &all);
            all.push((metric, measured));
        }
        all
    }

    /// Measures the metric; an undefined number has a reason.
    pub fn measure(self, scored: &Scored<'_>) -> Measured {
        self.measure_after(scored, &[])
    }

    /// Measures the metric, when these metrics are measured already.
    fn measure_after(self, scored: &Scored<'_>, known: &[(Self, Measured)]) -> Measured {
        let pixels = || scored.pixels.as_ref().map_err(|undefined| *undefined);
        let cut = || scored.segmented.as_ref().map_err(|undefined| *undefined);
        match self.source {
            MetricSource::Images(value) => Measured::of(value(&scored.images)),
            MetricSource::Threshold(value) => {
                Measured::of(scored.threshold.as_ref().map_err(|undefined| *undefined).and_then(value))
            }
            MetricSource::Segmented(value) => Measured::of(cut().and_then(value)),
            MetricSource::Pixels(value) => Measured::of(pixels().and_then(|pixels| value(&pixels.sweep))),
            MetricSource::PixelThreshold(value) => {
                Measured::of(pixels().and_then(|pixels| value(&pixels.sweep, cut()?.threshold)))
            }
            MetricSource::Maps(value) => pixels().map_or_else(|undefined| Measured::of(Err(undefined)), value),
            MetricSource::Saturated(value) => {
                let defects = scored.saturated.as_ref().map_err(|undefined| *undefined);
                let both = pixels().and_then(|pixels| Ok((pixels, defects?)));
                both.map_or_else(
                    |undefined| Measured::of(Err(undefined)),
                    |(pixels, defects)| value(&pixels.sweep, defects),
                )
            }
            MetricSource::Mean(parts) => {
                let measured = |part: &Self| match known.iter().find(|(metric, _)| metric == part) {
                    Some((_, measured)) => measured.clone(),
                    None => part.measure(scored),
                };
                mean(parts.iter().map(|part| (*part, measured(part))))
            }
        }
    }

    /// Returns whether it needs the saturation areas of defects, which only some data sets have.
    pub fn needs_saturation(self) -> bool {
        matches!(self.source, MetricSource::Saturated(_))
    }
}

/// Returns the mean of some metrics. It is undefined if one of them is.
fn mean(parts: impl ExactSizeIterator<Item = (Metric, Measured)>) -> Measured {
    let (count, mut sum) = (parts.len(), 0.0);
    for (part, measured) in parts {
        match measured.value {
            Some(value) => sum += value,
            None => {
                let reason = measured.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                return Measured { value: None, reason: Some(format!("{} is undefined{reason}", part.label)) };
            }
        }
    }
    Measured::value(sum / count as f64)
}

impl Definition {
    /// Returns whether it judges images or pixels.
    pub fn scope(&self) -> Scope {
        match self.source {
            MetricSource::Images(_) | MetricSource::Threshold(_) | MetricSource::Segmented(_) => Scope::Image,
            MetricSource::Pixels(_)
            | MetricSource::PixelThreshold(_)
            | MetricSource::Maps(_)
            | MetricSource::Saturated(_) => Scope::Pixel,
            // One pixel metric among them makes the mean need masks.
            MetricSource::Mean(parts) => match parts.iter().any(|part| part.scope() == Scope::Pixel) {
                true => Scope::Pixel,
                false => Scope::Image,
            },
        }
    }
}

impl Direction {
    /// Converts a difference of two values to a gain, which is above 0 if the first value is better.
    pub fn gain(self, difference: f64) -> f64 {
        match self {
            Self::Higher => difference,
            Self::Lower => -difference,
        }
    }

    /// Orders two values, the better one first.
    pub fn rank(self, a: f64, b: f64) -> Ordering {
        self.gain(b).total_cmp(&self.gain(a))
    }

    /// Returns the word for the best value.
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
