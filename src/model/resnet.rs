//! ResNet-18 (He et al. 2016), stem to layer3: the teacher and the student.

use dfdx::tensor::{NoneTape, Tape, WithEmptyTape};

use crate::nn::{ConvNorm, Init, Mode, visit_fields};
use crate::tensor::{Backend, Conv2d, Features, OpResult};

/// The three feature levels, finest first: sides 1/4, 1/8, 1/16 of the image; channels W, 2W, 4W of a base width W.
pub type Levels<B, T = NoneTape> = [Features<B, T>; 3];

/// Two 3×3 convolutions with a shortcut.
#[derive(Debug, Clone)]
struct BasicBlock<B: Backend> {
    first: ConvNorm<B>,
    second: ConvNorm<B>,
    /// 1×1 convolution where side or channels change.
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

    fn forward<T: Tape<f32, B::Device>>(&mut self, x: Features<B, T>, mode: Mode) -> OpResult<B, Features<B, T>> {
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

/// ResNet-18 without layer4 and classifier.
#[derive(Debug, Clone)]
pub struct Resnet18<B: Backend> {
    stem: ConvNorm<B>,
    layer1: Vec<BasicBlock<B>>,
    layer2: Vec<BasicBlock<B>>,
    layer3: Vec<BasicBlock<B>>,
}

visit_fields!(Resnet18: stem; layer1, layer2, layer3);

impl<B: Backend> Resnet18<B> {
    /// A network of the given base width (64 in the paper) with torchvision's random initialisation.
    pub fn new(init: &Init, width: usize) -> Self {
        let stage = |name: &str, input: usize, output: usize, stride: usize| {
            vec![
                BasicBlock::new(init, &format!("{name}.0"), input, output, stride),
                BasicBlock::new(init, &format!("{name}.1"), output, output, 1),
            ]
        };
        let stem = Conv2d { input: 3, output: width, kernel: 7, stride: 2, padding: 3, input_gradient: false };
        Self {
            stem: ConvNorm::new(init, "conv1", "bn1", stem),
            layer1: stage("layer1", width, width, 1),
            layer2: stage("layer2", width, 2 * width, 2),
            layer3: stage("layer3", 2 * width, 4 * width, 2),
        }
    }

    /// Normalised RGB images (N, side, side, 3) to the three levels.
    ///
    /// Levels 1 and 2 have empty tapes, level 3 holds the tape of all: use each in the loss and merge.
    pub fn forward<T: Tape<f32, B::Device>>(
        &mut self,
        images: Features<B, T>,
        mode: Mode,
    ) -> OpResult<B, Levels<B, T>> {
        let x = self.stem.forward(images, None, true, mode)?;
        let x = B::max_pool(x)?;
        let x = through(&mut self.layer1, x, mode)?;
        let level1 = x.with_empty_tape();
        let x = through(&mut self.layer2, x, mode)?;
        let level2 = x.with_empty_tape();
        let level3 = through(&mut self.layer3, x, mode)?;
        Ok([level1, level2, level3])
    }

    /// Forward multiply-accumulates for one image of the given side.
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

fn through<B: Backend, T: Tape<f32, B::Device>>(
    blocks: &mut [BasicBlock<B>],
    x: Features<B, T>,
    mode: Mode,
) -> OpResult<B, Features<B, T>> {
    blocks.iter_mut().try_fold(x, |x, block| block.forward(x, mode))
}
