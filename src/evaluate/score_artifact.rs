//! What the stage `score` leaves: per-level maps of test and held-out images, at the levels' own resolution.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::LevelMaps;
use crate::cause::Context;

/// One set of weights that was scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Folder of its maps.
    pub folder: String,
    /// Its epoch, from 1.
    pub epoch: usize,
}

/// One test image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestImage {
    /// Path below the category.
    pub image: String,
    /// Kind of defect; none for a normal image.
    pub defect: Option<String>,
}

/// What a score artifact holds.
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
    /// Trained values of student and auto-encoders.
    pub parameters: usize,
    /// Forward multiply-accumulates an image.
    pub multiply_accumulates: u64,
}

impl ScoreHeader {
    /// Its file in the artifact.
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

/// The ground truth of one test image, in an evaluate artifact; absent for a normal image.
pub(crate) fn mask_file(evaluate: &Path, index: usize) -> PathBuf {
    evaluate.join("pictures").join(format!("{index:04}-mask.png"))
}
