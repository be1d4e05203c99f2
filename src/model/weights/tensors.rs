//! Reads the values of tensors from their storages.

use std::collections::HashSet;

use super::contents::{Contents, Storage, View};
use super::input::{Input, bytes_at, printable};
use super::{WeightTensor, budget};
use crate::cause::Cause;

/// Reads tensors one after another, within a common budget.
pub(super) struct Reader<'a> {
    input: &'a mut dyn Input,
    storages: Vec<Storage>,
    verified: HashSet<usize>,
    values: u64,
    spans: u64,
}

impl<'a> Reader<'a> {
    /// Creates a reader for the storages of a file.
    pub(super) fn new(input: &'a mut dyn Input, contents: Contents) -> Self {
        Self { input, storages: contents.storages, verified: HashSet::new(), values: 0, spans: 0 }
    }

    /// Returns whether the tensor holds floating-point numbers.
    pub(super) fn is_float(&self, view: &View) -> bool {
        self.storages.get(view.storage).is_some_and(|storage| storage.element.is_float())
    }

    /// Checks that a tensor is within its storage, and that all admitted tensors are within the budget.
    pub(super) fn admit(&mut self, name: &str, view: &View) -> Result<(), String> {
        let name = printable(name);
        let storage = self.storage(&name, view)?;
        view.check(&storage).map_err(|why| format!("tensor `{name}` {why}"))?;
        // `check` has ensured that neither overflows.
        let (count, span) = (view.count().unwrap_or(u64::MAX), view.span().unwrap_or(u64::MAX));
        self.values = self.values.saturating_add(count);
        self.spans = self.spans.saturating_add(span.saturating_mul(storage.element.size() as u64));
        if self.values > budget::VALUES || self.spans > budget::SPANS_BYTES {
            return Err(format!("its network has more than {} values, which is the limit", budget::VALUES));
        }
        Ok(())
    }

    fn storage(&self, name: &str, view: &View) -> Result<Storage, String> {
        let storage = self.storages.get(view.storage).copied();
        storage.ok_or_else(|| format!("tensor `{name}` has no storage: the file is damaged"))
    }

    /// Reads the values of an admitted tensor. The result is row-major for any strides.
    pub(super) fn read(&mut self, name: &str, view: &View) -> Result<WeightTensor, Cause> {
        let name = printable(name);
        let storage = self.storage(&name, view)?;
        let size = storage.element.size();
        let (count, span) = (view.count().unwrap_or(0), view.span().unwrap_or(0));
        if let Some(entry) = storage.entry.filter(|_| self.verified.insert(view.storage)) {
            entry.verify(self.input, &format!("the storage of tensor `{name}`"))?;
        }
        let bytes = bytes_at(self.input, storage.start + view.offset * size as u64, span as usize * size)?;
        Ok(WeightTensor { shape: view.shape.clone(), data: gather(&bytes, &storage, view, count as usize) })
    }
}

/// Collects the values of a view from its range of the storage.
fn gather(bytes: &[u8], storage: &Storage, view: &View, count: usize) -> Vec<f32> {
    let size = storage.element.size();
    let value = |at: usize| {
        let bytes = &bytes[at * size..(at + 1) * size];
        match storage.big_endian {
            false => storage.element.float(bytes),
            true => {
                let mut reversed = [0; 8];
                reversed[..size].iter_mut().zip(bytes.iter().rev()).for_each(|(to, from)| *to = *from);
                storage.element.float(&reversed[..size])
            }
        }
    };
    let mut position = vec![0; view.shape.len()];
    let mut at = 0;
    let mut values = Vec::with_capacity(count);
    while values.len() < count {
        values.push(value(at));
        // Move to the next position, like a counter with one digit per dimension.
        for side in (0..position.len()).rev() {
            position[side] += 1;
            at += view.strides[side] as usize;
            if position[side] < view.shape[side] {
                break;
            }
            at -= position[side] * view.strides[side] as usize;
            position[side] = 0;
        }
    }
    values
}
