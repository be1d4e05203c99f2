//! The objects of a pickle.

use super::class::Meaning;
use super::tensor::StorageRef;

/// Index of an object in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::model::weights) struct Handle(pub(super) u32);

/// A range of the pickle's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model::weights) struct Span {
    pub(super) at: u32,
    pub(super) length: u32,
}

/// An object of a pickle.
#[derive(Debug)]
pub(in crate::model::weights) enum Node {
    /// An unused value: None, a float, bytes or a set.
    Opaque,
    Bool(bool),
    Int(i64),
    /// An integer of more than 64 bits, little-endian.
    Long(Span),
    Text(Span),
    Tuple(Vec<Handle>),
    List(Vec<Handle>),
    Dict(Vec<(Handle, Handle)>),
    /// A function or class: its meaning, module and name.
    Class(Meaning, Span, Span),
    /// An instance of a class, with the entries that were set on it.
    Object(Handle, Vec<(Handle, Handle)>),
    /// An instance of a subclass of `torch.nn.Module`.
    Module(Handle),
    /// Index of a storage.
    Storage(u32),
    /// A tensor, given by the arguments of the function that builds it.
    Tensor(Handle),
    /// A tensor that cannot be read, with the reason.
    UnreadableTensor(&'static str),
}

/// A pickle and all its objects.
pub(in crate::model::weights) struct Heap<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) nodes: Vec<Node>,
    /// Storages that the tensors refer to.
    pub(in crate::model::weights) storages: Vec<StorageRef>,
}

impl Heap<'_> {
    /// Returns an object.
    pub(in crate::model::weights) fn get(&self, handle: Handle) -> &Node {
        // This index is valid: a handle is created together with its node, and nodes are never removed.
        &self.nodes[handle.0 as usize]
    }

    /// Returns the pickle's bytes in a range.
    pub(in crate::model::weights) fn span(&self, span: Span) -> &[u8] {
        let at = span.at as usize;
        &self.bytes[at..at + span.length as usize]
    }

    /// Returns a text of at most `limit` bytes, or `None` for another object or a longer text.
    pub(in crate::model::weights) fn text(&self, handle: Handle, limit: usize) -> Option<String> {
        match self.get(handle) {
            Node::Text(span) if span.length as usize <= limit => {
                Some(String::from_utf8_lossy(self.span(*span)).into_owned())
            }
            _ => None,
        }
    }

    /// Returns the name of a class with its module, as messages show it.
    pub(in crate::model::weights) fn class_name(&self, handle: Handle) -> String {
        match self.get(handle) {
            Node::Class(_, module, name) => {
                let part = |span: &Span| {
                    let bytes = self.span(*span);
                    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
                };
                super::super::input::printable(&format!("{}.{}", part(module), part(name)))
            }
            _ => "unknown".to_owned(),
        }
    }
}
