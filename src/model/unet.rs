//! The U-Net auto-encoder of one feature level.
//!
//! With C channels and depth d the channels are c_0 = C and c_i = 2^i·C·width. Contraction stage i: 3×3 convolution with
//! stride 2, c_{i−1} → c_i, batch norm, ReLU. Expansion stage i: transposed 2×2 convolution back to the side of stage i's
//! input, joined with that input as [`Skip`] says, to c_{i−1} channels. The outermost stage is linear with bias: it must
//! give raw features.

use dfdx::tensor::{Tape, WithEmptyTape};

use super::{Skip, UnetSettings};
use crate::nn::{BatchNorm, Conv, ConvNorm, ConvTranspose, Init, Input, Mode, visit_fields};
use crate::tensor::{Backend, Conv2d, Features, OpResult};

#[derive(Debug, Clone)]
struct Expansion<B: Backend> {
    up: ConvTranspose<B>,
    /// The skip's 1×1 projection (concat) or the 3×3 convolution after concatenation (concat-conv).
    join: Vec<Conv<B>>,
    /// Absent at the outermost stage.
    bn: Vec<BatchNorm<B>>,
}

visit_fields!(Expansion: up; join, bn);

/// One auto-encoder: (N, H, W, C) to the same shape. H and W must be divisible by 2^depth.
#[derive(Debug, Clone)]
pub struct Unet<B: Backend> {
    skip: Skip,
    contraction: Vec<ConvNorm<B>>,
    /// Innermost first.
    expansion: Vec<Expansion<B>>,
}

visit_fields!(Unet: ; contraction, expansion);

impl<B: Backend> Unet<B> {
    /// A U-Net for features of `channels` channels; names start with `name`.
    pub fn new(init: &Init, name: &str, channels: usize, settings: &UnetSettings) -> Self {
        let widths: Vec<usize> = (0..=settings.depth)
            .map(|i| match i {
                0 => channels,
                // Even, so that `concat` can halve it.
                _ => (((channels << i) as f64 * settings.width / 2.0).round() as usize * 2).max(2),
            })
            .collect();
        let contraction = (1..=settings.depth)
            .map(|i| {
                let geometry = Conv2d {
                    input: widths[i - 1],
                    output: widths[i],
                    kernel: 3,
                    stride: 2,
                    padding: 1,
                    input_gradient: true,
                };
                let layer = format!("{name}.contraction.{i}");
                ConvNorm::new(init, &format!("{layer}.conv"), &format!("{layer}.bn"), geometry)
            })
            .collect();
        let expansion = (1..=settings.depth)
            .rev()
            .map(|i| Expansion::new(init, &format!("{name}.expansion.{i}"), widths[i], widths[i - 1], i, settings.skip))
            .collect();
        Self { skip: settings.skip, contraction, expansion }
    }

    /// Reconstructs features.
    pub fn forward<T: Tape<f32, B::Device>>(
        &mut self,
        features: Features<B, T>,
        input: Input,
        mode: Mode,
    ) -> OpResult<B, Features<B, T>> {
        if let Some(stage) = self.contraction.first_mut() {
            stage.expect(input);
        }
        // The outermost projection sees the input alone; every other convolution sees trained features, too.
        if let (Skip::Concat, Some(stage)) = (self.skip, self.expansion.last_mut()) {
            stage.join.iter_mut().for_each(|projection| projection.expect(input));
        }
        let mut skips = Vec::with_capacity(self.contraction.len());
        let mut x = features;
        for stage in &mut self.contraction {
            skips.push(x.with_empty_tape());
            x = stage.forward(x, None, true, mode)?;
        }
        for (stage, skip) in self.expansion.iter_mut().zip(skips.into_iter().rev()) {
            x = stage.forward(x, skip, self.skip, mode)?;
        }
        Ok(x)
    }

    /// Forward multiply-accumulates for one feature map of the given side.
    pub fn multiply_accumulates(&self, side: usize) -> u64 {
        let depth = self.contraction.len();
        let contraction = self
            .contraction
            .iter()
            .enumerate()
            .map(|(i, stage)| stage.geometry().multiply_accumulates(side >> i, side >> i));
        let expansion = self.expansion.iter().enumerate().map(|(i, stage)| {
            let input = side >> (depth - i);
            let join = stage.join.first().map_or(0, |c| c.geometry().multiply_accumulates(2 * input, 2 * input));
            stage.up.multiply_accumulates(input, input) + join
        });
        contraction.chain(expansion).sum()
    }
}

impl<B: Backend> Expansion<B> {
    /// Stage `index` (1 = outermost) from `input` to `output` channels.
    fn new(init: &Init, name: &str, input: usize, output: usize, index: usize, skip: Skip) -> Self {
        let outermost = index == 1;
        let up = if skip == Skip::Concat { output / 2 } else { output };
        let conv = |from: usize, to: usize, kernel: usize| Conv2d {
            input: from,
            output: to,
            kernel,
            stride: 1,
            padding: kernel / 2,
            input_gradient: true,
        };
        let join = match skip {
            Skip::None | Skip::Add => None,
            Skip::Concat => Some(Conv::with_bias(init, &format!("{name}.skip"), conv(output, output - up, 1))),
            Skip::ConcatConv => Some(Conv::with_bias(init, &format!("{name}.conv"), conv(2 * output, output, 3))),
        };
        Self {
            up: ConvTranspose::new(init, &format!("{name}.up"), input, up),
            join: join.into_iter().collect(),
            bn: (!outermost).then(|| BatchNorm::new(init, &format!("{name}.bn"), output)).into_iter().collect(),
        }
    }

    fn forward<T: Tape<f32, B::Device>>(
        &mut self,
        x: Features<B, T>,
        skip: Features<B, T>,
        kind: Skip,
        mode: Mode,
    ) -> OpResult<B, Features<B, T>> {
        let up = self.up.forward(x)?;
        let joined = match (kind, self.join.first()) {
            (Skip::Add, _) => B::add(up, skip)?,
            (Skip::Concat, Some(projection)) => B::concat(up, projection.forward(skip)?)?,
            (Skip::ConcatConv, Some(conv)) => conv.forward(B::concat(up, skip)?)?,
            _ => up,
        };
        match self.bn.first_mut() {
            Some(bn) => bn.forward(joined, true, mode),
            None => Ok(joined),
        }
    }
}
