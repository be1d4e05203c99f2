//! didact runs teacher–student anomaly-detection experiments.
//!
//! The rooms of the house, from the door down; arrows run down this list only:
//!
//! | room | what it holds |
//! |---|---|
//! | [`cli`] | one verb of the command line per file |
//! | [`predict`] | what a finished run says of any images |
//! | [`spec`] | the sweep file: raw with spans, then checked, then resolved |
//! | [`search`] | spaces, samplers, pruners |
//! | [`plan`] | trials to runs to stages, and their keys |
//! | [`schedule`] | claims, leases, workers, progress |
//! | [`store`] | the database; SQL lives there and nowhere else |
//! | [`report`] | statistics, figures, pages |
//! | [`train`] | the phases that train, and checkpoints |
//! | [`evaluate`] | anomaly maps and metrics |
//! | [`model`] | ResNet, U-Net, weight files |
//! | [`nn`] | parameter sets, layers, optimisers |
//! | [`tensor`] | differentiable operations on dfdx tensors |
//! | [`data`] | layouts, images, masks, splits, the synthetic set |
//! | [`terminal`] | what goes to standard error, best effort |
//! | [`paths`] | paths as people write them |
//! | [`outputs`] | files for people: whole, and never over what others wrote |
//! | [`fault`] | places where a test can have the process killed |

pub mod cli;
pub mod data;
pub mod evaluate;
pub mod fault;
pub mod model;
pub mod nn;
pub mod outputs;
pub mod paths;
pub mod plan;
pub mod predict;
pub mod report;
pub mod schedule;
pub mod search;
pub mod spec;
pub mod store;
pub mod tensor;
pub mod terminal;
pub mod train;

/// The version of this program; of a released one with the revision that it was made of.
pub const VERSION: &str = env!("DIDACT_VERSION");
