//! Tree-structured Parzen estimator (Bergstra et al., NIPS 2011) with multivariate kernels, conditional axes and pending
//! trials, as in Optuna's `TPESampler(multivariate=True, group=True, constant_liar=True)`. Watanabe, "Tree-Structured
//! Parzen Estimator" (arXiv 2304.11127), explains each part.

mod normal;
mod parzen;
mod sample;
mod split;

pub use sample::STARTUP_TRIALS;
pub(super) use sample::point;
