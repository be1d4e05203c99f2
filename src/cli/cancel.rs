//! `didact cancel`: no more of a sweep, a trial or a run.

use super::failure::Failure;
use super::global::Global;
use super::output::print;
use crate::exit::Exit;
use crate::plan::trial_id;
use crate::stages::short_key;
use crate::store::{Access, Named, Store};

/// Arguments of `didact cancel`.
#[derive(Debug, clap::Args)]
pub(super) struct CancelArgs {
    /// A sweep's name, a trial (T07, or SWEEP:T07), or the first digits of a trial's or run's key.
    id: String,
}

/// Runs the verb.
pub(super) async fn run(args: &CancelArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Serve).await?;
    let named = store.find(&args.id).await?;
    let what = match &named {
        Named::Sweep(_, name) => format!("sweep {name}"),
        Named::TrialOf { name, number, .. } => format!("{} of sweep {name}", trial_id(*number)),
        Named::Trial(id) => format!("trial {}", short_key(id)),
        Named::Run(id) => format!("run {}", short_key(id)),
        Named::Stage(id) => {
            let message = format!(
                "{} is a stage, which runs may share: cancel a sweep, a trial or a run (`didact why {}` lists the runs)",
                args.id,
                short_key(id)
            );
            return Err(Failure::usage(message));
        }
    };
    let cancelled = store.cancel(&named).await?;
    print(&format!("{what}: {cancelled} run(s) cancelled; finished ones stay"))?;
    Ok(Exit::Done)
}
