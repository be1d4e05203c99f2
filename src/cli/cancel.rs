//! `didact cancel`: cancels a sweep, a trial or a run.

use super::failure::Failure;
use super::global::Global;
use super::output::print;
use super::slurm::cancel_arrays;
use crate::exit::Exit;
use crate::plan::trial_id;
use crate::stages::short_key;
use crate::store::{Access, Named, Store};
use crate::text::counted;

/// Arguments of `didact cancel`.
#[derive(Debug, clap::Args)]
pub(super) struct CancelArgs {
    /// Sweep name, trial (T07 or SWEEP:T07), or first digits of the key of a trial or run.
    id: String,
}

/// Runs the verb.
pub(super) async fn run(args: &CancelArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Serve).await?;
    let named = store.find(&args.id).await?;
    let target = match &named {
        Named::Sweep(_, name) => format!("sweep {name}"),
        Named::TrialOf { name, number, .. } => format!("{} of sweep {name}", trial_id(*number)),
        Named::Trial(id) => format!("trial {}", short_key(id)),
        Named::Run(id) => format!("run {}", short_key(id)),
        Named::Stage(id) => {
            let message = format!(
                "{} is a stage, which several runs may share: cancel a sweep, a trial or a run (`didact why {}` lists the runs)",
                args.id,
                short_key(id)
            );
            return Err(Failure::usage(message));
        }
    };
    let cancelled = store.cancel(&named).await?;
    print(&format!("{target}: {} cancelled; finished runs are kept", counted(cancelled, "run")))?;
    if let Named::Sweep(id, _) = &named {
        cancel_arrays(&store, id).await?;
    }
    Ok(Exit::Done)
}
