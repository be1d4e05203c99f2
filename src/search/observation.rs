//! What is known of the points proposed so far.

use crate::config::Point;

/// How a point fared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// The objective, to be maximised.
    Value(f64),
    /// Being run.
    Pending,
    /// It has failed, as a training that diverges does: as bad as the worst.
    Failed,
    /// Nothing is learnt from it, for it was cancelled or is another point's trial; it is not proposed again.
    Void,
}

/// A point and how it fared.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The point.
    pub point: Point,
    /// How it fared.
    pub outcome: Outcome,
}
