//! Reads Python's pickle, protocols 0 to 5, as a description of objects.
//!
//! Nothing is ever executed: the reader only records the name of a function that a pickle calls. All objects are in one list and refer to
//! each other by index, so neither sharing nor nesting costs memory or stack.

mod class;
mod heap;
mod machine;
mod tensor;

pub(super) use heap::{Handle, Heap, Node};
pub(super) use machine::load;
pub(super) use tensor::StorageRef;
