//! ResNets of basic blocks (He et al. 2016), stem to layer3, for the teacher and the student.

use dfdx::tensor::NoneTape;

use super::{Backbone, LevelSet};
use crate::nn::{ConvNorm, Init, Mode, visit_fields};
use crate::tensor::{Backend, Conv2d, Features, OpResult, Tape};

/// Features of the selected levels, finest first. Levels 1, 2, 3 have sides 1/4, 1/8, 1/16 of the image and channels W, 2W, 4W for a base
/// width W.
pub type Levels<B, T = NoneTape> = Vec<Features<B, T>>;

/// Two 3×3 convolutions with a shortcut.
#[derive(Debug, Clone)]
struct BasicBlock<B: Backend> {
    first: ConvNorm<B>,
    second: ConvNorm<B>,
    /// 1×1 convolution, if side or channels change.
    downsample: Vec<ConvNorm<B>>,
}

visit_fields!(BasicBlock: first, second; downsample);

fn conv3x3(input: usize, output: usize, stride: usize) -> Conv2d {
    Conv2d { input, output, kernel: 3, stride, padding: 1, input_gradient: true }
}

impl<B: Backend> BasicBlock<B> {
    fn new(init: &Init, name: &str, input: usize, output: usize, stride: usize) -> Self {
        let layer = |conv: &str, bn: &str, geometry| {
            ConvNorm::new(init, &format!("{name}.{conv}"), &format!("{name}.{bn}"), geometry)
        };
        let shortcut = Conv2d { input, output, kernel: 1, stride, padding: 0, input_gradient: true };
        let downsample = (stride != 1 || input != output).then(|| layer("downsample.0", "downsample.1", shortcut));
        Self {
            first: layer("conv1", "bn1", conv3x3(input, output, stride)),
            second: layer("conv2", "bn2", conv3x3(output, output, 1)),
            downsample: downsample.into_iter().collect(),
        }
    }

    fn forward<T: Tape>(&mut self, x: Features<B, T>, mode: Mode) -> OpResult<Features<B, T>> {
        let shortcut = x.with_empty_tape();
        let y = self.first.forward(x, None, true, mode)?;
        let shortcut = match self.downsample.first_mut() {
            Some(downsample) => downsample.forward(shortcut, None, false, mode)?,
            None => shortcut,
        };
        self.second.forward(y, Some(shortcut), true, mode)
    }

    fn multiply_accumulates(&self, side: usize) -> (u64, usize) {
        let out = self.first.geometry().output_side(side);
        let shortcut = self.downsample.first().map_or(0, |d| d.geometry().multiply_accumulates(side, side));
        let main = self.first.geometry().multiply_accumulates(side, side)
            + self.second.geometry().multiply_accumulates(out, out);
        (main + shortcut, out)
    }
}

/// A ResNet without layer4 and classifier, and without the layers after its coarsest selected level.
#[derive(Debug, Clone)]
pub struct Resnet<B: Backend> {
    stem: ConvNorm<B>,
    layer1: Vec<BasicBlock<B>>,
    layer2: Vec<BasicBlock<B>>,
    layer3: Vec<BasicBlock<B>>,
    levels: LevelSet,
}

visit_fields!(Resnet: stem; layer1, layer2, layer3);

impl<B: Backend> Resnet<B> {
    /// Creates a network with torchvision's random initialisation.
    pub fn new(init: &Init, backbone: &Backbone) -> Self {
        let Backbone { architecture, width, levels } = *backbone;
        let layer = |number: usize, input: usize, stride: usize| -> Vec<BasicBlock<B>> {
            let output = width << (number - 1);
            let blocks = if number > levels.coarsest() { 0 } else { architecture.blocks()[number - 1] };
            (0..blocks)
                .map(|block| {
                    let name = format!("layer{number}.{block}");
                    match block {
                        0 => BasicBlock::new(init, &name, input, output, stride),
                        _ => BasicBlock::new(init, &name, output, output, 1),
                    }
                })
                .collect()
        };
        let stem = Conv2d { input: 3, output: width, kernel: 7, stride: 2, padding: 3, input_gradient: false };
        Self {
            stem: ConvNorm::new(init, "conv1", "bn1", stem),
            layer1: layer(1, width, 1),
            layer2: layer(2, width, 2),
            layer3: layer(3, 2 * width, 2),
            levels,
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
        let mut total = self.stem.geometry().multiply_accumulates(side, side);
        let mut side = self.stem.geometry().output_side(side).div_ceil(2);
        for block in self.layer1.iter().chain(&self.layer2).chain(&self.layer3) {
            let (count, out) = block.multiply_accumulates(side);
            total += count;
            side = out;
        }
        total
    }
}

fn forward_blocks<B: Backend, T: Tape>(
    blocks: &mut [BasicBlock<B>],
    x: Features<B, T>,
    mode: Mode,
) -> OpResult<Features<B, T>> {
    blocks.iter_mut().try_fold(x, |x, block| block.forward(x, mode))
}
