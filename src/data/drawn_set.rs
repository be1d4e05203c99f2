//! The data set that didact draws itself, and stand-ins for other data sets.

use rand::Rng;

use super::layout::Parts;
use super::random::stream;
use super::sample::{ImageSource, Sample};
use super::settings::SyntheticSettings;
use super::synthetic::{Drawing, Group, SyntheticCategory};

/// A category to draw in place of one whose images are not at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    /// Name of the category.
    pub name: String,
    /// Normal training images.
    pub train: usize,
    /// Normal test images.
    pub test_good: usize,
    /// Defective test images; the three kinds of defect share them.
    pub test_defect: usize,
}

/// Returns the three categories, sorted by name.
pub(super) fn categories(settings: &SyntheticSettings) -> Vec<Parts> {
    let of = |&category: &SyntheticCategory| Pattern { seed: settings.seed, side: settings.side, category };
    let counts = |pattern: Pattern| {
        let wanted = StandIn {
            name: pattern.category.name().to_owned(),
            train: settings.train,
            test_good: settings.test_good,
            test_defect: settings.test_per_defect * pattern.category.defects().len(),
        };
        pattern.parts(wanted)
    };
    SyntheticCategory::ALL.iter().map(of).map(counts).collect()
}

/// Returns stand-ins in their order. They take turns drawing grain, washers and weave, each from a seed of its own.
pub(super) fn stand_ins(seed: u64, side: usize, wanted: Vec<StandIn>) -> Vec<Parts> {
    let patterns = SyntheticCategory::ALL.iter().cycle();
    let drawn = wanted.into_iter().zip(patterns).map(|(wanted, &category)| {
        let seed = stream(seed, &wanted.name, 0, 0).next_u64();
        Pattern { seed, side, category }.parts(wanted)
    });
    drawn.collect()
}

/// What the images of a category show.
#[derive(Debug, Clone, Copy)]
struct Pattern {
    seed: u64,
    side: usize,
    category: SyntheticCategory,
}

impl Pattern {
    fn parts(self, wanted: StandIn) -> Parts {
        let Self { seed, side, category } = self;
        let sample = |folder: &str, group, index: usize| Sample {
            image: format!("{folder}/{index:03}.png"),
            defect: if let Group::Defect(defect) = group { Some(defect.name().to_owned()) } else { None },
            source: ImageSource::Drawn(Drawing { seed, side, category, group, index }),
            masks: Vec::new(),
            mask_above: 0,
        };
        let defects = category.defects();
        let mut test: Vec<Sample> = (0..wanted.test_defect)
            .map(|index| (defects[index % defects.len()], index / defects.len()))
            .map(|(defect, index)| sample(&format!("test/{}", defect.name()), Group::Defect(defect), index))
            .chain((0..wanted.test_good).map(|index| sample("test/good", Group::TestGood, index)))
            .collect();
        // Sort as a folder listing does, so that the set on disk is the same set.
        test.sort_by(|a, b| a.image.cmp(&b.image));
        Parts {
            name: wanted.name,
            train_place: "train/good".to_owned(),
            train: (0..wanted.train).map(|index| sample("train/good", Group::Train, index)).collect(),
            test,
            ..Parts::default()
        }
    }
}
