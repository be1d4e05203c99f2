//! Points of a search space, and which trials are worth going on with.

mod corners;
mod count;
mod grid;
mod observation;
mod propose;
mod prune;
mod random;
mod scale;
mod sobol;
mod space;
mod tpe;

pub use corners::corners;
pub use count::count;
pub use observation::{Observation, Outcome};
pub use propose::{draws, propose};
pub use prune::{Standing, TrialCourse, prune};
pub use sobol::{MAX_AXES, MAX_POINTS};
pub use space::{Axis, Condition, Coordinate, Domain, Point};
pub use tpe::STARTUP;
