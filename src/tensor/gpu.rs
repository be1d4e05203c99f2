//! What is known of a GPU, also where none can be used.

use serde::{Deserialize, Serialize};

/// What the driver says of a GPU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// Its number, among those that the process may see.
    pub index: u32,
    /// E.g. "NVIDIA H100 80GB HBM3".
    pub name: String,
    /// Compute capability, e.g. "9.0".
    pub capability: String,
    /// Bytes of memory.
    pub memory: u64,
}
