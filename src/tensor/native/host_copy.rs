//! Copies of tensors that an operation or its backward pass only reads, in buffers that are used again: nothing is allocated or zeroed.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use dfdx::shapes::Shape;
use dfdx::tensor::{Cpu, Tensor};

/// Unused buffers by their length. Together they are no larger than the copies of one training step.
static UNUSED: Mutex<BTreeMap<usize, Vec<Vec<f32>>>> = Mutex::new(BTreeMap::new());

/// The values of a tensor, row-major.
pub(super) struct HostCopy {
    /// At least `length` values.
    buffer: Vec<f32>,
    length: usize,
}

impl HostCopy {
    pub(super) fn of<S: Shape, T>(tensor: &Tensor<S, f32, Cpu, T>) -> Self {
        let length = dfdx::shapes::HasShape::shape(tensor).num_elements();
        let mut buffer = take(length).unwrap_or_else(|| vec![0.0; length]);
        tensor.copy_into(&mut buffer[..length]);
        Self { buffer, length }
    }

    /// Copies two tensors at the same time.
    pub(super) fn both<S: Shape, T: Sync>(a: &Tensor<S, f32, Cpu, T>, b: &Tensor<S, f32, Cpu, T>) -> (Self, Self) {
        rayon::join(|| Self::of(a), || Self::of(b))
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

impl Deref for HostCopy {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.buffer[..self.length]
    }
}

impl Drop for HostCopy {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        let mut unused = UNUSED.lock().unwrap_or_else(PoisonError::into_inner);
        unused.entry(buffer.len()).or_default().push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Backend, Native};

    #[test]
    fn copies_have_the_values_of_their_tensors_whatever_the_buffer_held() {
        for length in [5_usize, 3, 4, 5, 1, 0] {
            let values: Vec<f32> = (0..length).map(|index| (index * length) as f32).collect();
            let tensor = Native::upload(values.clone(), (length,)).expect("memory");
            let (copy, other) = HostCopy::both(&tensor, &tensor);
            assert_eq!((&copy[..], &other[..]), (&values[..], &values[..]));
        }
    }
}
