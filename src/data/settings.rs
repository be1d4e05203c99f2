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
    /// Images that a table lists.
    Table,
    /// Drawn by didact itself, in memory.
    Synthetic,
}

impl Layout {
    /// All layouts.
    pub const ALL: [Self; 9] = [
        Self::Mvtec,
        Self::MvtecAd2,
        Self::Loco,
        Self::Visa,
        Self::Btad,
        Self::Mpdd,
        Self::Folder,
        Self::Table,
        Self::Synthetic,
    ];

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
            Self::Table => "table",
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

/// Where the images of each category lie, as paths below its folder: folders, or patterns of files.
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
    /// Masks, in the same sub-folders as the anomalies or in folders of the kinds' names.
    #[serde(default, with = "masks")]
    pub masks: Vec<String>,
}

/// Folders of masks in JSON: none is null and one a text, which is how older keys and stores have them.
mod masks {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    pub(super) fn serialize<S: Serializer>(masks: &[String], serializer: S) -> Result<S::Ok, S::Error> {
        match masks {
            [] => serializer.serialize_none(),
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(Vec::new()),
            Value::String(one) => Ok(vec![one]),
            several => serde_json::from_value(several).map_err(D::Error::custom),
        }
    }
}

impl FolderSettings {
    /// Every folder that is named.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let single = [Some(&self.normals), self.validation.as_ref(), self.test_normals.as_ref()];
        single.into_iter().flatten().chain(&self.masks).chain(&self.anomalies).map(String::as_str)
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

/// What becomes of a category's pixel metrics where defective test images have no mask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unmasked {
    /// They are undefined: no image leaves the test set without being asked for.
    #[default]
    Void,
    /// The data set is refused.
    Refuse,
    /// Such images are left out of the test set, from image metrics, too.
    LeaveOut,
}

impl Unmasked {
    /// Whether such images are no part of the test set.
    pub fn leaves_out(&self) -> bool {
        *self == Self::LeaveOut
    }

    fn is_default(&self) -> bool {
        *self == Self::Void
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
    /// This share of the normal images is drawn for the test, by `split_seed`, where none of them are for it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_normals_share: Option<f64>,
    /// Pixels of masks above this value are defective; 255 is white, whatever the bits of a file.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub mask_threshold: u8,
    /// What becomes of defective test images without a mask.
    #[serde(default, skip_serializing_if = "Unmasked::is_default")]
    pub unmasked: Unmasked,
    /// Where the images lie, for [`Layout::Folder`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<FolderSettings>,
    /// The table that lists the images, for [`Layout::Table`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<PathBuf>,
    /// Size of the drawn set, for [`Layout::Synthetic`].
    pub synthetic: Option<SyntheticSettings>,
}

fn is_zero(value: &u8) -> bool {
    *value == 0
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
            test_normals_share: None,
            mask_threshold: 0,
            unmasked: Unmasked::Void,
            folder: None,
            table: None,
            synthetic: None,
        }
    }
}
