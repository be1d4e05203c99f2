//! What is known about the proposed points.

use crate::config::Point;

/// Result of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PointOutcome {
    /// Value of the objective, which is maximised.
    Value(f64),
    /// Its trial is running.
    Pending,
    /// Its trial failed, for instance because training diverged. Counts as the worst value.
    Failed,
    /// Nothing is learnt from it: it was cancelled, or it gives the same trial as another point. It is not proposed again.
    Ignored,
}

/// A point and its result.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The point.
    pub point: Point,
    /// Its result.
    pub outcome: PointOutcome,
}
