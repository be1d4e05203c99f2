//! What stages read of the outside: images and teachers. A job holds what they are (in keys) beside where they lie (in none).

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::data::{DataSettings, Dataset, Reading, Sample};
use crate::model::weights::WeightFile;
use crate::model::{Architecture, Backbone, LevelSet, Resnet, WeightSource, load_teacher};
use crate::tensor::Backend;
use crate::training::StageError;

/// Which images of a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Normal images, both the training and the held-out part.
    Train,
    /// Test images.
    Test,
}

/// The images of one part of one category as they were when the sweep was planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageSet {
    /// BLAKE3 over the images' digests, in order.
    pub digest: String,
    /// Side to which they are prepared, pixels.
    pub image_size: usize,
    /// How their files are read.
    pub reading: Reading,
    /// Where they lie.
    pub location: ImageLocation,
}

/// Where images lie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageLocation {
    /// How to open the data set. Shared: a plan of many runs names it for each stage.
    #[serde(serialize_with = "serialize_shared", deserialize_with = "deserialize_shared")]
    pub data: Arc<DataSettings>,
    /// The category's name.
    pub category: String,
    /// Which part.
    pub part: Part,
}

fn serialize_shared<S: Serializer>(data: &Arc<DataSettings>, to: S) -> Result<S::Ok, S::Error> {
    data.as_ref().serialize(to)
}

fn deserialize_shared<'d, D: Deserializer<'d>>(from: D) -> Result<Arc<DataSettings>, D::Error> {
    DataSettings::deserialize(from).map(Arc::new)
}

/// What must still be as it was when the sweep was planned.
pub(super) enum Check<'a> {
    /// The images themselves.
    Images,
    /// Labels and masks, of this digest.
    Masks(&'a str),
    /// Nothing is read but the names.
    Count,
}

impl ImageSet {
    /// Images of a data set.
    pub fn new(location: ImageLocation, digest: &str) -> Self {
        let DataSettings { image_size, reading, .. } = *location.data;
        Self { digest: digest.to_owned(), image_size, reading, location }
    }

    /// The images, if what is asked for has not changed.
    pub(super) fn open(&self, check: Check<'_>) -> Result<Vec<Sample>, StageError> {
        let ImageLocation { data, category, part } = &self.location;
        let dataset = Dataset::open(data).map_err(StageError::data)?;
        let category = dataset.category(category).map_err(StageError::data)?;
        let has_changed = match (check, part) {
            (Check::Images, Part::Train) => category.train_digest().map_err(StageError::data)? != self.digest,
            (Check::Images, Part::Test) => category.test_digest().map_err(StageError::data)? != self.digest,
            (Check::Masks(planned), _) => category.mask_digest().map_err(StageError::data)? != planned,
            (Check::Count, _) => false,
        };
        if has_changed {
            return Err(StageError::data(format!(
                "the files of {} have changed since the sweep was planned: start the sweep again to plan with the new ones",
                category.name
            )));
        }
        Ok(match part {
            Part::Train => category.train.clone(),
            Part::Test => category.test.clone(),
        })
    }
}

/// The frozen teacher, whose shape the student has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeacherRef {
    /// BLAKE3 of the weight file.
    pub digest: String,
    /// The network that the weights are of.
    pub architecture: Architecture,
    /// The feature levels that are compared.
    pub levels: LevelSet,
    /// Where the weights lie.
    pub location: WeightSource,
}

impl TeacherRef {
    /// The teacher and its shape, if its weights are those that the sweep was planned with.
    ///
    /// # Errors
    /// Weights that are absent, damaged or others.
    pub fn open<B: Backend>(&self) -> Result<(Resnet<B>, Backbone), StageError> {
        let file = WeightFile::open(&self.location).map_err(StageError::data)?;
        if file.digest != self.digest {
            return Err(StageError::data(format!(
                "{} has changed since the sweep was planned: start the sweep again to plan with the new weights",
                file.source
            )));
        }
        load_teacher(&file, self.levels).map_err(StageError::data)
    }
}
