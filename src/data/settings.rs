//! What a sweep file says of its data.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How the folders of a data set are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `train/good`, `test/{good,<defect>}`, `ground_truth/<defect>` below each category.
    Mvtec,
    /// Drawn by didact itself, in memory.
    Synthetic,
}

/// The categories that a sweep runs over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CategorySelection {
    /// Every category that the data set has, in alphabetical order.
    All,
    /// The named ones, in this order.
    Named(Vec<String>),
}

/// The size of the drawn data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyntheticSettings {
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// Side of the drawn images, pixels.
    pub side: usize,
    /// Normal training images a category.
    pub train: usize,
    /// Normal test images a category.
    pub test_good: usize,
    /// Test images a kind of defect.
    pub test_per_defect: usize,
}

impl Default for SyntheticSettings {
    fn default() -> Self {
        Self { seed: 0, side: 128, train: 40, test_good: 12, test_per_defect: 6 }
    }
}

/// Where the images come from and how they are prepared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSettings {
    /// Folder arrangement.
    pub layout: Layout,
    /// Root folder that holds the categories; absent for [`Layout::Synthetic`].
    pub root: Option<PathBuf>,
    /// Which categories.
    pub categories: CategorySelection,
    /// Images are resized to this side, squared.
    pub image_size: usize,
    /// Seed of the split of `train/good` into a training and a held-out part.
    pub split_seed: u64,
    /// Size of the drawn set, for [`Layout::Synthetic`].
    pub synthetic: Option<SyntheticSettings>,
}
