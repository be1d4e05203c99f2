//! Storages and tensors as a pickle describes them.

use super::super::budget;
use super::super::element::Element;
use super::{Handle, Heap, Node};

/// A storage: the numbers of one or more tensors.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::model::weights) struct StorageRef {
    /// Name of the storage in the file.
    pub(in crate::model::weights) key: String,
    /// Type of its elements.
    pub(in crate::model::weights) element: Element,
    /// Number of elements.
    pub(in crate::model::weights) count: u64,
}

/// A tensor: a view of a storage.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::model::weights) struct TensorRef {
    /// Index of the storage.
    pub(in crate::model::weights) storage: usize,
    /// Position of the first element.
    pub(in crate::model::weights) offset: u64,
    pub(in crate::model::weights) shape: Vec<usize>,
    /// Strides in elements.
    pub(in crate::model::weights) strides: Vec<u64>,
}

impl Heap<'_> {
    /// Reads a storage from ("storage", class, key, device, count, view). An error says what is wrong.
    pub(super) fn storage(&self, parts: &[Handle]) -> Result<StorageRef, String> {
        let damaged = || "its pickle describes a storage differently from PyTorch".to_owned();
        let [_, class, key, _, count, view @ ..] = parts else { return Err(damaged()) };
        let Node::Class(_, _, name) = self.get(*class) else { return Err(damaged()) };
        let element = std::str::from_utf8(self.span(*name)).ok().and_then(Element::of_storage);
        let element = element.ok_or_else(|| {
            format!("it holds a storage of type `{}`, which didact does not read", self.class_name(*class))
        })?;
        let key = self.text(*key, budget::NAME_BYTES).ok_or_else(damaged)?;
        let &Node::Int(count) = self.get(*count) else { return Err(damaged()) };
        let count = u64::try_from(count).map_err(|_| damaged())?;
        if view.iter().any(|view| matches!(self.get(*view), Node::Tuple(_))) {
            return Err("its storages are views of others, as before PyTorch 0.4: save it again with a newer PyTorch"
                .to_owned());
        }
        Ok(StorageRef { key, element, count })
    }

    /// Reads a tensor from (storage, offset, shape, strides, …, metadata). An error says why it cannot be read.
    pub(in crate::model::weights) fn tensor(&self, arguments: Handle) -> Result<TensorRef, String> {
        let damaged = || "is described differently from PyTorch".to_owned();
        let Node::Tuple(parts) = self.get(arguments) else { return Err(damaged()) };
        let [storage, offset, shape, strides, rest @ ..] = parts.as_slice() else { return Err(damaged()) };
        let (&Node::Storage(storage), &Node::Int(offset)) = (self.get(*storage), self.get(*offset)) else {
            return Err(damaged());
        };
        let flags = rest.get(2).map(|flags| self.get(*flags));
        if matches!(flags, Some(Node::Dict(flags)) if !flags.is_empty()) {
            return Err("is a lazily conjugated or negated view".to_owned());
        }
        let shape = self.sizes(*shape).ok_or_else(damaged)?;
        let strides = self.sizes(*strides).ok_or_else(damaged)?;
        if strides.len() != shape.len() {
            return Err(damaged());
        }
        let shape = shape.into_iter().map(|side| usize::try_from(side).ok()).collect::<Option<_>>();
        Ok(TensorRef {
            storage: storage as usize,
            offset: u64::try_from(offset).map_err(|_| damaged())?,
            shape: shape.ok_or_else(damaged)?,
            strides,
        })
    }

    fn sizes(&self, handle: Handle) -> Option<Vec<u64>> {
        let Node::Tuple(sizes) = self.get(handle) else { return None };
        if sizes.len() > budget::RANK {
            return None;
        }
        let size = |size: &Handle| match self.get(*size) {
            Node::Int(size) => u64::try_from(*size).ok(),
            _ => None,
        };
        sizes.iter().map(size).collect()
    }
}
