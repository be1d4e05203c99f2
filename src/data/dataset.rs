//! A data set with its categories, independent of its layout.

use std::collections::HashMap;
use std::path::PathBuf;

use rayon::prelude::*;

use super::sample::digest_file;
use super::select::pick;
use super::{DataError, DataSettings, HeldOut, Layout, Reading, Sample, Saturation, held_out, layout};

/// One category; its images are sorted by path.
#[derive(Debug, Clone, PartialEq)]
pub struct Category {
    /// Name of the category.
    pub name: String,
    /// Normal images, including the held-out ones.
    pub train: Vec<Sample>,
    /// Number of the data set's own validation images; they are at the end of `train`.
    pub validation: usize,
    /// Selects the held-out images among `train`.
    pub held_out: HeldOut,
    /// Test images.
    pub test: Vec<Sample>,
    /// Defective test images without a mask, whether they are in the test set or left out of it.
    pub unmasked: Vec<String>,
    /// The file with the saturation areas of its defects, if there is one.
    pub saturation: Option<PathBuf>,
}

/// The categories that a sweep selects.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    root: String,
    layout: Layout,
    categories: Vec<Category>,
}

impl Dataset {
    /// Finds the images without decoding them. Every category must have at least two training images and one test image.
    pub fn open(settings: &DataSettings) -> Result<Self, DataError> {
        let found = layout::find(settings)?;
        let category = |parts| held_out::category(parts, settings, &found.root);
        let categories: Vec<Category> = found.parts.into_iter().map(category).collect::<Result<_, _>>()?;
        held_out::check_listed(&settings.held_out, settings.root.as_deref(), &categories)?;
        Ok(Self { root: found.root, layout: found.layout, categories })
    }

    /// Returns the layout, recognised if the settings name none.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns the selected categories, in the order of the selection.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// Returns a category by name.
    pub fn category(&self, name: &str) -> Result<&Category, DataError> {
        pick(&self.categories, |category| category.name.clone(), name, &self.root)
    }
}

/// Computes a digest of each sample.
fn digests(
    samples: &[Sample],
    digest: impl Fn(&Sample) -> Result<blake3::Hash, DataError> + Sync + Send,
) -> Result<Vec<blake3::Hash>, DataError> {
    samples.par_iter().map(digest).collect()
}

/// Returns the BLAKE3 digest of digests, in order.
fn digest_of(digests: &[blake3::Hash]) -> String {
    let mut hasher = blake3::Hasher::new();
    for digest in digests {
        hasher.update(digest.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Digests of a category's images, one per image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// One digest per training image.
    train: Vec<blake3::Hash>,
    /// One digest per test image.
    test: Vec<blake3::Hash>,
}

impl Digests {
    /// Returns the digest of the normal images, including the held-out ones.
    pub fn train(&self) -> String {
        digest_of(&self.train)
    }

    /// Returns the digest of the test images.
    pub fn test(&self) -> String {
        digest_of(&self.test)
    }

    /// Returns the test images that are byte-for-byte copies of a training image, each with that training image.
    pub(super) fn shared<'c>(&self, category: &'c Category) -> Vec<(&'c str, &'c str)> {
        let train: HashMap<&blake3::Hash, &Sample> = self.train.iter().zip(&category.train).collect();
        let test = self.test.iter().zip(&category.test);
        test.filter_map(|(digest, sample)| Some((sample.image.as_str(), train.get(digest)?.image.as_str()))).collect()
    }
}

impl Category {
    /// Checks that all images and masks can be read to their last pixel, and that each mask has its image's size. If there are saturation
    /// areas, those of all defects must be known.
    pub fn check(&self, reading: Reading) -> Result<(), DataError> {
        self.train.par_iter().chain(&self.test).try_for_each(|sample| sample.check(reading))?;
        match &self.saturation {
            Some(path) => Saturation::open(path)?.check(path, &self.test, reading),
            None => Ok(()),
        }
    }

    /// Returns the digest of the file with the saturation areas, if there is one.
    pub fn saturation_digest(&self) -> Result<Option<String>, DataError> {
        let digest = self.saturation.as_ref().map(|path| digest_file(path));
        Ok(digest.transpose()?.map(|digest| digest.to_hex().to_string()))
    }

    /// Returns the digest of the normal images, including the held-out ones.
    pub fn train_digest(&self) -> Result<String, DataError> {
        Ok(digest_of(&digests(&self.train, Sample::digest)?))
    }

    /// Returns the digest of the test images.
    pub fn test_digest(&self) -> Result<String, DataError> {
        Ok(digest_of(&digests(&self.test, Sample::digest)?))
    }

    /// Returns the digest of the test images' labels and masks.
    pub fn mask_digest(&self) -> Result<String, DataError> {
        Ok(digest_of(&digests(&self.test, Sample::label_digest)?))
    }

    /// Returns the digests of all images.
    pub fn digests(&self) -> Result<Digests, DataError> {
        Ok(Digests { train: digests(&self.train, Sample::digest)?, test: digests(&self.test, Sample::digest)? })
    }
}
