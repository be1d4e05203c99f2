//! External inputs of stages: images and teachers. Keys cover their content (digests) but not their location.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::data::{DataSettings, Dataset, Reading, Sample};
use crate::model::weights::WeightFile;
use crate::model::{Architecture, Backbone, LevelSet, Resnet, WeightSource, load_teacher};
use crate::tensor::Backend;
use crate::training::StageError;

/// Part of a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Normal images, including the held-out images.
    Train,
    /// Test images.
    Test,
}

/// The images of one part of one category, as they were when the sweep was planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageSet {
    /// BLAKE3 over the images' digests, in order.
    pub digest: String,
    /// Side of the prepared images, in pixels.
    pub image_size: usize,
    /// How image files are read.
    pub reading: Reading,
    /// Where the images are stored.
    pub location: ImageLocation,
}

/// Location of images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageLocation {
    /// Settings for opening the data set. Shared in memory, because a plan of many runs repeats them for each stage.
    #[serde(serialize_with = "serialize_shared", deserialize_with = "deserialize_shared")]
    pub data: Arc<DataSettings>,
    /// Name of the category.
    pub category: String,
    /// Part of the category.
    pub part: Part,
}

fn serialize_shared<S: Serializer>(data: &Arc<DataSettings>, to: S) -> Result<S::Ok, S::Error> {
    data.as_ref().serialize(to)
}

fn deserialize_shared<'d, D: Deserializer<'d>>(from: D) -> Result<Arc<DataSettings>, D::Error> {
    DataSettings::deserialize(from).map(Arc::new)
}

/// What must be unchanged since the sweep was planned.
pub(super) enum Check<'a> {
    /// The images themselves.
    Images,
    /// Labels and masks, with the digest `labels`, and the saturation areas of defects, with their digest.
    Masks { labels: &'a str, saturation: Option<&'a str> },
    /// Nothing: only the names are read.
    Count,
}

impl ImageSet {
    /// Describes the images at a location of a data set.
    pub fn new(location: ImageLocation, digest: &str) -> Self {
        let DataSettings { image_size, reading, .. } = *location.data;
        Self { digest: digest.to_owned(), image_size, reading, location }
    }

    /// Opens the images and checks that the requested content is unchanged.
    pub(super) fn open(&self, check: Check<'_>) -> Result<Vec<Sample>, StageError> {
        Ok(self.open_with_saturation(check)?.0)
    }

    /// As [`open`](Self::open), and also returns the file with the saturation areas of the defects, if there is one.
    pub(super) fn open_with_saturation(&self, check: Check<'_>) -> Result<(Vec<Sample>, Option<PathBuf>), StageError> {
        let ImageLocation { data, category, part } = &self.location;
        let dataset = Dataset::open(data).map_err(StageError::data)?;
        let category = dataset.category(category).map_err(StageError::data)?;
        let has_changed = match (check, part) {
            (Check::Images, Part::Train) => category.train_digest().map_err(StageError::data)? != self.digest,
            (Check::Images, Part::Test) => category.test_digest().map_err(StageError::data)? != self.digest,
            (Check::Masks { labels, saturation }, _) => {
                category.mask_digest().map_err(StageError::data)? != labels
                    || category.saturation_digest().map_err(StageError::data)?.as_deref() != saturation
            }
            (Check::Count, _) => false,
        };
        if has_changed {
            return Err(StageError::data(format!(
                "the files of {} have changed since the sweep was planned: start the sweep again to plan with the new files",
                category.name
            )));
        }
        let samples = match part {
            Part::Train => category.train.clone(),
            Part::Test => category.test.clone(),
        };
        Ok((samples, category.saturation.clone()))
    }
}

/// The frozen teacher. The student has the same architecture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeacherRef {
    /// BLAKE3 of the weight file.
    pub digest: String,
    /// Architecture of the network to which the weights belong.
    pub architecture: Architecture,
    /// The feature levels that student and teacher are compared on.
    pub levels: LevelSet,
    /// Where the weights are stored.
    pub location: WeightSource,
}

impl TeacherRef {
    /// Opens the teacher and returns it with its shape.
    ///
    /// # Errors
    /// Fails if the weights are missing, damaged, or differ from those with which the sweep was planned.
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
