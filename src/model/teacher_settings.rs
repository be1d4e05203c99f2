//! The table `[teacher]`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::weights::supported_networks;
use super::{Architecture, LevelSet};
use crate::settings::{Field, settings};

/// Source of the teacher's weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightSource {
    /// The small teacher that is part of didact.
    Demo,
    /// A `.safetensors` or `.pth` file with torchvision's tensor names.
    File(PathBuf),
}

settings! {
    /// The frozen teacher; the student is of the same shape.
    pub struct TeacherSettings: Eq {
        /// Network that the weights must belong to; any known one by default.
        pub architecture: Option<Architecture> = optional_choice(),
        /// Weight file (`.safetensors` or `.pth`, at most 2 GiB) with torchvision's tensor names after any one prefix, or `"demo"`.
        pub weights: WeightSource = with(WeightSource::read),
        /// Feature levels that are compared, 1 (finest) to 3; part of the protocol.
        pub levels: LevelSet = with(|field| LevelSet::read(field).unwrap_or_default()),
    }
}

impl WeightSource {
    fn read(field: Field<'_>) -> Self {
        let networks = supported_networks();
        let help = format!("name a .safetensors or .pth file with torchvision's weights of a {networks}, or \"demo\"");
        match field.required(&help).path() {
            Some(path) if path != Path::new("demo") => Self::File(path),
            _ => Self::Demo,
        }
    }
}
