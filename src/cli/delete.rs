//! `didact delete`: a sweep goes, with the runs that no other sweep wants.

use super::ask::confirmed;
use super::failure::Failure;
use super::global::Global;
use super::output::print;
use crate::exit::Exit;
use crate::schedule::reap;
use crate::store::{Access, Store};

/// Arguments of `didact delete`.
#[derive(Debug, clap::Args)]
pub(super) struct DeleteArgs {
    /// The sweep's name.
    sweep: String,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

/// Runs the verb.
pub(super) async fn run(args: &DeleteArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Serve).await?;
    // A worker that died does not keep its sweep.
    reap(&store).await?;
    let (id, name) = store.find_sweep(Some(&args.sweep)).await?;
    let what = store.would_delete(&id).await?;
    let shared = match what.shared {
        0 => String::new(),
        shared => format!("; {shared} run(s) stay, for other sweeps want them, too"),
    };
    let question = format!("Delete sweep {name} with {} run(s) and their numbers{shared}?", what.runs);
    match args.yes || confirmed(&question).ok_or_else(|| no_terminal(&question))? {
        true => store.delete(&id, &name).await?,
        false => return Err(Failure::usage("nothing was deleted")),
    }
    print(&format!(
        "sweep {name} is deleted, with {} run(s){shared}; `didact gc` removes its artifacts; its report's folder stays",
        what.runs
    ))?;
    Ok(Exit::Done)
}

fn no_terminal(question: &str) -> Failure {
    Failure::usage(format!("{question} There is no terminal to ask on: --yes answers"))
}
