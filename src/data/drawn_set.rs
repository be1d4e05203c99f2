//! The data set that didact draws itself, one category after another.

use super::layout::Parts;
use super::sample::{ImageSource, Sample};
use super::settings::SyntheticSettings;
use super::synthetic::{Drawing, Group, SyntheticCategory};

/// Returns the three categories, sorted by name.
pub(super) fn categories(settings: &SyntheticSettings) -> Vec<Parts> {
    SyntheticCategory::ALL.iter().map(|&category| parts_of(settings, category)).collect()
}

fn parts_of(settings: &SyntheticSettings, category: SyntheticCategory) -> Parts {
    let drawing = |group, index| Drawing { seed: settings.seed, side: settings.side, category, group, index };
    let normal = |folder: &str, group, index| Sample {
        image: format!("{folder}/{index:03}.png"),
        defect: None,
        source: ImageSource::Drawn(drawing(group, index)),
        masks: Vec::new(),
        mask_above: 0,
    };
    let mut test: Vec<Sample> = category
        .defects()
        .iter()
        .flat_map(|&defect| (0..settings.test_per_defect).map(move |index| (defect, index)))
        .map(|(defect, index)| Sample {
            image: format!("test/{}/{index:03}.png", defect.name()),
            defect: Some(defect.name().to_owned()),
            source: ImageSource::Drawn(drawing(Group::Defect(defect), index)),
            masks: Vec::new(),
            mask_above: 0,
        })
        .chain((0..settings.test_good).map(|index| normal("test/good", Group::TestGood, index)))
        .collect();
    // Sort as a folder listing does, so that the set on disk is the same set.
    test.sort_by(|a, b| a.image.cmp(&b.image));
    Parts {
        name: category.name().to_owned(),
        train_place: "train/good".to_owned(),
        train: (0..settings.train).map(|index| normal("train/good", Group::Train, index)).collect(),
        test,
        ..Parts::default()
    }
}
