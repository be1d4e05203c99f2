//! What planning needs of the outside: data sets and teachers, opened once each.

use std::collections::BTreeMap;

use serde_json::json;

use super::{PlanError, TeacherRef};
use crate::data::{Category, DataError, DataSettings, Dataset};
use crate::model::weights::{WeightError, WeightFile};
use crate::model::{TeacherSettings, load_teacher};
use crate::tensor::Native;

/// What is known of one category when the sweep is planned.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub name: String,
    pub train_digest: String,
    pub test_digest: String,
    pub mask_digest: String,
    pub counts: serde_json::Value,
    /// Images of the training and the test part.
    pub images: (usize, usize),
}

/// Data sets and teachers, opened once each.
#[derive(Debug, Default)]
pub(super) struct Opened {
    data: Vec<(DataSettings, Vec<Facts>)>,
    teachers: Vec<(TeacherSettings, TeacherRef)>,
}

impl Opened {
    pub(super) fn facts(&mut self, settings: &DataSettings) -> Result<Vec<Facts>, PlanError> {
        // Digests depend on neither size nor split.
        let same = |known: &DataSettings| {
            DataSettings { image_size: settings.image_size, split_seed: settings.split_seed, ..known.clone() }
                == *settings
        };
        if let Some((_, facts)) = self.data.iter().find(|(known, _)| same(known)) {
            return Ok(facts.clone());
        }
        let dataset = Dataset::open(settings)?;
        let facts = dataset.categories().iter().map(facts_of).collect::<Result<Vec<_>, _>>()?;
        self.data.push((settings.clone(), facts.clone()));
        Ok(facts)
    }

    /// The teacher of these settings; which network it is, its weights say.
    pub(super) fn teacher(&mut self, settings: &TeacherSettings) -> Result<TeacherRef, PlanError> {
        if let Some((_, teacher)) = self.teachers.iter().find(|(known, _)| known == settings) {
            return Ok(teacher.clone());
        }
        let file = WeightFile::open(&settings.weights)?;
        // A file that no teacher can be made of is refused before anything starts.
        let (_, backbone) = load_teacher::<Native>(&file, settings.levels)?;
        let found = backbone.architecture;
        if let Some(asked) = settings.architecture.filter(|asked| *asked != found) {
            return Err(WeightError::Architecture { path: file.source, found, asked }.into());
        }
        let of_found = TeacherSettings { architecture: Some(found), ..settings.clone() };
        let teacher = TeacherRef { settings: of_found, digest: file.digest };
        self.teachers.push((settings.clone(), teacher.clone()));
        Ok(teacher)
    }
}

fn facts_of(category: &Category) -> Result<Facts, DataError> {
    // What is torn is told before anything starts, not when its stage's turn comes.
    category.check()?;
    let mut defects: BTreeMap<&str, usize> = BTreeMap::new();
    for sample in &category.test {
        *defects.entry(sample.defect.as_deref().unwrap_or("good")).or_default() += 1;
    }
    Ok(Facts {
        name: category.name.clone(),
        train_digest: category.train_digest()?,
        test_digest: category.test_digest()?,
        mask_digest: category.mask_digest()?,
        counts: json!({ "train": category.train.len(), "test": defects }),
        images: (category.train.len(), category.test.len()),
    })
}
