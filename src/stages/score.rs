//! The stage `score`: per-level distance maps of test and held-out images, at the resolution of each level.

use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::effort::{Effort, Extent, network, shape};
use super::features::FeaturesJob;
use super::inputs::{Check, ImageSet, TeacherRef};
use super::joint::JointJob;
use super::stage::{ArtifactFolders, KeyOf, Need, Stage};
use crate::data::{FeatureSet, SplitRule};
use crate::evaluate::{LevelMaps, ScoreHeader, Selection, Snapshot, TestImage, maps_file};
use crate::model::{Assembly, Model};
use crate::nn::State;
use crate::tensor::Backend;
use crate::training::{
    Batches, JointSummary, LAST, Progress, SELECTED, StageContext, StageError, backbone, distance_maps,
    forward_milliseconds, load_assembly, snapshot_file, write_json,
};

/// Computes per-level maps of the test and held-out images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreJob {
    /// Joint training that provides the weights.
    pub joint: KeyOf<JointJob>,
    /// Features of the training part, for the held-out images.
    pub features_train: KeyOf<FeaturesJob>,
    /// Features of the test images.
    pub features_test: KeyOf<FeaturesJob>,
    /// Which images are held out.
    pub split: SplitRule,
    /// The test images, for their names and kinds of defect.
    pub test_images: ImageSet,
    /// The weights that are scored.
    pub selection: Selection,
    /// The teacher. The student has the same architecture, or mirrors it.
    pub teacher: TeacherRef,
    /// Student, and its auto-encoders if there are any.
    pub model: Model,
}

impl Stage for ScoreJob {
    const NAME: &'static str = "score";
    const REVISION: u32 = 1;

    fn needs(&self) -> Vec<Need> {
        let joint = match self.selection {
            Selection::Oracle => self.joint.need_with_spare_files(),
            Selection::Selected | Selection::Last => self.joint.need(),
        };
        vec![joint, self.features_train.need(), self.features_test.need()]
    }

    fn effort(&self, extent: &Extent) -> Effort {
        let shape = shape(&self.model) + &network(self.teacher.architecture);
        Effort::new(Self::NAME, &shape, extent.held_out + extent.test, extent)
    }

    /// Writes a [`ScoreHeader`] and the maps that it lists.
    fn run<B: Backend>(
        &self,
        artifacts: &dyn ArtifactFolders,
        context: &mut StageContext<'_>,
    ) -> Result<(), StageError> {
        let samples = self.test_images.open(Check::Count)?;
        let joint = self.joint.folder(artifacts);
        let train = FeatureSet::open(&self.features_train.folder(artifacts)).map_err(StageError::artifact)?;
        let test = FeatureSet::open(&self.features_test.folder(artifacts)).map_err(StageError::artifact)?;
        if test.len() != samples.len() {
            return Err(StageError::data(format!(
                "the test part had {} images when its features were computed and has {} now: start the sweep again to plan with the \
                 new images",
                test.len(),
                samples.len()
            )));
        }
        let split = self.split.split(train.len()).map_err(StageError::data)?;
        let summary = JointSummary::read(&joint)?;
        let snapshots = self.snapshots(&summary);
        let mut assembly = Assembly::<B>::new(0, &backbone(train.header(), summary.architecture)?, &self.model);
        let indices: Vec<usize> = (0..test.len()).collect();
        for (done, (file, snapshot)) in snapshots.iter().enumerate() {
            if context.observer.stop_requested() {
                return Err(StageError::Interrupted);
            }
            let weights = joint.join(file);
            let state = State::load(&weights).map_err(StageError::artifact)?;
            load_assembly(&mut assembly, &state)?;
            let maps = if done == 0 {
                // The costs are measured on the worker's own threads, so that they compare.
                let batches = Batches::streamed(&test);
                let started = Instant::now();
                let maps = distance_maps(&mut assembly, &batches, &indices)?;
                let milliseconds = 1e3 * started.elapsed().as_secs_f64() / test.len() as f64;
                context.observer.cost("milliseconds_per_image", milliseconds);
                let forward = forward_milliseconds(&mut assembly, &batches)?;
                context.observer.cost("forward_milliseconds_per_image", forward);
                maps
            } else {
                context.threads.run_on::<B, _>(|| distance_maps(&mut assembly, &Batches::streamed(&test), &indices)).0?
            };
            let held_out = context
                .threads
                .run_on::<B, _>(|| distance_maps(&mut assembly, &Batches::streamed(&train), &split.held_out))
                .0?;
            for (set, levels) in [("test", maps), ("held-out", held_out)] {
                for (level, maps) in levels.iter().enumerate() {
                    if let Some(value) = maps.values.iter().find(|value| !value.is_finite()) {
                        let (value, epoch) = (f64::from(*value), snapshot.epoch);
                        return Err(StageError::Diverged { what: "an anomaly map", value, epoch, step: 0 });
                    }
                    write_maps(context.out, &snapshot.folder, set, level, maps)?;
                }
            }
            context.observer.progress(Progress {
                done: done + 1,
                total: snapshots.len(),
                unit: "snapshot",
                loss: None,
            });
        }

        let header = ScoreHeader {
            levels: test.header().levels.iter().map(|level| (level.height, level.width)).collect(),
            snapshots: snapshots.into_iter().map(|(_, snapshot)| snapshot).collect(),
            test: samples.iter().map(|s| TestImage { image: s.image.clone(), defect: s.defect.clone() }).collect(),
            held_out: split.held_out.len(),
            parameters: summary.parameters,
            multiply_accumulates: summary.multiply_accumulates,
        };
        write_json(&context.out.join(ScoreHeader::FILE), &header)
    }

    fn selection(&self) -> Option<Selection> {
        Some(self.selection)
    }
}

impl ScoreJob {
    /// Returns the weight files to score, each with its snapshot.
    fn snapshots(&self, summary: &JointSummary) -> Vec<(String, Snapshot)> {
        match self.selection {
            Selection::Selected => vec![(SELECTED.to_owned(), snapshot("selected", summary.selected_epoch))],
            Selection::Last => vec![(LAST.to_owned(), snapshot("last", summary.epochs))],
            // Includes the selected epoch, so that the best result on the test set is never worse than the selected one.
            Selection::Oracle => summary
                .oracle
                .iter()
                .filter(|&&epoch| epoch != summary.selected_epoch)
                .map(|&epoch| (snapshot_file(epoch), snapshot(&format!("epoch-{epoch:04}"), epoch)))
                .chain([(SELECTED.to_owned(), snapshot("selected", summary.selected_epoch))])
                .collect(),
        }
    }
}

fn snapshot(folder: &str, epoch: usize) -> Snapshot {
    Snapshot { folder: folder.to_owned(), epoch }
}

fn write_maps(out: &Path, snapshot: &str, set: &str, level: usize, maps: &LevelMaps) -> Result<(), StageError> {
    let path = maps_file(out, snapshot, set, level);
    let folder = path.parent().unwrap_or(out);
    std::fs::create_dir_all(folder).and_then(|()| maps.write(&path)).map_err(StageError::writing(&path))
}
