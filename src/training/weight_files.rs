//! Names of the weight files that training leaves.

/// The auto-encoders of a pretraining.
pub const PRETRAINED: &str = "checkpoint.safetensors";

/// The last epoch; while training goes on, its moments and position, too.
pub const LAST: &str = "last.safetensors";

/// The selected epoch.
pub const SELECTED: &str = "selected.safetensors";

const SNAPSHOT: &str = "epoch-";

/// One epoch that is kept for the oracle.
pub fn snapshot_file(epoch: usize) -> String {
    format!("{SNAPSHOT}{epoch:04}.safetensors")
}

/// Whether a file is of one epoch that is kept for the oracle.
pub fn is_snapshot(file: &str) -> bool {
    file.starts_with(SNAPSHOT)
}
