//! What is known of the points proposed so far.

use super::Point;

/// How a point fared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// The objective, to be maximised.
    Value(f64),
    /// Being run.
    Pending,
    /// It has no value and will have none: nothing is learnt from it, but it is not proposed again.
    Failed,
}

/// A point and how it fared.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The point.
    pub point: Point,
    /// How it fared.
    pub outcome: Outcome,
}
