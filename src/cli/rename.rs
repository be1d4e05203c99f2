//! `didact rename`: renames a sweep.

use super::failure::Failure;
use super::global::Global;
use super::output::print;
use crate::config::{SWEEP_NAME, is_sweep_name};
use crate::exit::Exit;
use crate::schedule::reap;
use crate::store::{Access, Store};

/// Arguments of `didact rename`.
#[derive(Debug, clap::Args)]
pub(super) struct RenameArgs {
    /// Sweep name.
    sweep: String,
    /// New name.
    new: String,
}

/// Runs the verb.
pub(super) async fn run(args: &RenameArgs, global: &Global) -> Result<Exit, Failure> {
    let RenameArgs { sweep, new } = args;
    if !is_sweep_name(new) {
        return Err(Failure::usage(format!("`{new}` is not a valid sweep name: {SWEEP_NAME}")));
    }
    let store = Store::open(&global.store, Access::Serve).await?;
    reap(&store).await?;
    let (id, name) = store.find_sweep(Some(sweep)).await?;
    store.rename(&id, &name, new).await?;
    print(&format!("renamed sweep {name} to {new}; run `didact report {new}` to write its report under the new name"))?;
    print(&format!(
        "its file still has name = \"{name}\", which starts a new sweep: set name = \"{new}\" there, or add --set name={new}"
    ))?;
    Ok(Exit::Done)
}
