//! Python's pickle, protocols 0 to 5, as a description of objects. Nothing is ever executed: what a pickle would call is noted by
//! its name alone. All objects lie in one list and name each other by their places in it, so that neither sharing nor nesting
//! costs memory or stack.

mod class;
mod heap;
mod machine;
mod tensor;

pub(super) use heap::{Handle, Heap, Node};
pub(super) use machine::load;
pub(super) use tensor::StorageRef;
