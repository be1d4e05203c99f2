//! What a sweep file says of its networks.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Backbone of teacher and student; the base width is read off the weight file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// ResNet-18 (He et al. 2016), stem to layer3.
    Resnet18,
}

/// Where the teacher's weights come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightSource {
    /// The small teacher that didact carries.
    Demo,
    /// A `.safetensors` or `.pth` file with torchvision's tensor names.
    File(PathBuf),
}

/// The frozen teacher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeacherSettings {
    /// Its shape.
    pub architecture: Architecture,
    /// Its weights.
    pub weights: WeightSource,
}

/// How a U-Net's contraction stages are joined to its expansion stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skip {
    /// No connection: everything passes the bottleneck.
    None,
    /// The contraction stage's input is added.
    Add,
    /// Concatenated after projection to half the channels, no convolution afterwards.
    Concat,
    /// Concatenated, then a 3×3 convolution: the classic U-Net (Ronneberger et al. 2015).
    ConcatConv,
}

/// Shape of the U-Net at every level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnetSettings {
    /// Kind of skip connection.
    pub skip: Skip,
    /// Number of contraction (and expansion) stages; each halves the side.
    pub depth: usize,
    /// Factor on the inner channels (C·2^i·width).
    pub width: f64,
    /// What is done to the features before they enter, in training; the target stays as it is.
    #[serde(default, skip_serializing_if = "Corruption::is_plain")]
    pub input: Corruption,
}

/// What an auto-encoder must undo in training: with a skip connection it could otherwise copy its input (Vincent et al. 2008).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Corruption {
    /// Nothing.
    #[default]
    Plain,
    /// Gaussian noise of this deviation is added.
    Noise(f64),
    /// This share of the positions is 0 in all channels.
    Masked(f64),
    /// This share of the values is 0, the others larger by as much (Srivastava et al. 2014).
    Dropout(f64),
}

impl Corruption {
    /// Whether nothing is done.
    pub fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

/// What stands between the student's features and the comparison with the teacher's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AutoEncoder {
    /// Nothing: ST-FPM itself (Wang et al. 2021).
    None,
    /// One U-Net per level.
    Unet(UnetSettings),
}
