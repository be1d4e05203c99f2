//! `didact rename`: a sweep gets another name.

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
    /// The sweep's name.
    sweep: String,
    /// Its new name.
    new: String,
}

/// Runs the verb.
pub(super) async fn run(args: &RenameArgs, global: &Global) -> Result<Exit, Failure> {
    let RenameArgs { sweep, new } = args;
    if !is_sweep_name(new) {
        return Err(Failure::usage(format!("`{new}` is no name of a sweep: {SWEEP_NAME}")));
    }
    let store = Store::open(&global.store, Access::Serve).await?;
    reap(&store).await?;
    let (id, name) = store.find_sweep(Some(sweep)).await?;
    store.rename(&id, &name, new).await?;
    print(&format!("sweep {name} is called {new} now; `didact report {new}` writes its report under that name"))?;
    print(&format!(
        "its file still says {name}, and starting it as it is makes a new sweep: write name = \"{new}\" there, or add --set name={new}"
    ))?;
    Ok(Exit::Done)
}
