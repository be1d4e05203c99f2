//! Output of the stage `score`: per-level maps of test and held-out images, at the levels' own resolution.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::LevelMaps;
use crate::cause::Context;

/// One scored set of weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Folder of the maps.
    pub folder: String,
    /// Epoch of the weights, from 1.
    pub epoch: usize,
}

/// One test image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestImage {
    /// Path below the category.
    pub image: String,
    /// Kind of defect; `None` for a normal image.
    pub defect: Option<String>,
}

/// Content of a score artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreHeader {
    /// (height, width) of each level's maps, finest first.
    pub levels: Vec<(usize, usize)>,
    /// The scored weights.
    pub snapshots: Vec<Snapshot>,
    /// Test images, in the order of the maps.
    pub test: Vec<TestImage>,
    /// Number of held-out images.
    pub held_out: usize,
    /// Number of trained values of student and auto-encoders.
    pub parameters: usize,
    /// Forward multiply-accumulate operations per image.
    pub multiply_accumulates: u64,
}

impl ScoreHeader {
    /// File name in the artifact.
    pub const FILE: &str = "score.json";

    /// Reads the header of a score artifact.
    pub fn read(folder: &Path) -> std::io::Result<Self> {
        let path = folder.join(Self::FILE);
        serde_json::from_slice(&std::fs::read(&path)?)
            .map_err(|error| std::io::Error::other(Context::reading(&path)(error)))
    }

    /// Reads the maps of one snapshot: `set` is "test" or "held-out".
    pub fn maps(
        &self,
        folder: &Path,
        snapshot: &Snapshot,
        set: &str,
        images: usize,
    ) -> std::io::Result<Vec<LevelMaps>> {
        self.levels
            .iter()
            .enumerate()
            .map(|(level, &(height, width))| {
                LevelMaps::read(&maps_file(folder, &snapshot.folder, set, level), images, height, width)
            })
            .collect()
    }
}

pub(crate) fn maps_file(folder: &Path, snapshot: &str, set: &str, level: usize) -> PathBuf {
    folder.join(snapshot).join(format!("{set}-level{}.f32", level + 1))
}

/// Returns the path of one test image's ground truth in an evaluate artifact. The file does not exist for a normal image.
pub(crate) fn mask_file(evaluate: &Path, index: usize) -> PathBuf {
    evaluate.join("pictures").join(format!("{index:04}-mask.png"))
}
