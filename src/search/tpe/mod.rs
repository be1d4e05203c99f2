//! A tree-structured Parzen estimator (Bergstra et al., NIPS 2011) with multivariate kernels, conditional axes and pending
//! trials, as in Optuna's `TPESampler(multivariate=True, group=True, constant_liar=True)`; see Watanabe, "Tree-Structured
//! Parzen Estimator" (arXiv 2304.11127) for what each part does.

mod normal;
mod parzen;
mod sample;
mod split;

pub use sample::STARTUP;
pub(super) use sample::point;
