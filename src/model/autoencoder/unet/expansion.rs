//! An expansion stage of a U-Net. It doubles the side and joins the input of the contraction stage of the same side.

use super::{InnerNorm, Skip, UnetSettings, Upsample};
use crate::nn::{BatchNorm, Conv, ConvTranspose, Init, Input, Mode, Module, delegate_module, visit_fields};
use crate::tensor::{Activation, Backend, Conv2d, Features, OpResult, Resampling, Tape};

/// The layer that doubles the side.
#[derive(Debug, Clone)]
enum Up<B: Backend> {
    Transposed(ConvTranspose<B>),
    /// Up-sampling, then a 3×3 convolution.
    Resampled(Resampling, Conv<B>),
}

impl<B: Backend> Up<B> {
    fn new(init: &Init, name: &str, input: usize, output: usize, settings: &UnetSettings) -> Self {
        let resampled = |map| {
            let conv = Conv::with_bias(init, name, conv(input, output, 3));
            Self::Resampled(map, conv.padded(settings.padding))
        };
        match settings.upsample {
            Upsample::Transposed => Self::Transposed(ConvTranspose::new(init, name, input, output)),
            Upsample::Bilinear => resampled(Resampling::Bilinear),
            Upsample::Nearest => resampled(Resampling::Nearest),
        }
    }

    fn forward<T: Tape>(&self, x: Features<B, T>) -> OpResult<Features<B, T>> {
        match self {
            Self::Transposed(layer) => layer.forward(x),
            Self::Resampled(map, conv) => conv.forward(B::resample(x, *map)?),
        }
    }

    fn multiply_accumulates(&self, side: usize) -> u64 {
        match self {
            Self::Transposed(layer) => layer.multiply_accumulates(side, side),
            Self::Resampled(_, conv) => conv.geometry().multiply_accumulates(2 * side, 2 * side),
        }
    }

    fn module(&self) -> &dyn Module<B> {
        match self {
            Self::Transposed(layer) => layer,
            Self::Resampled(_, conv) => conv,
        }
    }

    fn module_mut(&mut self) -> &mut dyn Module<B> {
        match self {
            Self::Transposed(layer) => layer,
            Self::Resampled(_, conv) => conv,
        }
    }
}

delegate_module!(Up: module, module_mut);

/// One expansion stage.
#[derive(Debug, Clone)]
pub(super) struct Expansion<B: Backend> {
    up: Up<B>,
    /// The 1×1 projection of the skip (concat), or the 3×3 convolution after concatenation (concat-conv).
    join: Vec<Conv<B>>,
    /// Absent at the outermost stage, and without normalisation.
    bn: Vec<BatchNorm<B>>,
    /// Absent at the outermost stage, which is linear.
    activation: Option<Activation>,
}

visit_fields!(Expansion: up; join, bn);

fn conv(input: usize, output: usize, kernel: usize) -> Conv2d {
    Conv2d { input, output, kernel, stride: 1, padding: kernel / 2, input_gradient: true }
}

impl<B: Backend> Expansion<B> {
    /// Creates stage `index` (1 = outermost) from `input` to `output` channels.
    pub(super) fn new(
        init: &Init,
        name: &str,
        (input, output): (usize, usize),
        index: usize,
        settings: &UnetSettings,
    ) -> Self {
        let inner = index > 1;
        let up = if settings.skip == Skip::Concat { output / 2 } else { output };
        let join = match settings.skip {
            Skip::None | Skip::Add => None,
            Skip::Concat => Some(Conv::with_bias(init, &format!("{name}.skip"), conv(output, output - up, 1))),
            Skip::ConcatConv => {
                let after = Conv::with_bias(init, &format!("{name}.conv"), conv(2 * output, output, 3));
                Some(after.padded(settings.padding))
            }
        };
        let normed = inner && settings.norm == InnerNorm::Batch;
        Self {
            up: Up::new(init, &format!("{name}.up"), input, up, settings),
            join: join.into_iter().collect(),
            bn: normed.then(|| BatchNorm::new(init, &format!("{name}.bn"), output)).into_iter().collect(),
            activation: inner.then_some(settings.activation),
        }
    }

    /// Sets where the skip of the next passes comes from. Only a projection reads the skip alone.
    pub(super) fn set_skip_input(&mut self, kind: Skip, input: Input) {
        if kind == Skip::Concat {
            self.join.iter_mut().for_each(|projection| projection.set_input(input));
        }
    }

    /// Maps (N, H, W, I) and the skip (N, 2H, 2W, O) to (N, 2H, 2W, O).
    pub(super) fn forward<T: Tape>(
        &mut self,
        x: Features<B, T>,
        skip: Features<B, T>,
        kind: Skip,
        mode: Mode,
    ) -> OpResult<Features<B, T>> {
        let up = self.up.forward(x)?;
        let joined = match (kind, self.join.first()) {
            (Skip::Add, _) => B::add(up, skip)?,
            (Skip::Concat, Some(projection)) => B::concat(up, projection.forward(skip)?)?,
            (Skip::ConcatConv, Some(conv)) => conv.forward(B::concat(up, skip)?)?,
            _ => up,
        };
        match (self.bn.first_mut(), self.activation) {
            // The backend runs this as one operation.
            (Some(bn), Some(Activation::Relu)) => bn.forward(joined, true, mode),
            (Some(bn), Some(activation)) => B::activate(bn.forward(joined, false, mode)?, activation),
            (None, Some(activation)) => B::activate(joined, activation),
            (_, None) => Ok(joined),
        }
    }

    /// Returns the forward multiply-accumulates for one input of the given side.
    pub(super) fn multiply_accumulates(&self, side: usize) -> u64 {
        let join = self.join.first().map_or(0, |c| c.geometry().multiply_accumulates(2 * side, 2 * side));
        self.up.multiply_accumulates(side) + join
    }
}
