//! Residual blocks (He et al. 2016): basic ones of two 3×3 convolutions, and bottlenecks of a 1×1, a 3×3 and another 1×1 convolution.

use crate::nn::{ConvNorm, Init, Mode, visit_fields};
use crate::tensor::{Backend, Conv2d, Features, OpResult, Tape};

/// The kind of a network's residual blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// Two 3×3 convolutions.
    Basic,
    /// A 1×1 convolution to `inner` times the planes, a 3×3 convolution, and a 1×1 convolution to four times the planes.
    ///
    /// The 3×3 convolution has the stride, as in torchvision. `inner` is 1 in ResNet-50 and 2 in WideResNet-50-2 (Zagoruyko and
    /// Komodakis 2016).
    Bottleneck {
        /// Factor on the planes within the block.
        inner: usize,
    },
}

impl BlockKind {
    /// Returns the output channels for each of a block's planes.
    pub fn expansion(self) -> usize {
        match self {
            Self::Basic => 1,
            Self::Bottleneck { .. } => 4,
        }
    }

    /// Returns the channels within a block of so many planes.
    pub(super) fn inner(self, planes: usize) -> usize {
        match self {
            Self::Basic => planes,
            Self::Bottleneck { inner } => inner.saturating_mul(planes),
        }
    }

    /// Returns the convolutions of the main path, named `conv1`, `conv2`, … with batch norms `bn1`, `bn2`, …
    fn main_path(self, Shape { input, planes, stride }: Shape) -> Vec<Conv2d> {
        let inner = self.inner(planes);
        let output = planes.saturating_mul(self.expansion());
        match self {
            Self::Basic => vec![square(3, input, inner, stride), square(3, inner, output, 1)],
            Self::Bottleneck { .. } => {
                vec![square(1, input, inner, 1), square(3, inner, inner, stride), square(1, inner, output, 1)]
            }
        }
    }

    /// Returns the 1×1 convolution of the shortcut, named `downsample.0` with a batch norm `downsample.1`, if side or channels change.
    fn shortcut(self, Shape { input, planes, stride }: Shape) -> Option<Conv2d> {
        let output = planes.saturating_mul(self.expansion());
        (stride != 1 || input != output).then(|| square(1, input, output, stride))
    }

    /// Returns every convolution of a block with its name and the name of its batch norm, as in torchvision.
    pub(super) fn convolutions(self, shape: Shape) -> Vec<(String, String, Conv2d)> {
        let main = self.main_path(shape).into_iter().enumerate();
        let main = main.map(|(index, conv)| (format!("conv{}", index + 1), format!("bn{}", index + 1), conv));
        let shortcut = self.shortcut(shape).map(|conv| ("downsample.0".to_owned(), "downsample.1".to_owned(), conv));
        main.chain(shortcut).collect()
    }
}

/// Returns a convolution with a square kernel that keeps the side at stride 1.
pub(super) fn square(kernel: usize, input: usize, output: usize, stride: usize) -> Conv2d {
    Conv2d { input, output, kernel, stride, padding: kernel / 2, input_gradient: true }
}

/// Channels and stride of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Input channels.
    pub(super) input: usize,
    /// Planes: the output channels are [`BlockKind::expansion`] times as many.
    pub(super) planes: usize,
    /// Stride: 2 halves the side.
    pub(super) stride: usize,
}

impl Shape {
    /// Returns the shape of the next block of the same layer, which keeps side and channels.
    pub(super) fn next(self, kind: BlockKind) -> Self {
        Self { input: self.planes.saturating_mul(kind.expansion()), stride: 1, ..self }
    }
}

/// A residual block.
#[derive(Debug, Clone)]
pub(super) struct Block<B: Backend> {
    /// The convolutions of the main path. The shortcut is added to the output of the last.
    main: Vec<ConvNorm<B>>,
    /// The convolution of the shortcut, if there is one.
    downsample: Vec<ConvNorm<B>>,
}

visit_fields!(Block: ; main, downsample);

impl<B: Backend> Block<B> {
    /// Creates a block whose parameter names start with `name`.
    pub(super) fn new(init: &Init, name: &str, kind: BlockKind, shape: Shape) -> Self {
        let mut layers = kind.convolutions(shape).into_iter().map(|(conv, bn, geometry)| {
            ConvNorm::new(init, &format!("{name}.{conv}"), &format!("{name}.{bn}"), geometry)
        });
        let main = layers.by_ref().take(kind.main_path(shape).len()).collect();
        Self { main, downsample: layers.collect() }
    }

    /// Creates the blocks of a layer, named `<name>.0`, `<name>.1`, … Only the first changes side and channels.
    pub(super) fn layer(init: &Init, name: &str, kind: BlockKind, first: Shape, blocks: usize) -> Vec<Self> {
        let shape = |block| if block == 0 { first } else { first.next(kind) };
        (0..blocks).map(|block| Self::new(init, &format!("{name}.{block}"), kind, shape(block))).collect()
    }

    /// Maps (N, H, W, I) to (N, H/stride, W/stride, O): ReLU after every convolution, after the last one the sum with the shortcut first.
    pub(super) fn forward<T: Tape>(&mut self, x: Features<B, T>, mode: Mode) -> OpResult<Features<B, T>> {
        let shortcut = x.with_empty_tape();
        let Some((last, inner)) = self.main.split_last_mut() else { return Ok(x) };
        let x = inner.iter_mut().try_fold(x, |x, layer| layer.forward(x, None, true, mode))?;
        let shortcut = match self.downsample.first_mut() {
            Some(downsample) => downsample.forward(shortcut, None, false, mode)?,
            None => shortcut,
        };
        last.forward(x, Some(shortcut), true, mode)
    }

    /// Returns the forward multiply-accumulates for one input of the given side, and the side of the output.
    pub(super) fn multiply_accumulates(&self, side: usize) -> (u64, usize) {
        let shortcut: u64 = self.downsample.iter().map(|d| d.geometry().multiply_accumulates(side, side)).sum();
        self.main.iter().fold((shortcut, side), |(total, side), layer| {
            let conv = layer.geometry();
            (total + conv.multiply_accumulates(side, side), conv.output_side(side))
        })
    }
}

/// Runs blocks one after the other.
pub(super) fn forward_blocks<B: Backend, T: Tape>(
    blocks: &mut [Block<B>],
    x: Features<B, T>,
    mode: Mode,
) -> OpResult<Features<B, T>> {
    blocks.iter_mut().try_fold(x, |x, block| block.forward(x, mode))
}

/// Returns the forward multiply-accumulates of blocks for one input of the given side, and the side of the output.
pub(super) fn cost_of_blocks<B: Backend>(blocks: &[Block<B>], side: usize) -> (u64, usize) {
    blocks.iter().fold((0, side), |(total, side), block| {
        let (cost, side) = block.multiply_accumulates(side);
        (total + cost, side)
    })
}
