//! Errors of weight files.

use crate::cause::Cause;
use crate::model::Architecture;
use crate::settings::Named;
use crate::tensor::DeviceError;

/// An error of a weight file. Every message names the file or the tensor, what was found and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum WeightError {
    /// The device could not hold the weights.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The file cannot be read.
    #[error(
        "cannot read weights {path}: {source}; teacher.weights must name a .safetensors or .pth file with torchvision's \
         ResNet-18 or ResNet-34 weights, or be \"demo\""
    )]
    Io {
        /// Path of the file.
        path: String,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is damaged, has another format, or does not hold weights.
    #[error("cannot use weights {path}: {source}")]
    Format {
        /// Path of the file.
        path: String,
        /// Cause.
        #[source]
        source: Cause,
    },
    /// A tensor that the network needs is missing.
    #[error("{path} has no tensor `{name}` (expected shape {expected:?}){hint}")]
    Missing {
        /// Path of the file.
        path: String,
        /// Name of the tensor.
        name: String,
        /// Shape that the network needs.
        expected: Vec<usize>,
        /// A similar name, if there is one.
        hint: String,
    },
    /// didact cannot read the type of a tensor that the network needs.
    #[error("{path}: tensor `{name}` {why}; save it as dense floating-point numbers")]
    Unreadable {
        /// Path of the file.
        path: String,
        /// Name of the tensor.
        name: String,
        /// Reason, e.g. "is sparse".
        why: String,
    },
    /// The file has a tensor in these layers that the network does not have.
    #[error(
        "{path} has a tensor `{name}` that torchvision's {} does not have: it holds another network{hint}",
        architecture.title()
    )]
    Foreign {
        /// Path of the file.
        path: String,
        /// Name of the tensor.
        name: String,
        /// Architecture that the file was taken for.
        architecture: Architecture,
        /// Network that the file may hold.
        hint: &'static str,
    },
    /// The shape of a tensor differs from the one that the network needs.
    #[error("{path}: tensor `{name}` has shape {found:?}, expected {expected:?}")]
    Shape {
        /// Path of the file.
        path: String,
        /// Name of the tensor.
        name: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape that the network needs.
        expected: Vec<usize>,
    },
    /// The blocks belong to no supported network.
    #[error(
        "{path}: layer1 to layer3 have {} {kind}blocks, expected {}",
        blocks.map(|count| count.to_string()).join(", "),
        supported_blocks(),
        kind = if *basic { "" } else { "bottleneck " }
    )]
    Blocks {
        /// Path of the file.
        path: String,
        /// Number of blocks per layer.
        blocks: [usize; 3],
        /// Whether each block has two convolutions.
        basic: bool,
    },
    /// The sweep file sets another network.
    #[error(
        "{path} holds a {}, but teacher.architecture is \"{}\": use weights of that network, or remove the setting",
        found.title(),
        requested.name()
    )]
    Architecture {
        /// Path of the file.
        path: String,
        /// Architecture of the weights.
        found: Architecture,
        /// Architecture in the sweep file.
        requested: Architecture,
    },
    /// A tensor holds NaN or infinity.
    #[error("{path}: tensor `{name}` holds a value that is not finite: the file is damaged")]
    NotFinite {
        /// Path of the file.
        path: String,
        /// Name of the tensor.
        name: String,
    },
}

impl WeightError {
    /// Returns the error for a file that is damaged, has another format, or does not hold weights.
    pub fn format(path: &str, source: impl Into<Cause>) -> Self {
        Self::Format { path: path.to_owned(), source: source.into() }
    }
}

/// Returns "2, 2, 2 (ResNet-18) or 3, 4, 6 (ResNet-34) with two convolutions each".
fn supported_blocks() -> String {
    let shown = |architecture: Architecture| {
        let blocks = architecture.blocks().map(|count| count.to_string()).join(", ");
        format!("{blocks} ({})", architecture.title())
    };
    format!(
        "{} with two convolutions each",
        Architecture::ALL.iter().copied().map(shown).collect::<Vec<_>>().join(" or ")
    )
}
