//! Student's t distribution.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Returns the quantile of this share, with `freedom` degrees of freedom.
pub(crate) fn quantile(freedom: f64, share: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::INFINITY, |student| student.inverse_cdf(share))
}

/// Returns the probability of a value at least as far from 0 as `t`.
pub(crate) fn two_sided_p(freedom: f64, t: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |student| (2.0 * student.sf(t.abs())).min(1.0))
}
