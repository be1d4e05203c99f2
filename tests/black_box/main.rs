//! Tests of the built binary: one file per subject, in one executable, so that the library is linked once.

mod background;
mod baselines;
mod browser;
mod budget;
mod cancel;
mod chromium;
mod cli;
mod collect;
mod common;
mod compare;
mod contention;
mod copies;
mod damage;
mod data_check;
mod decide;
mod devices;
mod disks;
mod documentation;
mod errors;
mod export;
mod failures;
mod files;
mod full_disk;
mod house;
mod idle_cores;
mod inventory;
mod layouts;
mod leaks;
mod leases;
mod memory;
mod merge;
mod names;
mod orphans;
mod outputs;
mod ownership;
mod pauses;
#[cfg(feature = "postgres")]
mod postgres;
mod predict;
mod processes;
mod protocols;
mod pseudo;
mod real_data;
mod remake;
mod remarks;
mod report;
mod resume;
mod run_pages;
#[cfg(feature = "s3")]
mod s3;
mod scratch;
mod search;
#[cfg(feature = "live")]
mod serve;
mod sharing;
mod signals;
#[cfg(feature = "postgres")]
mod slurm;
mod stores;
mod sweep;
mod takeover;
mod terminals;
mod torture;
mod versions;
mod watch;
mod weights;
