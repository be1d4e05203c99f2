//! Contents of a weight file in any format: dictionaries of tensors.

use std::collections::BTreeMap;

use super::element::Element;
use super::{archive, budget};

/// A contiguous run of numbers of one type in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Storage {
    /// First byte in the file.
    pub(super) start: u64,
    /// Number of elements.
    pub(super) count: u64,
    pub(super) element: Element,
    pub(super) big_endian: bool,
    /// Entry of the archive, which has a checksum.
    pub(super) entry: Option<archive::EntryLocation>,
}

/// Position of a tensor in a storage, in elements.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct View {
    pub(super) storage: usize,
    pub(super) offset: u64,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<u64>,
}

/// A tensor that can be read, or the reason why not.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum StoredTensor {
    Dense(View),
    Unreadable(String),
}

/// Tensors by name.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    /// Keys that lead to the dictionary.
    pub(super) path: Vec<String>,
    pub(super) tensors: BTreeMap<String, StoredTensor>,
}

/// Contents of a weight file.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) dictionaries: Vec<Dictionary>,
    pub(super) storages: Vec<Storage>,
    /// Class of a whole module that was pickled, if the file holds one.
    pub(super) module: Option<String>,
}

impl View {
    /// Returns the number of values, or `None` if it overflows.
    pub(super) fn count(&self) -> Option<u64> {
        self.shape.iter().try_fold(1_u64, |count, side| count.checked_mul(*side as u64))
    }

    /// Returns the number of elements from its first to its last, inclusive, or `None` if it overflows.
    pub(super) fn span(&self) -> Option<u64> {
        if self.shape.contains(&0) {
            return Some(0);
        }
        let reach =
            |reach: u64, (side, stride): (&usize, &u64)| reach.checked_add((*side as u64 - 1).checked_mul(*stride)?);
        self.shape.iter().zip(&self.strides).try_fold(1, reach)
    }

    /// Checks that the view is within its storage and the budget.
    pub(super) fn check(&self, storage: &Storage) -> Result<(), &'static str> {
        const BEYOND: &str = "extends beyond its storage: the file is damaged";
        let span = self.span().ok_or(BEYOND)?;
        if self.offset.checked_add(span).is_none_or(|end| end > storage.count) {
            return Err(BEYOND);
        }
        match span.checked_mul(storage.element.size() as u64) {
            Some(bytes) if bytes <= budget::SPAN_BYTES && self.count().is_some_and(|count| count <= budget::VALUES) => {
                Ok(())
            }
            _ => Err("is larger than any tensor of a teacher"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_beyond_their_storage_are_refused() {
        let storage = Storage { start: 0, count: 100, element: Element::F32, big_endian: false, entry: None };
        let view = |offset, shape: &[usize], strides: &[u64]| View {
            storage: 0,
            offset,
            shape: shape.to_vec(),
            strides: strides.to_vec(),
        };
        assert_eq!(view(0, &[10, 10], &[10, 1]).check(&storage), Ok(()));
        assert_eq!(view(99, &[], &[]).check(&storage), Ok(()));
        // An expanded tensor has more values than its storage.
        assert_eq!(view(3, &[200], &[0]).check(&storage), Ok(()));
        assert_eq!(view(100, &[0, 7], &[7, 1]).check(&storage), Ok(()));
        for outside in [
            view(1, &[10, 10], &[10, 1]),
            view(100, &[], &[]),
            view(0, &[2], &[100]),
            view(u64::MAX, &[2], &[1]),
            view(0, &[usize::MAX, 2], &[u64::MAX, 1]),
            view(0, &[3, 3], &[u64::MAX / 2, u64::MAX / 2]),
        ] {
            assert!(outside.check(&storage).is_err_and(|why| why.contains("beyond")), "{outside:?}");
        }
        for large in [view(0, &[1 << 20, 1 << 20], &[0, 0]), view(0, &[usize::MAX, usize::MAX], &[0, 0])] {
            assert!(large.check(&storage).is_err_and(|why| why.contains("larger")), "{large:?}");
        }
    }
}
