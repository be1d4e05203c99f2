//! The objects of a pickle.

use super::class::Known;
use super::tensor::StorageRef;

/// An object's place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::model::weights) struct Handle(pub(super) u32);

/// A piece of the pickle's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model::weights) struct Span {
    pub(super) at: u32,
    pub(super) length: u32,
}

/// An object.
#[derive(Debug)]
pub(in crate::model::weights) enum Node {
    /// None, a float, bytes, a set: of no use here.
    Opaque,
    Bool(bool),
    Int(i64),
    /// An integer of more than 64 bits, little-endian.
    Long(Span),
    Text(Span),
    Tuple(Vec<Handle>),
    List(Vec<Handle>),
    Dict(Vec<(Handle, Handle)>),
    /// A function or class: its meaning, its module and name.
    Class(Known, Span, Span),
    /// An instance of a class, with what was put into it.
    Object(Handle, Vec<(Handle, Handle)>),
    /// An instance of a class of `torch.nn.Module`'s kind.
    Module(Handle),
    /// The number of a storage.
    Storage(u32),
    /// A tensor's function's arguments.
    Tensor(Handle),
    /// A tensor that is not read; why.
    Odd(&'static str),
}

/// All objects of a pickle, and the pickle.
pub(in crate::model::weights) struct Heap<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) nodes: Vec<Node>,
    /// The storages that its tensors name.
    pub(in crate::model::weights) storages: Vec<StorageRef>,
}

impl Heap<'_> {
    /// An object.
    pub(in crate::model::weights) fn get(&self, handle: Handle) -> &Node {
        // Handles are made where a node is added, and nodes are never taken away.
        &self.nodes[handle.0 as usize]
    }

    /// The pickle's bytes in a place.
    pub(in crate::model::weights) fn span(&self, span: Span) -> &[u8] {
        let at = span.at as usize;
        &self.bytes[at..at + span.length as usize]
    }

    /// A text of at most so many bytes; none if it is another object or longer.
    pub(in crate::model::weights) fn text(&self, handle: Handle, limit: usize) -> Option<String> {
        match self.get(handle) {
            Node::Text(span) if span.length as usize <= limit => {
                Some(String::from_utf8_lossy(self.span(*span)).into_owned())
            }
            _ => None,
        }
    }

    /// A class's name with its module, as messages show it.
    pub(in crate::model::weights) fn class_name(&self, handle: Handle) -> String {
        match self.get(handle) {
            Node::Class(_, module, name) => {
                let part = |span: &Span| {
                    let bytes = self.span(*span);
                    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
                };
                super::super::input::shown(&format!("{}.{}", part(module), part(name)))
            }
            _ => "unknown".to_owned(),
        }
    }
}
