//! Who computes convolutions on a GPU.

use crate::names::named_enum;

named_enum! {
    /// Who computes convolutions on a GPU.
    pub enum Convolutions {
        /// cuDNN, if it is installed, where a table of shapes and GPUs expects it to be faster; otherwise didact's own kernels.
        Auto = "auto",
        /// didact's own kernels.
        Own = "own",
        /// cuDNN, wherever it supports the shape.
        Cudnn = "cudnn",
    }
}
