//! Points of a search space.

mod grid;
mod random;
mod space;

pub use space::{Axis, Coordinate, Domain, points};
