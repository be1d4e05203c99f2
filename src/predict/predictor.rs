//! The maps of any images: teacher, student and map rule in one pass, by the code of the stages.

use std::path::Path;

use dfdx::shapes::HasShape;

use crate::data::Image;
use crate::evaluate::{FinalMap, LevelMaps, MapRule};
use crate::model::{Assembly, AutoEncoder, Backbone, Resnet};
use crate::nn::Mode;
use crate::tensor::Backend;
use crate::training::{StageError, normalised, selected_assembly};

/// A teacher with the student that learnt from it, and the rule that makes one map of their distances.
pub struct Predictor<B: Backend> {
    teacher: Resnet<B>,
    assembly: Assembly<B>,
    rule: MapRule,
    side: usize,
}

impl<B: Backend> Predictor<B> {
    /// The selected weights of the folder of a joint stage beside the teacher that they were trained with; images and maps are
    /// `side` pixels wide and high.
    ///
    /// # Errors
    /// Weights that cannot be read, or are of other networks.
    pub fn open(
        joint: &Path,
        (teacher, backbone): (Resnet<B>, Backbone),
        model: &AutoEncoder,
        rule: MapRule,
        side: usize,
    ) -> Result<Self, StageError> {
        Ok(Self { teacher, assembly: selected_assembly(joint, &backbone, model)?, rule, side })
    }

    /// The final maps of the images, in their order, from one forward pass: the bits are those of a run that had as many images in
    /// a batch.
    ///
    /// # Errors
    /// What the device says, and a map that is not finite.
    pub fn maps(&mut self, images: &[Image]) -> Result<Vec<FinalMap>, StageError> {
        let batch = normalised::<B>(images.iter(), self.side)?;
        let teacher = self.teacher.forward(batch.clone(), Mode::Evaluate).map_err(StageError::device)?;
        let distances = self.assembly.distances(batch, &teacher).map_err(StageError::device)?;
        let levels: Vec<LevelMaps> = teacher
            .iter()
            .zip(distances)
            .map(|(level, values)| {
                let (_, height, width, _) = *level.shape();
                LevelMaps { height, width, values }
            })
            .collect();
        let maps = self.rule.all(&levels, self.side);
        match maps.iter().all(|map| map.values.iter().all(|value| value.is_finite())) {
            true => Ok(maps),
            false => Err(StageError::data("an anomaly map is not finite: the weights are damaged")),
        }
    }
}
