//! Shape of teacher and student.

use serde::{Deserialize, Serialize};

use super::LevelSet;

/// Which network; a weight file says it by the number of its blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// ResNet-18 (He et al. 2016), stem to layer3.
    #[default]
    Resnet18,
    /// ResNet-34, stem to layer3.
    Resnet34,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Resnet18, Self::Resnet34];

    /// As in a sweep file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resnet18 => "resnet18",
            Self::Resnet34 => "resnet34",
        }
    }

    /// As in the paper.
    pub fn title(self) -> &'static str {
        match self {
            Self::Resnet18 => "ResNet-18",
            Self::Resnet34 => "ResNet-34",
        }
    }

    /// Basic blocks of layer1 to layer3.
    pub fn blocks(self) -> [usize; 3] {
        match self {
            Self::Resnet18 => [2, 2, 2],
            Self::Resnet34 => [3, 4, 6],
        }
    }
}

/// A network down to its coarsest level that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backbone {
    /// Which network.
    pub architecture: Architecture,
    /// Channels of level 1 (64 in the paper); each level has twice those of the one before.
    pub width: usize,
    /// The levels that are looked at.
    pub levels: LevelSet,
}

impl Backbone {
    /// The whole network of a base width.
    pub fn new(architecture: Architecture, width: usize) -> Self {
        Self { architecture, width, levels: LevelSet::ALL }
    }

    /// The levels' numbers and channels, finest first.
    pub fn channels(&self) -> impl Iterator<Item = (usize, usize)> {
        let width = self.width;
        self.levels.numbers().map(move |level| (level, width << (level - 1)))
    }
}
