//! The residual block that doubles the side: a transposed 2×2 convolution is where a block of the encoder has its convolution with
//! stride 2, and on the shortcut (Deng and Li 2022, official code).

use crate::model::block::{BlockKind, Shape, square};
use crate::nn::{ConvNorm, Init, Mode, UpNorm, visit_fields};
use crate::tensor::{Backend, Features, OpResult, Tape};

/// A residual block that doubles the side.
#[derive(Debug, Clone)]
pub(super) struct UpBlock<B: Backend> {
    /// The 1×1 convolution before the transposed one, in a bottleneck.
    narrow: Vec<ConvNorm<B>>,
    up: UpNorm<B>,
    /// The convolution after it: 3×3 in a basic block, 1×1 in a bottleneck.
    last: ConvNorm<B>,
    shortcut: UpNorm<B>,
}

visit_fields!(UpBlock: up, last, shortcut; narrow);

impl<B: Backend> UpBlock<B> {
    /// Creates a block. Its parameters are named as those of the official code: `conv1`, `bn1`, …, `upsample.0`, `upsample.1`.
    pub(super) fn new(init: &Init, name: &str, kind: BlockKind, Shape { input, planes, .. }: Shape) -> Self {
        let (inner, output) = (kind.inner(planes), planes * kind.expansion());
        let names = |index: usize| [format!("{name}.conv{index}"), format!("{name}.bn{index}")];
        let conv = |index, geometry| {
            let [conv, bn] = names(index);
            ConvNorm::new(init, &conv, &bn, geometry)
        };
        let up = |index, input| {
            let [conv, bn] = names(index);
            UpNorm::new(init, &conv, &bn, input, inner)
        };
        let (narrow, up, last) = match kind {
            BlockKind::Basic => (Vec::new(), up(1, input), conv(2, square(3, inner, output, 1))),
            BlockKind::Bottleneck { .. } => {
                (vec![conv(1, square(1, input, inner, 1))], up(2, inner), conv(3, square(1, inner, output, 1)))
            }
        };
        let shortcut = UpNorm::new(init, &format!("{name}.upsample.0"), &format!("{name}.upsample.1"), input, output);
        Self { narrow, up, last, shortcut }
    }

    /// Maps (N, H, W, I) to (N, 2H, 2W, O).
    pub(super) fn forward<T: Tape>(&mut self, x: Features<B, T>, mode: Mode) -> OpResult<Features<B, T>> {
        let shortcut = x.with_empty_tape();
        let x = self.narrow.iter_mut().try_fold(x, |x, layer| layer.forward(x, None, true, mode))?;
        let x = self.up.forward(x, true, mode)?;
        let shortcut = self.shortcut.forward(shortcut, false, mode)?;
        self.last.forward(x, Some(shortcut), true, mode)
    }

    /// Returns the forward multiply-accumulates for one input of the given side.
    pub(super) fn multiply_accumulates(&self, side: usize) -> u64 {
        let narrow: u64 = self.narrow.iter().map(|layer| layer.geometry().multiply_accumulates(side, side)).sum();
        let last = self.last.geometry().multiply_accumulates(2 * side, 2 * side);
        narrow + self.up.multiply_accumulates(side) + self.shortcut.multiply_accumulates(side) + last
    }
}
