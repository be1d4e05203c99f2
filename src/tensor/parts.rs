//! Parts of a training step, as spans for measurements (`just bench-parts`).

use tracing::span::EnteredSpan;

/// A part of a step's time. Parts do not contain each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepPart {
    /// Outputs of convolutions and transposed convolutions.
    ConvolutionForward,
    /// Gradients with respect to their inputs.
    ConvolutionBackwardData,
    /// Gradients with respect to their weights and biases.
    ConvolutionBackwardWeights,
    /// Batch norm, with shortcut and ReLU if they are one operation.
    BatchNorm,
    /// Pooling, sums, concatenation, separate ReLU.
    Elementwise,
    /// Losses and distances.
    Loss,
    /// Norm and scaling of the gradients.
    Clipping,
    /// Update by the optimiser.
    Optimiser,
}

impl StepPart {
    /// Starts the part, which ends when the returned value is dropped.
    ///
    /// `values` counts what the part reads from its arguments and writes to its results, once for each pass.
    pub(crate) fn start(self, values: usize) -> EnteredSpan {
        self.start_with(values, 0)
    }

    /// Starts a part with its number of multiply-accumulates, counted as in the textbook sum.
    pub(crate) fn start_with(self, values: usize, multiply_accumulates: u64) -> EnteredSpan {
        let bytes = (values * size_of::<f32>()) as u64;
        tracing::trace_span!(target: "didact::parts", "part", name = self.name(), bytes, multiply_accumulates).entered()
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
