//! What both executables do around a verb: logs, the runtime, what went wrong, the exit code.

use std::io::Write;
use std::process::ExitCode;

use tokio::runtime::Runtime;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::exit::{Exit, Failure};
use crate::schedule::AttemptLog;

/// Runs a verb.
#[expect(clippy::print_stderr, reason = "errors go to standard error")]
pub(super) fn start(log: &str, verb: impl FnOnce(&Runtime) -> Result<Exit, Failure>) -> ExitCode {
    // Where nobody reads it any more it is lost, and nothing else.
    crate::store::listen(|text| drop(writeln!(std::io::stderr(), "{text}")));
    let outcome = listen(log).and_then(|()| runtime()).and_then(|runtime| {
        let outcome = verb(&runtime);
        // Whichever way the verb ended: the last one to leave a store makes it one file.
        runtime.block_on(crate::store::close_all());
        outcome
    });
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("error: {}", failure.message);
            failure.exit.into()
        }
    }
}

/// Sends what is logged to standard error, and to the log of the attempt that runs.
fn listen(log: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(log)
        .map_err(|_| Failure::new(Exit::Usage, format!("--log {log}: expected error, warn, info, debug or trace")))?;
    let attempt = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(AttemptLog);
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(filter))
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
