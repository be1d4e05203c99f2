//! What a weight file may ask of memory and time. The files come from strangers, so every bound is checked before anything is
//! allocated. Those that people use stay far below all of them.

/// A file; a ResNet-34 with its optimiser's state has 0.3 GB.
pub(super) const FILE_BYTES: u64 = 2 << 30;

/// A pickle, or all that stands before the storages of a file of before PyTorch 1.6.
pub(super) const PICKLE_BYTES: u64 = 64 << 20;

/// Operations of a pickle. Each leaves at most one object of [`super::pickle::Node`]'s size, so this bounds the objects, too.
pub(super) const PICKLE_STEPS: usize = 1 << 21;

/// The header of a `.safetensors` file; the JSON reader takes up to 50 times as much.
pub(super) const HEADER_BYTES: u64 = 4 << 20;

/// Entries of a zip archive, and storages of a file of before PyTorch 1.6.
pub(super) const ENTRIES: u64 = 100_000;

/// Tensors in all dictionaries of a file together.
pub(super) const TENSORS: usize = 100_000;

/// Dictionaries of a file; an optimiser has one for each parameter.
pub(super) const DICTIONARIES: usize = 20_000;

/// The name of a tensor, a storage or an entry.
pub(super) const NAME_BYTES: usize = 512;

/// Sides of a tensor; a convolution has four.
pub(super) const RANK: usize = 8;

/// Dictionaries within dictionaries that are looked into.
pub(super) const NESTING: usize = 4;

/// Values of a teacher: 16 ResNet-34s, 512 MiB as 32-bit floats.
pub(super) const VALUES: u64 = 1 << 27;

/// Bytes of one tensor in the file, from its first value to its last.
pub(super) const SPAN_BYTES: u64 = 256 << 20;

/// The same, of all tensors that are read.
pub(super) const SPANS_BYTES: u64 = FILE_BYTES;

#[cfg(test)]
mod tests {
    use crate::model::{Architecture, Backbone};
    use crate::settings::Choice;

    #[test]
    fn every_published_teacher_is_far_below_the_budget() {
        for &architecture in Architecture::ALL {
            let tensors = Backbone::new(architecture, 64).tensors();
            let values: usize = tensors.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
            assert!((values as u64) * 16 <= super::VALUES, "{values}");
        }
    }
}
