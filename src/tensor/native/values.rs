//! The buffers of tensors and gradients. A freed buffer is used again: in the steady state of training kernels allocate and zero nothing.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use super::gemm::WriteMode;

/// Unused buffers by their length. Together they are no larger than the most values that kernels had at one time.
static UNUSED: Mutex<BTreeMap<usize, Vec<Vec<f32>>>> = Mutex::new(BTreeMap::new());

/// Values of a tensor or of a gradient.
pub struct Values {
    /// At least `length` values.
    buffer: Vec<f32>,
    length: usize,
    origin: Origin,
}

/// Where a buffer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Made here, and used again.
    Kernel,
    /// Made elsewhere. If these were used again, too, every batch of data would add to the unused buffers, which nobody needs.
    Elsewhere,
}

impl Values {
    /// Returns `length` values. Their contents are unspecified: those of the tensor that had the buffer before.
    pub(super) fn new(length: usize) -> Self {
        Self { buffer: take(length).unwrap_or_else(|| vec![0.0; length]), length, origin: Origin::Kernel }
    }

    pub(super) fn copy_of(values: &[f32]) -> Self {
        let mut copy = Self::new(values.len());
        copy.copy_from_slice(values);
        copy
    }
}

impl From<Vec<f32>> for Values {
    fn from(buffer: Vec<f32>) -> Self {
        Self { length: buffer.len(), buffer, origin: Origin::Elsewhere }
    }
}

/// Takes the shortest unused buffer that is long enough, but not one that is more than twice as long as necessary.
fn take(length: usize) -> Option<Vec<f32>> {
    let mut unused = UNUSED.lock().unwrap_or_else(PoisonError::into_inner);
    let (&fitting, buffers) = unused.range_mut(length..=2 * length).next()?;
    let buffer = buffers.pop();
    if buffers.is_empty() {
        unused.remove(&fitting);
    }
    buffer
}

/// Frees all unused buffers.
pub(super) fn free_unused() {
    UNUSED.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

impl std::fmt::Debug for Values {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} values", self.length)
    }
}

impl Deref for Values {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.buffer[..self.length]
    }
}

impl DerefMut for Values {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.buffer[..self.length]
    }
}

impl Drop for Values {
    fn drop(&mut self) {
        if self.origin == Origin::Elsewhere {
            return;
        }
        let buffer = std::mem::take(&mut self.buffer);
        let mut unused = UNUSED.lock().unwrap_or_else(PoisonError::into_inner);
        unused.entry(buffer.len()).or_default().push(buffer);
    }
}

/// Adds `length` values to a sum. `work` overwrites the values of a new sum.
pub(super) fn accumulate(sum: &mut Option<Values>, length: usize, work: impl FnOnce(&mut [f32], WriteMode)) {
    match sum {
        Some(values) => work(values, WriteMode::Accumulate),
        None => work(sum.insert(Values::new(length)), WriteMode::Overwrite),
    }
}

/// Returns how many values [`accumulate`] reads or writes.
pub(super) fn accumulated(sum: &Option<Values>, length: usize) -> usize {
    if sum.is_some() { 2 * length } else { length }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_have_their_values_whatever_the_buffer_held() {
        for length in [5_usize, 3, 4, 5, 1, 0] {
            let values: Vec<f32> = (0..length).map(|index| (index * length) as f32).collect();
            let (copy, other) = (Values::copy_of(&values), Values::copy_of(&values));
            assert_eq!((&copy[..], &other[..]), (&values[..], &values[..]));
        }
    }

    #[test]
    fn buffers_from_elsewhere_do_not_pile_up() {
        // No other test has buffers of this length or up to twice of it, which would be used here. The system only promises the
        // memory, because nothing is written.
        const LENGTH: usize = 123_456_789;
        let unused = || UNUSED.lock().expect("no panic").get(&LENGTH).map_or(0, Vec::len);
        for _ in 0..3 {
            drop(Values::from(vec![0.0; LENGTH]));
        }
        assert_eq!(unused(), 0);
        drop((Values::new(LENGTH), Values::new(LENGTH)));
        for _ in 0..3 {
            drop(Values::new(LENGTH));
        }
        assert_eq!(unused(), 2);
    }

    #[test]
    fn a_sum_starts_with_its_first_contribution() {
        let mut sum = None;
        for _ in 0..2 {
            accumulate(&mut sum, 3, |values, mode| match mode {
                WriteMode::Overwrite => values.fill(2.0),
                WriteMode::Accumulate => values.iter_mut().for_each(|value| *value += 2.0),
            });
        }
        assert_eq!(sum.as_deref(), Some(&[4.0; 3][..]));
    }
}
