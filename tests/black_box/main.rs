//! Tests of the built binary, one file a subject; one executable, so that the library is linked once.

mod budget;
mod cancel;
mod caught;
mod cli;
mod collect;
mod common;
mod contention;
mod devices;
mod disks;
mod errors;
mod failures;
mod full_disk;
mod inventory;
mod layouts;
mod leases;
mod orphans;
mod processes;
mod pseudo;
mod real_data;
mod resume;
mod search;
mod sharing;
mod stores;
mod sweep;
mod torture;
