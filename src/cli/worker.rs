//! `didact worker`: one process that serves a sweep.

use super::exit::{Exit, Failure};
use super::global::Global;
use super::signals::listen_for_signals;
use crate::schedule::{Stop, WorkerOptions, work};
use crate::store::{Access, Store};

/// Arguments of `didact worker`.
#[derive(Debug, clap::Args)]
pub(super) struct WorkerArgs {
    /// Name or id of the sweep to serve.
    #[arg(long)]
    sweep: String,
    /// Threads to use [default: all cores].
    #[arg(long)]
    threads: Option<usize>,
    /// End when standard input closes: the process that started this one has gone, or asks to stop.
    #[arg(long)]
    attached: bool,
}

/// Runs the verb.
pub(super) async fn run(args: &WorkerArgs, global: &Global) -> Result<Exit, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = args.threads.unwrap_or(cores).max(1);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|error| Failure::new(Exit::Store, format!("cannot start {threads} threads: {error}")))?;
    let store = Store::open(&global.store, Access::Write).await?;
    let (sweep, _) = store.find_sweep(Some(&args.sweep)).await?;
    let stop = Stop::default();
    listen_for_signals(stop.clone());
    if args.attached {
        let stop = stop.clone();
        // A thread of its own: reading blocks, and must not keep the runtime from ending.
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            stop.request();
        });
    }
    work(&store, &global.artifacts(), &WorkerOptions { sweep, threads }, &stop).await?;
    Ok(Exit::Done)
}
