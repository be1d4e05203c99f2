//! didact runs teacher–student anomaly-detection experiments.
//!
//! The rooms of the house, from the door down; imports run down this list only:
//!
//! | room | what it holds |
//! |---|---|
//! | [`cli`] | one verb of the command line per file |
//! | [`serve`] | live views of a sweep |
//! | [`predict`] | scores of new images with a finished run |
//! | [`report`] | figures, tables, pages, pictures |
//! | [`export`] | numbers for other programs |
//! | [`search`] | samplers and pruners |
//! | [`analysis`] | rows to groups, sides, verdicts, effects, costs, protocols |
//! | [`schedule`] | workers, claims, retries |
//! | [`store`] | the database; SQL lives there and nowhere else |
//! | [`plan`] | trials to runs to stages |
//! | [`config`] | the sweep file |
//! | [`stages`] | one file per stage: inputs, key, execution, output |
//! | [`training`] | driver, losses, weighting, schedules |
//! | [`model`] | ResNet, U-Net, weight files |
//! | [`nn`] | parameter sets, layers, optimisers |
//! | [`tensor`] | differentiable operations for all devices, and the kernels of each |
//! | [`evaluate`] | map rules and metrics |
//! | [`statistics`] | tests, intervals, bootstrap, fANOVA: numbers only |
//! | [`data`] | layouts, images, masks, splits, the drawn set |
//! | [`published`] | published results and image counts |
//! | [`settings`] | how settings are declared, read and described |
//! | [`outputs`] | output files for people: complete, and never written over foreign files |
//! | [`terminal`] | output to standard error, best effort |
//! | [`text`] | numbers and texts formatted for people |
//! | `names` | enums that are written as text |
//! | [`paths`] | paths as people type them |
//! | [`exit`] | exit codes and their meanings |
//! | [`cause`] | causes of errors, and how they are shown |
//! | [`fault`] | points where a test can kill or delay the process |

pub mod analysis;
pub mod cause;
pub mod cli;
pub mod config;
pub mod data;
pub mod evaluate;
pub mod exit;
pub mod export;
pub mod fault;
pub mod model;
mod names;
pub mod nn;
pub mod outputs;
pub mod paths;
pub mod plan;
pub mod predict;
pub mod published;
pub mod report;
pub mod schedule;
pub mod search;
pub mod serve;
pub mod settings;
pub mod stages;
pub mod statistics;
pub mod store;
pub mod tensor;
pub mod terminal;
pub mod text;
pub mod training;

/// The version of this program; of a released one with the revision that it was made of.
pub const VERSION: &str = env!("DIDACT_VERSION");
