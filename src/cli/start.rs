//! What both executables do around a verb: logs, the runtime, what went wrong, the exit code.

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Runtime;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::exit::{Exit, Failure};
use super::output::unwritten;
use crate::paths::expanded_argument;
use crate::schedule::AttemptLog;
use crate::terminal::{self, say};

/// The command line; where there is nothing to run, the exit code: of help and version, or of what is wrong.
pub(super) fn parse<A: Parser>() -> Result<A, ExitCode> {
    A::try_parse_from(std::env::args_os().map(expanded_argument)).map_err(|told| {
        let printed = told.print();
        match printed {
            // What is wrong goes to standard error, best effort.
            _ if told.use_stderr() => Exit::Usage.into(),
            Err(error) if error.kind() != ErrorKind::BrokenPipe => fail(&unwritten("standard output", &error)),
            _ => Exit::Done.into(),
        }
    })
}

/// Runs a verb.
pub(super) fn start(log: &str, verb: impl FnOnce(&Runtime) -> Result<Exit, Failure>) -> ExitCode {
    crate::store::listen(say);
    let outcome = listen(log).and_then(|()| runtime()).and_then(|runtime| {
        let outcome = verb(&runtime);
        // Whichever way the verb ended: the last one to leave a store makes it one file.
        runtime.block_on(crate::store::close_all());
        outcome
    });
    outcome.map_or_else(|failure| fail(&failure), ExitCode::from)
}

fn fail(failure: &Failure) -> ExitCode {
    say(&format!("error: {}", failure.message));
    failure.exit.into()
}

/// Sends what is logged to standard error, and to the log of the attempt that runs.
fn listen(log: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(log)
        .map_err(|_| Failure::new(Exit::Usage, format!("--log {log}: expected error, warn, info, debug or trace")))?;
    // Where a line cannot be written, the layers would say so by a macro that panics.
    let shown = tracing_subscriber::fmt::layer()
        .with_ansi(terminal::has_colours())
        .log_internal_errors(false)
        .with_writer(|| terminal::BestEffort);
    let attempt = tracing_subscriber::fmt::layer().with_ansi(false).log_internal_errors(false).with_writer(AttemptLog);
    tracing_subscriber::registry()
        .with(shown.with_filter(filter))
        .with(
            attempt
                .with_filter(LevelFilter::DEBUG)
                .with_filter(filter_fn(|facts| facts.target().starts_with("didact"))),
        )
        .init();
    Ok(())
}

fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Store, format!("cannot start threads: {error}")))
}
