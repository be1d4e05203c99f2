//! Computes the maps of images: teacher, student and map rule in one pass, with the code of the stages.

use std::path::Path;

use crate::data::Image;
use crate::evaluate::{FinalMap, LevelMaps, MapRule};
use crate::model::{Assembly, Backbone, Model, Resnet};
use crate::nn::Mode;
use crate::tensor::Backend;
use crate::training::{StageError, normalised, selected_assembly};

/// A teacher, the student that was trained with it, and the rule that fuses their distances into one map.
pub struct Predictor<B: Backend> {
    teacher: Resnet<B>,
    assembly: Assembly<B>,
    rule: MapRule,
    side: usize,
}

impl<B: Backend> Predictor<B> {
    /// Loads the selected weights from the folder of a joint stage. `teacher` is the teacher of that stage. Images and maps are
    /// `side` pixels wide and high.
    ///
    /// # Errors
    /// The weights cannot be read or belong to other networks.
    pub fn open(
        joint: &Path,
        (teacher, backbone): (Resnet<B>, Backbone),
        model: &Model,
        rule: MapRule,
        side: usize,
    ) -> Result<Self, StageError> {
        Ok(Self { teacher, assembly: selected_assembly(joint, &backbone, model)?, rule, side })
    }

    /// Computes the final maps of the images, in their order, in one forward pass. The bits equal those of a run with the same
    /// number of images in a batch.
    ///
    /// # Errors
    /// The device fails, or a map is not finite.
    pub fn maps(&mut self, images: &[Image]) -> Result<Vec<FinalMap>, StageError> {
        let batch = normalised::<B>(images.iter(), self.side)?;
        let teacher = self.teacher.forward(batch.clone(), Mode::Evaluate).map_err(StageError::device)?;
        let distances = self.assembly.distances(|| Ok::<_, StageError>(batch), &teacher)?;
        let levels: Vec<LevelMaps> = teacher
            .iter()
            .zip(distances)
            .map(|(level, values)| {
                let (_, height, width, _) = *level.shape();
                LevelMaps { height, width, values }
            })
            .collect();
        let maps = self.rule.final_maps(&levels, self.side);
        match maps.iter().all(|map| map.values.iter().all(|value| value.is_finite())) {
            true => Ok(maps),
            false => Err(StageError::data("an anomaly map is not finite: the weights are damaged")),
        }
    }
}
