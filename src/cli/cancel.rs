//! `didact cancel`: no more of a sweep.

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::print;
use crate::store::{Access, Store};

/// Arguments of `didact cancel`.
#[derive(Debug, clap::Args)]
pub(super) struct CancelArgs {
    /// The sweep's name.
    sweep: String,
}

/// Runs the verb.
pub(super) async fn run(args: &CancelArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Write).await?;
    let (id, name) = store.find_sweep(Some(&args.sweep)).await?;
    let cancelled = store.cancel(&id).await?;
    print(&format!("sweep {name}: {cancelled} run(s) cancelled; finished ones stay"))?;
    Ok(Exit::Done)
}
