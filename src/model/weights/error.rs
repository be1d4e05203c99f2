//! Errors of weight files.

use crate::cause::Cause;
use crate::model::{Architecture, BlockKind};
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
         weights of a {networks}, or be \"demo\"",
        networks = supported_networks()
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
        listed(*blocks),
        supported_blocks(),
        kind = if *basic { "" } else { "bottleneck " }
    )]
    Blocks {
        /// Path of the file.
        path: String,
        /// Number of blocks per layer.
        blocks: [usize; 3],
        /// Whether each block has two convolutions, not three.
        basic: bool,
    },
    /// The bottleneck blocks have the inner width of no supported network.
    #[error(
        "{path}: tensor `layer1.0.conv1.weight` has shape {found:?}, expected {}",
        bottlenecks(*width)
    )]
    InnerWidth {
        /// Path of the file.
        path: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Base width of the network.
        width: usize,
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

fn listed(numbers: impl IntoIterator<Item = usize>) -> String {
    numbers.into_iter().map(|number| number.to_string()).collect::<Vec<_>>().join(", ")
}

/// Returns "ResNet-18, ResNet-34, … or WideResNet-50-2".
pub(in crate::model) fn supported_networks() -> String {
    any_of(Architecture::ALL.iter().map(|architecture| architecture.title().to_owned()))
}

/// Returns "2, 2, 2 (ResNet-18) or 3, 4, 6 (ResNet-34) of two convolutions, or 3, 4, 6 (ResNet-50 or …) of three".
fn supported_blocks() -> String {
    let of_kind = |basic: bool| {
        let mut networks: Vec<([usize; 3], Vec<String>)> = Vec::new();
        for architecture in Architecture::ALL.iter().filter(|a| (a.block() == BlockKind::Basic) == basic) {
            let title = architecture.title().to_owned();
            match networks.iter_mut().find(|(blocks, _)| *blocks == architecture.blocks()) {
                Some((_, titles)) => titles.push(title),
                None => networks.push((architecture.blocks(), vec![title])),
            }
        }
        any_of(networks.into_iter().map(|(blocks, titles)| format!("{} ({})", listed(blocks), any_of(titles))))
    };
    format!("{} of two convolutions, or {} of three", of_kind(true), of_kind(false))
}

/// Returns the shape of the first convolution of each network with bottleneck blocks.
fn bottlenecks(width: usize) -> String {
    let shape = |architecture: &Architecture| match architecture.block() {
        BlockKind::Basic => None,
        BlockKind::Bottleneck { inner } => {
            Some(format!("{:?} ({})", [inner.saturating_mul(width), width, 1, 1], architecture.title()))
        }
    };
    any_of(Architecture::ALL.iter().filter_map(shape))
}

/// Joins texts: "a, b or c".
fn any_of(texts: impl IntoIterator<Item = String>) -> String {
    let texts: Vec<String> = texts.into_iter().collect();
    match texts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => String::new(),
    }
}
