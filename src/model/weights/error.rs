//! What can be wrong with a weight file.

/// Every message names the file or the tensor, what was found and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum WeightError {
    /// The file cannot be read.
    #[error(
        "cannot read weights {path}: {source}; teacher.weights must name a .safetensors or .pth file with torchvision's \
         ResNet-18 weights, or be \"demo\""
    )]
    Io {
        /// Where.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is damaged or of another format.
    #[error("{path} is not a weight file: {reason}")]
    Format {
        /// Where.
        path: String,
        /// Why.
        reason: String,
    },
    /// A tensor that the network needs is absent.
    #[error("{path} has no tensor `{name}` (expected shape {expected:?}){hint}")]
    Missing {
        /// Where.
        path: String,
        /// Which.
        name: String,
        /// Shape that the network needs.
        expected: Vec<usize>,
        /// A near name.
        hint: String,
    },
    /// A tensor has another shape than the network needs.
    #[error("{path}: tensor `{name}` has shape {found:?}, expected {expected:?}")]
    Shape {
        /// Where.
        path: String,
        /// Which.
        name: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape that the network needs.
        expected: Vec<usize>,
    },
    /// A tensor holds NaN or infinity.
    #[error("{path}: tensor `{name}` holds a value that is not finite: the file is damaged")]
    NotFinite {
        /// Where.
        path: String,
        /// Which.
        name: String,
    },
}
