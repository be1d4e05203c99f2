//! What a sweep file says of its data.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// How the folders of a data set are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `train/good`, `test/{good,<defect>}`, `ground_truth/<defect>` below each category (Bergmann et al. 2019).
    Mvtec,
    /// MVTec AD 2: as it, with `validation/good`, and `test_public` in place of `test` and `ground_truth`.
    MvtecAd2,
    /// MVTec LOCO: as MVTec AD, with `validation/good`, and a folder of masks for each image.
    Loco,
    /// VisA (Zou et al. 2022), as it comes with its table of the split, or prepared in MVTec AD's arrangement.
    Visa,
    /// BTAD (Mishra et al. 2021): as MVTec AD, with `ok` and `ko`.
    Btad,
    /// MPDD (Jezek et al. 2021): exactly MVTec AD's arrangement.
    Mpdd,
    /// Folders that the sweep file names.
    Folder,
    /// Drawn by didact itself, in memory.
    Synthetic,
}

impl Layout {
    /// All layouts.
    pub const ALL: [Self; 8] =
        [Self::Mvtec, Self::MvtecAd2, Self::Loco, Self::Visa, Self::Btad, Self::Mpdd, Self::Folder, Self::Synthetic];

    /// Its name in a sweep file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mvtec => "mvtec",
            Self::MvtecAd2 => "mvtec-ad2",
            Self::Loco => "loco",
            Self::Visa => "visa",
            Self::Btad => "btad",
            Self::Mpdd => "mpdd",
            Self::Folder => "folder",
            Self::Synthetic => "synthetic",
        }
    }
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

/// Where the images of each category lie, as paths below its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderSettings {
    /// Normal images to train on.
    pub normals: String,
    /// Normal images that are held out; none where they are drawn from the others.
    pub validation: Option<String>,
    /// Normal test images.
    pub test_normals: Option<String>,
    /// Folders of defective test images: each sub-folder is a kind of defect, a folder without any is one kind itself.
    pub anomalies: Vec<String>,
    /// Masks, in the same sub-folders as the anomalies.
    pub masks: Option<String>,
}

impl FolderSettings {
    /// Every folder that is named.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let single = [Some(&self.normals), self.validation.as_ref(), self.test_normals.as_ref(), self.masks.as_ref()];
        single.into_iter().flatten().chain(&self.anomalies).map(String::as_str)
    }
}

/// Which normal images select the epoch and set the threshold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldOutChoice {
    /// The data set's own validation images; a fifth of the training images where it has none.
    #[default]
    OwnOrFifth,
    /// This share of the training images; validation images of the data set are left out.
    Share(f64),
    /// These training images, as paths below the root; validation images of the data set are left out.
    Images(Vec<String>),
}

impl HeldOutChoice {
    /// Whether the sweep file leaves it to the data set.
    pub fn is_default(&self) -> bool {
        *self == Self::OwnOrFifth
    }
}

/// What becomes of the orientation that a camera writes into its pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exif {
    /// Pixels stay as they are stored, which is what Pillow and PyTorch do.
    #[default]
    Ignore,
    /// Image and masks are turned as the picture is meant to be seen.
    Apply,
}

/// How the pixels of a file are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// What becomes of EXIF's orientation.
    #[serde(default)]
    pub exif: Exif,
    /// The value of 16 bits that is white; none = 65535.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub white_level: Option<u16>,
}

impl Reading {
    /// Whether the sweep file says nothing of it; older jobs and keys do not name it then.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Where the images come from and how they are prepared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataSettings {
    /// Folder arrangement; none = it is recognised by what lies there.
    pub layout: Option<Layout>,
    /// Root folder that holds the categories; absent for [`Layout::Synthetic`].
    pub root: Option<PathBuf>,
    /// Which categories.
    pub categories: CategorySelection,
    /// Images are resized to this side, squared.
    pub image_size: usize,
    /// Seed of the split of the training images, where the held-out part is drawn, and of what is painted on it.
    pub split_seed: u64,
    /// How files are read.
    #[serde(default, skip_serializing_if = "Reading::is_default")]
    pub reading: Reading,
    /// Which images are held out.
    #[serde(default, skip_serializing_if = "HeldOutChoice::is_default")]
    pub held_out: HeldOutChoice,
    /// Where the images lie, for [`Layout::Folder`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<FolderSettings>,
    /// Size of the drawn set, for [`Layout::Synthetic`].
    pub synthetic: Option<SyntheticSettings>,
}

impl DataSettings {
    /// All categories below a root, otherwise by default.
    pub fn at(root: &Path, layout: Option<Layout>) -> Self {
        Self {
            layout,
            root: Some(root.to_owned()),
            categories: CategorySelection::All,
            image_size: 256,
            split_seed: 0,
            reading: Reading::default(),
            held_out: HeldOutChoice::OwnOrFifth,
            folder: None,
            synthetic: None,
        }
    }
}
