//! Axes and their values.

use super::{grid, random};
use crate::plan::Strategy;

/// What one axis can be.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// One of so many listed values.
    Choices(usize),
    /// A number between two bounds.
    Uniform(f64, f64),
    /// A number between two positive bounds, uniform in its logarithm.
    LogUniform(f64, f64),
    /// A whole number between two bounds, both included.
    Integer(i64, i64),
}

/// A searched setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Its dotted name.
    pub name: String,
    /// What it can be.
    pub domain: Domain,
}

/// One axis's place in a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Coordinate {
    /// Index of a listed value.
    Choice(usize),
    /// A real number.
    Number(f64),
    /// A whole number.
    Whole(i64),
}

/// All points that a strategy draws, one coordinate per axis; without axes there is one point.
pub fn points(axes: &[Axis], strategy: &Strategy) -> Vec<Vec<Coordinate>> {
    match *strategy {
        Strategy::Grid => grid::points(axes),
        Strategy::Random { trials, seed } => (0..trials).map(|index| random::point(axes, seed, index as u64)).collect(),
    }
}
