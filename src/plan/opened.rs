//! The external inputs of planning: data sets and teachers, each opened once.

use std::collections::BTreeMap;

use serde_json::json;

use super::error::PlanError;
use crate::data::{Category, DataError, DataSettings, Dataset, Digests, HeldOut, Layout, Reading, Sample};
use crate::model::weights::{WeightError, WeightFile};
use crate::model::{TeacherSettings, load_teacher};
use crate::stages::TeacherRef;
use crate::tensor::Native;

/// Facts about one category at the time of planning.
#[derive(Debug, Clone)]
pub(super) struct CategoryFacts {
    pub name: String,
    pub train_digest: String,
    pub test_digest: String,
    pub mask_digest: String,
    pub counts: serde_json::Value,
    /// Images of the training part that are held out.
    pub held_out: HeldOut,
    /// Number of images in the training and in the test part.
    pub images: (usize, usize),
    /// Digest of the file with the saturation areas of the defects, if there is one.
    pub saturation_digest: Option<String>,
    /// Lighting of each test image; empty if the data set does not name it, or has only one.
    pub lighting: Vec<String>,
}

/// Facts about a data set.
#[derive(Debug, Clone)]
pub(super) struct OpenedDataset {
    /// Layout of the data set, detected if the sweep file names none.
    pub layout: Layout,
    /// The selected categories.
    pub categories: Vec<CategoryFacts>,
    /// Remarks on the data set for the user.
    pub notes: Vec<String>,
}

/// Data sets and teachers, each opened once.
#[derive(Debug, Default)]
pub(super) struct Opened {
    data: Vec<(DataSettings, OpenedDataset)>,
    teachers: Vec<(TeacherSettings, TeacherRef)>,
}

impl Opened {
    pub(super) fn data(&mut self, settings: &DataSettings) -> Result<OpenedDataset, PlanError> {
        // The seed of the split affects digests only if it draws the test set. The image size always matters: a defect can vanish at
        // one size and not at another. The grouping only decides what a model learns from.
        let is_same = |opened: &DataSettings| {
            let draws_test = settings.test_normals_share.is_some();
            let split_seed = if draws_test { opened.split_seed } else { settings.split_seed };
            DataSettings { split_seed, grouping: settings.grouping, ..opened.clone() } == *settings
        };
        if let Some((_, dataset)) = self.data.iter().find(|(opened, _)| is_same(opened)) {
            return Ok(dataset.clone());
        }
        let dataset = Dataset::open(settings)?;
        let digests = dataset
            .categories()
            .iter()
            .map(|category| checked_digests(category, settings.reading))
            .collect::<Result<Vec<_>, _>>()?;
        let notes = dataset.notes(settings, &digests)?;
        let facts = dataset
            .categories()
            .iter()
            .zip(&digests)
            .map(|(category, digests)| facts_of(category, digests, dataset.layout()));
        let categories = facts.collect::<Result<Vec<_>, _>>()?;
        let opened = OpenedDataset { layout: dataset.layout(), categories, notes };
        self.data.push((settings.clone(), opened.clone()));
        Ok(opened)
    }

    /// Returns the remarks on all data sets, without duplicates.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        for note in self.data.iter().flat_map(|(_, dataset)| &dataset.notes) {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        notes
    }

    /// Opens the teacher with these settings. The weights determine the architecture.
    pub(super) fn teacher(&mut self, settings: &TeacherSettings) -> Result<TeacherRef, PlanError> {
        if let Some((_, teacher)) = self.teachers.iter().find(|(opened, _)| opened == settings) {
            return Ok(teacher.clone());
        }
        let file = WeightFile::open(&settings.weights)?;
        // Load the teacher now, to refuse an unusable weight file before any stage starts.
        let (_, backbone) = load_teacher::<Native>(&file, settings.levels)?;
        let found = backbone.architecture;
        if let Some(requested) = settings.architecture.filter(|requested| *requested != found) {
            return Err(WeightError::Architecture { path: file.source, found, requested }.into());
        }
        let teacher = TeacherRef {
            digest: file.digest,
            architecture: found,
            levels: settings.levels,
            location: settings.weights.clone(),
        };
        self.teachers.push((settings.clone(), teacher.clone()));
        Ok(teacher)
    }
}

/// Checks the files of a category, so that damaged files are reported before any stage starts. Returns their digests.
fn checked_digests(category: &Category, reading: Reading) -> Result<Digests, DataError> {
    category.check(reading)?;
    category.digests()
}

fn facts_of(category: &Category, digests: &Digests, layout: Layout) -> Result<CategoryFacts, DataError> {
    let mut defects: BTreeMap<&str, usize> = BTreeMap::new();
    for sample in &category.test {
        *defects.entry(sample.defect.as_deref().unwrap_or("good")).or_default() += 1;
    }
    let mut counts = json!({ "train": category.train.len() - category.validation, "test": defects });
    if category.validation > 0 {
        counts["validation"] = json!(category.validation);
    }
    Ok(CategoryFacts {
        name: category.name.clone(),
        train_digest: digests.train(),
        test_digest: digests.test(),
        mask_digest: category.mask_digest()?,
        counts,
        held_out: category.held_out.clone(),
        images: (category.train.len(), category.test.len()),
        saturation_digest: category.saturation_digest()?,
        lighting: if layout.names_lighting() { lighting(category) } else { Vec::new() },
    })
}

/// Returns the lighting of each test image, or nothing if all have the same.
fn lighting(category: &Category) -> Vec<String> {
    let of = |sample: &Sample| sample.lighting().unwrap_or("unnamed").to_owned();
    let all: Vec<String> = category.test.iter().map(of).collect();
    if all.windows(2).any(|two| two[0] != two[1]) { all } else { Vec::new() }
}
