//! Precision of matrix products, which is part of the protocol.

use crate::settings::choices;

choices! {
    /// The numbers inside matrix products.
    pub enum Numerics {
        /// 32-bit floats.
        F32 = "f32",
        /// NVIDIA's TensorFloat-32, on GPUs from compute capability 8.0: factors rounded to 10 bits of mantissa, sums in 32 bits.
        Tf32 = "tf32",
    }
}
