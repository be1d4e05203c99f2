//! ResNets (He et al. 2016) from stem to layer3, for the teacher and the student.

use dfdx::tensor::NoneTape;

use super::block::{Block, cost_of_blocks, forward_blocks, square};
use super::{Backbone, LevelSet};
use crate::nn::{ConvNorm, Init, Mode, visit_fields};
use crate::tensor::{Backend, Conv2d, Features, OpResult, Tape};

/// Features of the selected levels, finest first. Levels 1, 2, 3 have sides 1/4, 1/8, 1/16 of the image and the channels of
/// [`Backbone::channels_of`].
pub type Levels<B, T = NoneTape> = Vec<Features<B, T>>;

/// A ResNet without layer4 and classifier, and without the layers after its coarsest selected level.
#[derive(Debug, Clone)]
pub struct Resnet<B: Backend> {
    stem: ConvNorm<B>,
    layer1: Vec<Block<B>>,
    layer2: Vec<Block<B>>,
    layer3: Vec<Block<B>>,
    levels: LevelSet,
}

visit_fields!(Resnet: stem; layer1, layer2, layer3);

impl<B: Backend> Resnet<B> {
    /// Creates a network with torchvision's random initialisation.
    pub fn new(init: &Init, backbone: &Backbone) -> Self {
        let layer = |number: usize| match backbone.layer(number) {
            Some((first, blocks)) => {
                Block::layer(init, &format!("layer{number}"), backbone.architecture.block(), first, blocks)
            }
            None => Vec::new(),
        };
        let stem = Conv2d { input_gradient: false, ..square(7, 3, backbone.width, 2) };
        Self {
            stem: ConvNorm::new(init, "conv1", "bn1", stem),
            layer1: layer(1),
            layer2: layer(2),
            layer3: layer(3),
            levels: backbone.levels,
        }
    }

    /// Maps normalised RGB images (N, side, side, 3) to the features of the levels.
    ///
    /// The last level holds the tape of all levels. The others have empty tapes. Use each level in the loss and merge the tapes.
    pub fn forward<T: Tape>(&mut self, images: Features<B, T>, mode: Mode) -> OpResult<Levels<B, T>> {
        let x = self.stem.forward(images, None, true, mode)?;
        let mut x = B::max_pool(x)?;
        let mut levels = Vec::with_capacity(self.levels.count());
        for (number, layer) in (1..=self.levels.coarsest()).zip([&mut self.layer1, &mut self.layer2, &mut self.layer3])
        {
            x = forward_blocks(layer, x, mode)?;
            if self.levels.contains(number) && number < self.levels.coarsest() {
                levels.push(x.with_empty_tape());
            }
        }
        levels.push(x);
        Ok(levels)
    }

    /// Returns the forward multiply-accumulates for one image of the given side.
    pub fn multiply_accumulates(&self, side: usize) -> u64 {
        let stem = self.stem.geometry();
        let start = (stem.multiply_accumulates(side, side), stem.output_side(side).div_ceil(2));
        let (total, _) = [&self.layer1, &self.layer2, &self.layer3].into_iter().fold(start, |(total, side), layer| {
            let (cost, side) = cost_of_blocks(layer, side);
            (total + cost, side)
        });
        total
    }
}
