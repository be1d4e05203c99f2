//! `didact delete`: deletes a sweep and the runs that no other sweep needs.

use super::ask::confirmed;
use super::failure::Failure;
use super::global::Global;
use super::output::print;
use crate::exit::Exit;
use crate::schedule::reap;
use crate::store::{Access, Store};
use crate::text::{agreeing, counted};

/// Arguments of `didact delete`.
#[derive(Debug, clap::Args)]
pub(super) struct DeleteArgs {
    /// Sweep name.
    sweep: String,
    /// Delete without asking.
    #[arg(long, short)]
    yes: bool,
}

/// Runs the verb.
pub(super) async fn run(args: &DeleteArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Serve).await?;
    // A dead worker must not block the deletion.
    reap(&store).await?;
    let (id, name) = store.find_sweep(Some(&args.sweep)).await?;
    let what = store.would_delete(&id).await?;
    let shared = match what.shared {
        0 => String::new(),
        shared => {
            format!("; other sweeps need {}, which {} kept", counted(shared, "run"), agreeing(shared, "is", "are"))
        }
    };
    let runs = counted(what.runs, "run");
    let question = format!("Delete sweep {name} with {runs} and all numbers{shared}?");
    match args.yes || confirmed(&question).ok_or_else(|| no_terminal(&question))? {
        true => store.delete(&id, &name).await?,
        false => return Err(Failure::usage("nothing was deleted")),
    }
    print(&format!(
        "deleted sweep {name} with {runs}{shared}; run `didact gc` to remove its artifacts; the folder of its report is kept"
    ))?;
    Ok(Exit::Done)
}

fn no_terminal(question: &str) -> Failure {
    Failure::usage(format!("{question} There is no terminal to ask on: add --yes to confirm"))
}
