//! Activations of hidden layers.

use crate::settings::choices;

choices! {
    /// A function of each element.
    pub enum Activation {
        /// max(x, 0).
        Relu = "relu",
        /// x where x > 0, else x / 100: PyTorch's default slope (Maas et al. 2013).
        LeakyRelu = "leaky-relu",
        /// Gaussian error linear unit in its tanh form (Hendrycks and Gimpel 2016), PyTorch's `approximate="tanh"`.
        ///
        /// ½x(1 + tanh(√(2/π)(x + 0.044715x³))).
        Gelu = "gelu",
    }
}

impl Activation {
    /// Returns whether the gradient is computed from the output, which the next operation keeps anyway, and not from the input.
    pub fn saves_output(self) -> bool {
        match self {
            Self::Relu => true,
            Self::LeakyRelu | Self::Gelu => false,
        }
    }
}

/// Slope of the leaky ReLU below 0.
pub(super) const LEAK: f32 = 0.01;
/// √(2/π), the scale in GELU.
pub(super) const GELU_SCALE: f32 = 0.797_884_6;
/// Factor of x³ in GELU.
pub(super) const GELU_CUBE: f32 = 0.044_715;
