//! Facts of a GPU.

use serde::{Deserialize, Serialize};

/// Facts of a GPU that the driver reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// Number among the GPUs that the process may see.
    pub index: u32,
    /// Name, e.g. "NVIDIA H100 80GB HBM3".
    pub name: String,
    /// Compute capability, e.g. "9.0".
    pub capability: String,
    /// Memory in bytes.
    pub memory: u64,
}
