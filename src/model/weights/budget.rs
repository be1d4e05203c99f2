//! Limits on the memory and time that a weight file may use. Weight files are untrusted, so didact checks every limit before it
//! allocates. Common files stay far below all limits.

/// Bytes of a file. A ResNet-34 with the state of its optimiser has 0.3 GB.
pub(super) const FILE_BYTES: u64 = 2 << 30;

/// Bytes of a pickle, or of everything before the storages in a file from before PyTorch 1.6.
pub(super) const PICKLE_BYTES: u64 = 64 << 20;

/// Operations of a pickle. Each creates at most one object of the size of [`super::pickle::Node`], so this also limits the objects.
pub(super) const PICKLE_STEPS: usize = 1 << 21;

/// Bytes of the header of a `.safetensors` file. The JSON reader takes up to 50 times as much memory.
pub(super) const HEADER_BYTES: u64 = 4 << 20;

/// Entries of a zip archive, and storages of a file from before PyTorch 1.6.
pub(super) const ENTRIES: u64 = 100_000;

/// Total number of tensors in all dictionaries of a file.
pub(super) const TENSORS: usize = 100_000;

/// Dictionaries of a file. An optimiser has one per parameter.
pub(super) const DICTIONARIES: usize = 20_000;

/// Bytes of the name of a tensor, a storage or an entry.
pub(super) const NAME_BYTES: usize = 512;

/// Dimensions of a tensor. A convolution has four.
pub(super) const RANK: usize = 8;

/// Depth of nested dictionaries that are searched.
pub(super) const NESTING: usize = 4;

/// Values of a teacher: 16 ResNet-34s or five WideResNet-50-2s, 512 MiB as 32-bit floats.
pub(super) const VALUES: u64 = 1 << 27;

/// Bytes of one tensor in the file, from its first value to its last.
pub(super) const SPAN_BYTES: u64 = 256 << 20;

/// Total of these bytes for all tensors that are read.
pub(super) const SPANS_BYTES: u64 = FILE_BYTES;

#[cfg(test)]
mod tests {
    use crate::model::{Architecture, Backbone};

    #[test]
    fn every_published_teacher_is_far_below_the_budget() {
        for architecture in Architecture::ALL {
            let tensors = Backbone::new(architecture, 64).tensors();
            let values: usize = tensors.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
            assert!((values as u64) * 5 <= super::VALUES, "{values}");
        }
    }
}
