//! The stage `score`: per-level distance maps of test and held-out images, at the levels' own resolution.

use std::path::Path;
use std::time::Instant;

use crate::data::{FeatureSet, Sample, SplitRule};
use crate::evaluate::{LevelMaps, ScoreHeader, Selection, Snapshot, TestImage, maps_file};
use crate::model::{Assembly, AutoEncoder};
use crate::nn::State;
use crate::tensor::Backend;
use crate::training::{
    Batches, JointSummary, Progress, SELECTED, StageContext, StageError, backbone, distance_maps, forward_milliseconds,
    load_assembly,
};

/// What the stage works on.
pub struct ScoreInput<'a> {
    /// Folder of the joint stage.
    pub joint: &'a Path,
    /// Folder of features(train).
    pub features_train: &'a Path,
    /// Folder of features(test).
    pub features_test: &'a Path,
    /// The test images, for their labels.
    pub test: &'a [Sample],
    /// The held-out part.
    pub split: &'a SplitRule,
    /// Whose weights.
    pub selection: Selection,
    /// Auto-encoders, or none.
    pub model: &'a AutoEncoder,
}

/// Writes the score artifact.
pub fn score<B: Backend>(input: &ScoreInput<'_>, context: &mut StageContext<'_>) -> Result<(), StageError> {
    let train = FeatureSet::open(input.features_train).map_err(StageError::artifact)?;
    let test = FeatureSet::open(input.features_test).map_err(StageError::artifact)?;
    if test.len() != input.test.len() {
        return Err(StageError::data(format!(
            "the test part has {} images now, {} when its features were made: start the sweep again to plan anew",
            input.test.len(),
            test.len()
        )));
    }
    let split = input.split.split(train.len()).map_err(StageError::data)?;
    let summary = JointSummary::read(input.joint)?;
    let snapshots: Vec<(String, Snapshot)> = match input.selection {
        Selection::Selected => vec![(SELECTED.to_owned(), snapshot("selected", summary.selected_epoch))],
        Selection::Last => vec![("last.safetensors".to_owned(), snapshot("last", summary.epochs))],
        // The selected epoch, too: what is best on test is no worse than it.
        Selection::Oracle => summary
            .oracle
            .iter()
            .filter(|&&epoch| epoch != summary.selected_epoch)
            .map(|&epoch| (JointSummary::snapshot_file(epoch), snapshot(&format!("epoch-{epoch:04}"), epoch)))
            .chain([(SELECTED.to_owned(), snapshot("selected", summary.selected_epoch))])
            .collect(),
    };

    let (test_batches, train_batches) = (Batches::streamed(&test), Batches::streamed(&train));
    let mut assembly = Assembly::<B>::new(0, &backbone(train.header(), summary.architecture)?, input.model);
    let indices: Vec<usize> = (0..test.len()).collect();
    for (done, (file, snapshot)) in snapshots.iter().enumerate() {
        if context.observer.stop_requested() {
            return Err(StageError::Interrupted);
        }
        let weights = input.joint.join(file);
        let state = State::load(&weights).map_err(StageError::artifact)?;
        load_assembly(&mut assembly, &state)?;
        let started = Instant::now();
        let maps = distance_maps(&mut assembly, &test_batches, &indices)?;
        let milliseconds = 1e3 * started.elapsed().as_secs_f64() / test.len() as f64;
        context.observer.cost("milliseconds_per_image", milliseconds);
        context.observer.cost("forward_milliseconds_per_image", forward_milliseconds(&mut assembly, &test_batches)?);
        let held_out = distance_maps(&mut assembly, &train_batches, &split.held_out)?;
        for (set, levels) in [("test", maps), ("held-out", held_out)] {
            for (level, maps) in levels.iter().enumerate() {
                if let Some(value) = maps.values.iter().find(|value| !value.is_finite()) {
                    let (value, epoch) = (f64::from(*value), snapshot.epoch);
                    return Err(StageError::Diverged { what: "an anomaly map", value, epoch, step: 0 });
                }
                write_maps(context.out, &snapshot.folder, set, level, maps)?;
            }
        }
        context.observer.progress(Progress { done: done + 1, total: snapshots.len(), unit: "snapshot", loss: None });
    }

    let header = ScoreHeader {
        levels: test.header().levels.iter().map(|level| (level.height, level.width)).collect(),
        snapshots: snapshots.into_iter().map(|(_, snapshot)| snapshot).collect(),
        test: input.test.iter().map(|s| TestImage { image: s.image.clone(), defect: s.defect.clone() }).collect(),
        held_out: split.held_out.len(),
        parameters: summary.parameters,
        multiply_accumulates: summary.multiply_accumulates,
    };
    let text = serde_json::to_vec_pretty(&header).map_err(StageError::artifact)?;
    write(&context.out.join("score.json"), &text)
}

fn snapshot(folder: &str, epoch: usize) -> Snapshot {
    Snapshot { folder: folder.to_owned(), epoch }
}

fn write_maps(out: &Path, snapshot: &str, set: &str, level: usize, maps: &LevelMaps) -> Result<(), StageError> {
    let path = maps_file(out, snapshot, set, level);
    let folder = path.parent().unwrap_or(out);
    std::fs::create_dir_all(folder).and_then(|()| maps.write(&path)).map_err(StageError::writing(&path))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), StageError> {
    std::fs::write(path, bytes).map_err(StageError::writing(path))
}
