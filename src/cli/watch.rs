//! `didact watch`: shows a running sweep in the terminal.

use super::failure::Failure;
use super::global::Global;
use crate::exit::Exit;

/// Arguments of `didact watch`.
#[derive(Debug, clap::Args)]
pub(super) struct WatchArgs {
    /// Sweep name [default: the latest sweep].
    sweep: Option<String>,
}

/// Runs the verb.
#[cfg(feature = "live")]
pub(super) async fn run(args: &WatchArgs, global: &Global) -> Result<Exit, Failure> {
    use std::io::stdout;

    use super::output::print;
    use super::signals::listen_for_signals;
    use crate::schedule::Stop;
    use crate::serve::{Source, watch};
    use crate::terminal::{can_redraw_on, has_colours};

    if !can_redraw_on(&stdout()) {
        let message = "standard output is not a terminal that can show a live view; run `didact status` instead";
        return Err(Failure::usage(message));
    }
    let stop = Stop::default();
    listen_for_signals(&stop);
    // Without the place of the artifacts, paths of logs begin below it.
    let artifacts = global.artifacts().map(|artifacts| artifacts.place().to_owned()).unwrap_or_default();
    let source = Source { store: global.store.clone(), artifacts };
    let progress = watch(source, args.sweep.as_deref(), has_colours(&stdout()), &stop).await?;
    print(&progress.headline())?;
    Ok(if stop.requested() { Exit::Interrupted } else { Exit::Done })
}

/// Runs the verb.
#[cfg(not(feature = "live"))]
#[expect(clippy::unused_async, reason = "its other form waits for the store")]
pub(super) async fn run(_: &WatchArgs, _: &Global) -> Result<Exit, Failure> {
    Err(Failure::without_live_views("run `didact status`"))
}
