//! Names of the weight files that training writes.

/// Auto-encoders of the pretraining phase.
pub const PRETRAINED: &str = "checkpoint.safetensors";

/// Last epoch. During training the file also holds moments and position.
pub const LAST: &str = "last.safetensors";

/// Selected epoch.
pub const SELECTED: &str = "selected.safetensors";

const SNAPSHOT: &str = "epoch-";

/// Returns the file name of one epoch that is kept for the oracle.
pub fn snapshot_file(epoch: usize) -> String {
    format!("{SNAPSHOT}{epoch:04}.safetensors")
}

/// Returns whether a file belongs to an epoch that is kept for the oracle.
pub fn is_snapshot(file: &str) -> bool {
    file.starts_with(SNAPSHOT)
}
