//! A data set with its categories, whatever its layout.

use std::path::Path;

use rayon::prelude::*;

use super::{CategorySelection, DataError, DataSettings, Layout, Sample, mvtec, synthetic};

/// One category: its images in the order of their paths.
#[derive(Debug, Clone, PartialEq)]
pub struct Category {
    /// Its name.
    pub name: String,
    /// `train/good`.
    pub train: Vec<Sample>,
    /// `test/*`.
    pub test: Vec<Sample>,
}

/// The categories that a sweep asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    root: String,
    categories: Vec<Category>,
}

impl Dataset {
    /// Finds the images; decodes none. Every category must have at least two training images and one test image.
    pub fn open(settings: &DataSettings) -> Result<Self, DataError> {
        let (root, found) = match settings.layout {
            Layout::Mvtec => {
                let root = settings.root.as_deref().unwrap_or(Path::new("."));
                (root.display().to_string(), mvtec::find(root)?)
            }
            Layout::Synthetic => {
                let drawn = settings.synthetic.clone().unwrap_or_default();
                ("the synthetic set".to_owned(), synthetic::categories(&drawn))
            }
        };
        let categories = match &settings.categories {
            CategorySelection::All => found,
            CategorySelection::Named(names) => {
                names.iter().map(|name| pick(&found, name, &root).cloned()).collect::<Result<_, _>>()?
            }
        };
        for category in &categories {
            let too_few =
                |what, count, least| DataError::TooFew { what, category: category.name.clone(), count, least };
            if category.train.len() < 2 {
                return Err(too_few("train/good", category.train.len(), 2));
            }
            if category.test.is_empty() {
                return Err(too_few("test", 0, 1));
            }
        }
        Ok(Self { root, categories })
    }

    /// The selected categories, in the order of the selection.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// A category by name.
    pub fn category(&self, name: &str) -> Result<&Category, DataError> {
        pick(&self.categories, name, &self.root)
    }
}

fn pick<'a>(categories: &'a [Category], name: &str, root: &str) -> Result<&'a Category, DataError> {
    categories.iter().find(|category| category.name == name).ok_or_else(|| {
        let names = || categories.iter().map(|category| category.name.as_str());
        let near = names().max_by(|a, b| strsim::jaro(a, name).total_cmp(&strsim::jaro(b, name)));
        let near = near.filter(|near| strsim::jaro(near, name) > 0.7);
        DataError::UnknownCategory {
            name: name.to_owned(),
            root: root.to_owned(),
            found: if categories.is_empty() { "none".to_owned() } else { names().collect::<Vec<_>>().join(", ") },
            hint: near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default(),
        }
    })
}

/// BLAKE3 over digests, in order.
fn digest_all(
    samples: &[Sample],
    digest: impl Fn(&Sample) -> Result<blake3::Hash, DataError> + Sync + Send,
) -> Result<String, DataError> {
    let digests: Vec<blake3::Hash> = samples.par_iter().map(digest).collect::<Result<_, _>>()?;
    let mut hasher = blake3::Hasher::new();
    for digest in digests {
        hasher.update(digest.as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

impl Category {
    /// Whether all images and masks can be read, as far as their headers tell, and each mask has its image's size.
    pub fn check(&self) -> Result<(), DataError> {
        self.train.par_iter().chain(&self.test).try_for_each(Sample::check)
    }

    /// Digest of the training images.
    pub fn train_digest(&self) -> Result<String, DataError> {
        digest_all(&self.train, Sample::digest)
    }

    /// Digest of the test images.
    pub fn test_digest(&self) -> Result<String, DataError> {
        digest_all(&self.test, Sample::digest)
    }

    /// Digest of the test images' labels and masks.
    pub fn mask_digest(&self) -> Result<String, DataError> {
        digest_all(&self.test, Sample::label_digest)
    }
}
