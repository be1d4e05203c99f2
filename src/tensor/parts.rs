//! The parts of a training step, as spans for whoever measures (`just bench-parts`).

use tracing::span::EnteredSpan;

/// What a step spends its time on. Parts do not contain each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Convolutions, transposed ones too: outputs.
    ConvolutionForward,
    /// Gradients with respect to their inputs.
    ConvolutionBackwardData,
    /// Gradients with respect to their weights and biases.
    ConvolutionBackwardWeights,
    /// Batch norm, with shortcut and ReLU where these are one operation with it.
    BatchNorm,
    /// Pooling, sums, concatenation, ReLU on its own.
    Elementwise,
    /// Losses and distances.
    Loss,
    /// Norm and scaling of the gradients.
    Clipping,
    /// The optimiser's update.
    Optimiser,
}

impl Part {
    /// Starts the part; it ends when the value is dropped.
    pub(crate) fn start(self) -> EnteredSpan {
        self.start_with(0)
    }

    /// Starts a part of so many multiply-accumulates, as the textbook's sum counts them.
    pub(crate) fn start_with(self, multiply_accumulates: u64) -> EnteredSpan {
        tracing::trace_span!(target: "didact::parts", "part", name = self.name(), multiply_accumulates).entered()
    }

    fn name(self) -> &'static str {
        match self {
            Self::ConvolutionForward => "convolution forward",
            Self::ConvolutionBackwardData => "convolution backward, data",
            Self::ConvolutionBackwardWeights => "convolution backward, weights",
            Self::BatchNorm => "batch norm",
            Self::Elementwise => "element-wise",
            Self::Loss => "loss",
            Self::Clipping => "clipping",
            Self::Optimiser => "optimiser",
        }
    }
}
