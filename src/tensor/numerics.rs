//! How exactly matrix products are computed: part of the protocol.

use serde::{Deserialize, Serialize};

/// The numbers inside matrix products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Numerics {
    /// 32-bit floats.
    #[default]
    F32,
    /// Factors rounded to 10 bits of mantissa, sums in 32 bits: NVIDIA's TensorFloat-32, on GPUs from compute capability 8.0.
    Tf32,
}

impl Numerics {
    /// cuBLAS obeys this variable, which it reads when a process starts to use it.
    pub const VARIABLE: &str = "NVIDIA_TF32_OVERRIDE";

    /// What [`Numerics::VARIABLE`] must be.
    pub fn value(self) -> &'static str {
        match self {
            Self::F32 => "0",
            Self::Tf32 => "1",
        }
    }

    /// Whether it is the default: keys of before there was a choice stay what they are.
    pub fn is_f32(&self) -> bool {
        *self == Self::F32
    }
}
