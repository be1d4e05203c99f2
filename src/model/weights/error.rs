//! What can be wrong with a weight file.

use crate::cause::Cause;
use crate::model::Architecture;
use crate::settings::{Choice, Named};

/// Every message names the file or the tensor, what was found and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum WeightError {
    /// The file cannot be read.
    #[error(
        "cannot read weights {path}: {source}; teacher.weights must name a .safetensors or .pth file with torchvision's \
         ResNet-18 or ResNet-34 weights, or be \"demo\""
    )]
    Io {
        /// Where.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is damaged, of another format, or holds something else than weights.
    #[error("cannot use weights {path}: {source}")]
    Format {
        /// Where.
        path: String,
        /// Why.
        #[source]
        source: Cause,
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
    /// A tensor that the network needs is of a kind that is not read.
    #[error("{path}: tensor `{name}` {why}; save it as dense floating-point numbers")]
    Unreadable {
        /// Where.
        path: String,
        /// Which.
        name: String,
        /// "is sparse", ….
        why: String,
    },
    /// A tensor stands among the network's that the network does not have.
    #[error("{path} has a tensor `{name}`, which a {} of torchvision does not have: it holds another network{hint}", architecture.title())]
    Foreign {
        /// Where.
        path: String,
        /// Which.
        name: String,
        /// What it was taken for.
        architecture: Architecture,
        /// Which network it may be.
        hint: &'static str,
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
    /// The blocks are those of no network that we know.
    #[error(
        "{path}: layer1 to layer3 have {} {kind}blocks, expected {}",
        blocks.map(|count| count.to_string()).join(", "),
        known(),
        kind = if *basic { "" } else { "bottleneck " }
    )]
    Blocks {
        /// Where.
        path: String,
        /// How many each layer has.
        blocks: [usize; 3],
        /// Whether they are of two convolutions.
        basic: bool,
    },
    /// The sweep file asks for another network.
    #[error("{path} holds a {}, but teacher.architecture is \"{}\": name the other weights, or leave the setting out", found.title(), asked.name())]
    Architecture {
        /// Where.
        path: String,
        /// What the weights are of.
        found: Architecture,
        /// What the sweep file says.
        asked: Architecture,
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

impl WeightError {
    /// A file that is damaged, of another format, or holds something else.
    pub fn format(path: &str, source: impl Into<Cause>) -> Self {
        Self::Format { path: path.to_owned(), source: source.into() }
    }
}

/// "2, 2, 2 (ResNet-18) or 3, 4, 6 (ResNet-34) of two convolutions each".
fn known() -> String {
    let one = |architecture: Architecture| {
        let blocks = architecture.blocks().map(|count| count.to_string()).join(", ");
        format!("{blocks} ({})", architecture.title())
    };
    format!("{} of two convolutions each", Architecture::ALL.iter().copied().map(one).collect::<Vec<_>>().join(" or "))
}
