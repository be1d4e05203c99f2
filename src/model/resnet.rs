//! ResNet-18 (He et al. 2016), stem to layer3: the teacher and the student.

use dfdx::tensor::{NoneTape, Tape, WithEmptyTape};

use crate::nn::{BatchNorm, Conv, Init, Mode, visit_fields};
use crate::tensor::{Backend, Conv2d, Features, OpResult};

/// The three feature levels, finest first: sides 1/4, 1/8, 1/16 of the image; channels W, 2W, 4W of a base width W.
pub type Levels<B, T = NoneTape> = [Features<B, T>; 3];

/// Two 3×3 convolutions with a shortcut.
#[derive(Debug, Clone)]
struct BasicBlock<B: Backend> {
    conv1: Conv<B>,
    bn1: BatchNorm<B>,
    conv2: Conv<B>,
    bn2: BatchNorm<B>,
    /// 1×1 convolution where side or channels change.
    downsample: Vec<Downsample<B>>,
}

#[derive(Debug, Clone)]
struct Downsample<B: Backend> {
    conv: Conv<B>,
    bn: BatchNorm<B>,
}

visit_fields!(Downsample: conv, bn);
visit_fields!(BasicBlock: conv1, bn1, conv2, bn2; downsample);

fn conv3x3(input: usize, output: usize, stride: usize) -> Conv2d {
    Conv2d { input, output, kernel: 3, stride, padding: 1, input_gradient: true }
}

impl<B: Backend> BasicBlock<B> {
    fn new(init: &Init, name: &str, input: usize, output: usize, stride: usize) -> Self {
        let downsample = (stride != 1 || input != output).then(|| Downsample {
            conv: Conv::kaiming(
                init,
                &format!("{name}.downsample.0"),
                Conv2d { input, output, kernel: 1, stride, padding: 0, input_gradient: true },
            ),
            bn: BatchNorm::new(init, &format!("{name}.downsample.1"), output),
        });
        Self {
            conv1: Conv::kaiming(init, &format!("{name}.conv1"), conv3x3(input, output, stride)),
            bn1: BatchNorm::new(init, &format!("{name}.bn1"), output),
            conv2: Conv::kaiming(init, &format!("{name}.conv2"), conv3x3(output, output, 1)),
            bn2: BatchNorm::new(init, &format!("{name}.bn2"), output),
            downsample: downsample.into_iter().collect(),
        }
    }

    fn forward<T: Tape<f32, B::Device>>(&mut self, x: Features<B, T>, mode: Mode) -> OpResult<B, Features<B, T>> {
        let shortcut = x.with_empty_tape();
        let y = self.conv1.forward(x)?;
        let y = B::relu(self.bn1.forward(y, mode)?)?;
        let y = self.conv2.forward(y)?;
        let y = self.bn2.forward(y, mode)?;
        let shortcut = match self.downsample.first_mut() {
            Some(downsample) => downsample.bn.forward(downsample.conv.forward(shortcut)?, mode)?,
            None => shortcut,
        };
        B::relu(B::add(y, shortcut)?)
    }

    fn multiply_accumulates(&self, side: usize) -> (u64, usize) {
        let out = self.conv1.geometry().output_side(side);
        let shortcut = self.downsample.first().map_or(0, |d| d.conv.geometry().multiply_accumulates(side, side));
        let main = self.conv1.geometry().multiply_accumulates(side, side)
            + self.conv2.geometry().multiply_accumulates(out, out);
        (main + shortcut, out)
    }
}

/// ResNet-18 without layer4 and classifier.
#[derive(Debug, Clone)]
pub struct Resnet18<B: Backend> {
    conv1: Conv<B>,
    bn1: BatchNorm<B>,
    layer1: Vec<BasicBlock<B>>,
    layer2: Vec<BasicBlock<B>>,
    layer3: Vec<BasicBlock<B>>,
}

visit_fields!(Resnet18: conv1, bn1; layer1, layer2, layer3);

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
            conv1: Conv::kaiming(init, "conv1", stem),
            bn1: BatchNorm::new(init, "bn1", width),
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
        let x = self.conv1.forward(images)?;
        let x = B::relu(self.bn1.forward(x, mode)?)?;
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
        let mut total = self.conv1.geometry().multiply_accumulates(side, side);
        let mut side = self.conv1.geometry().output_side(side).div_ceil(2);
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
