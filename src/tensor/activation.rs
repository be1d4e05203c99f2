//! Activations of hidden layers.

use serde::{Deserialize, Serialize};

/// A function of each element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// max(x, 0).
    #[default]
    Relu,
    /// x where x > 0, else x / 100: PyTorch's default slope (Maas et al. 2013).
    LeakyRelu,
    /// ½x(1 + tanh(√(2/π)(x + 0.044715x³))): the Gaussian error linear unit in the form of Hendrycks and Gimpel (2016), PyTorch's
    /// `approximate="tanh"`.
    Gelu,
}

/// Slope of the leaky ReLU below 0.
pub(super) const LEAK: f32 = 0.01;
/// √(2/π).
pub(super) const GELU_SCALE: f32 = 0.797_884_6;
/// Factor of x³.
pub(super) const GELU_CUBE: f32 = 0.044_715;
