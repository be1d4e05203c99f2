//! A data set with its categories, whatever its layout.

use std::collections::HashMap;

use rayon::prelude::*;

use super::select::pick;
use super::{DataError, DataSettings, HeldOut, Layout, Reading, Sample, held_out, layout};

/// One category: its images in the order of their paths.
#[derive(Debug, Clone, PartialEq)]
pub struct Category {
    /// Its name.
    pub name: String,
    /// Normal images, those that are held out among them.
    pub train: Vec<Sample>,
    /// How many at the end of `train` are the data set's own validation images.
    pub validation: usize,
    /// Which of `train` are held out.
    pub held_out: HeldOut,
    /// Test images.
    pub test: Vec<Sample>,
    /// Defective test images without a mask, in the test set or left out of it.
    pub unmasked: Vec<String>,
}

/// The categories that a sweep asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    root: String,
    layout: Layout,
    categories: Vec<Category>,
}

impl Dataset {
    /// Finds the images; decodes none. Every category must have at least two training images and one test image.
    pub fn open(settings: &DataSettings) -> Result<Self, DataError> {
        let found = layout::find(settings)?;
        let category = |parts| held_out::category(parts, settings, &found.root);
        let categories: Vec<Category> = found.parts.into_iter().map(category).collect::<Result<_, _>>()?;
        held_out::check_listed(&settings.held_out, settings.root.as_deref(), &categories)?;
        Ok(Self { root: found.root, layout: found.layout, categories })
    }

    /// Its layout, recognised where the settings name none.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The selected categories, in the order of the selection.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// A category by name.
    pub fn category(&self, name: &str) -> Result<&Category, DataError> {
        pick(&self.categories, |category| category.name.clone(), name, &self.root)
    }
}

/// A digest of each sample.
fn digests(
    samples: &[Sample],
    digest: impl Fn(&Sample) -> Result<blake3::Hash, DataError> + Sync + Send,
) -> Result<Vec<blake3::Hash>, DataError> {
    samples.par_iter().map(digest).collect()
}

/// BLAKE3 over digests, in order.
fn digest_of(digests: &[blake3::Hash]) -> String {
    let mut hasher = blake3::Hasher::new();
    for digest in digests {
        hasher.update(digest.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Digests of a category's images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// One for each training image.
    train: Vec<blake3::Hash>,
    /// One for each test image.
    test: Vec<blake3::Hash>,
}

impl Digests {
    /// Of the normal images, those that are held out among them.
    pub fn train(&self) -> String {
        digest_of(&self.train)
    }

    /// Of the test images.
    pub fn test(&self) -> String {
        digest_of(&self.test)
    }

    /// The test images that are training images, too, byte by byte, each with that image.
    pub(super) fn shared<'c>(&self, category: &'c Category) -> Vec<(&'c str, &'c str)> {
        let train: HashMap<&blake3::Hash, &Sample> = self.train.iter().zip(&category.train).collect();
        let test = self.test.iter().zip(&category.test);
        test.filter_map(|(digest, sample)| Some((sample.image.as_str(), train.get(digest)?.image.as_str()))).collect()
    }
}

impl Category {
    /// Whether all images and masks can be read to their last pixel, and each mask has its image's size.
    pub fn check(&self, reading: Reading) -> Result<(), DataError> {
        self.train.par_iter().chain(&self.test).try_for_each(|sample| sample.check(reading))
    }

    /// Digest of the normal images, those that are held out among them.
    pub fn train_digest(&self) -> Result<String, DataError> {
        Ok(digest_of(&digests(&self.train, Sample::digest)?))
    }

    /// Digest of the test images.
    pub fn test_digest(&self) -> Result<String, DataError> {
        Ok(digest_of(&digests(&self.test, Sample::digest)?))
    }

    /// Digest of the test images' labels and masks.
    pub fn mask_digest(&self) -> Result<String, DataError> {
        Ok(digest_of(&digests(&self.test, Sample::label_digest)?))
    }

    /// Digests of all images.
    pub fn digests(&self) -> Result<Digests, DataError> {
        Ok(Digests { train: digests(&self.train, Sample::digest)?, test: digests(&self.test, Sample::digest)? })
    }
}
