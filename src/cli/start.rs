//! What both executables do around a verb: logs, the runtime, what went wrong, the exit code.

use std::ffi::OsStr;
use std::io;
use std::process::ExitCode;

use clap::builder::Resettable;
use clap::{Command, Parser};
use miette::{GraphicalReportHandler, GraphicalTheme};
use tokio::runtime::Runtime;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::failure::Failure;
use super::output::print;
use crate::cause::{Context, one_line};
use crate::config::ConfigErrors;
use crate::exit::Exit;
use crate::paths::expand_home_in_argument;
use crate::schedule::AttemptLog;
use crate::terminal::{self, say};

/// The command line; where there is nothing to run, the exit code: of help and version, or of what is wrong.
pub(super) fn parse<A: Parser>() -> Result<A, ExitCode> {
    read::<A>().map_err(|told| {
        if told.use_stderr() {
            say(&shown(&told, terminal::has_colours(&io::stderr())));
            return Exit::Usage.into();
        }
        match print(&shown(&told, terminal::has_colours(&io::stdout()))) {
            Ok(()) => Exit::Done.into(),
            Err(failure) => fail(&failure),
        }
    })
}

fn read<A: Parser>() -> Result<A, clap::Error> {
    let mut command = without_empty_variables(A::command());
    let mut matches = command.try_get_matches_from_mut(std::env::args_os().map(expand_home_in_argument))?;
    A::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// An empty variable counts as unset, as everywhere in didact; clap would take it for a value.
fn without_empty_variables(command: Command) -> Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    command
        .mut_args(|argument| match argument.get_env().is_some_and(is_empty) {
            true => argument.env(Resettable::Reset),
            false => argument,
        })
        .mut_subcommands(without_empty_variables)
}

/// What clap says. Its own way of printing has other rules for colours than the rest of didact: it looks at `CI`, too.
fn shown(told: &clap::Error, colours: bool) -> String {
    let text = told.render();
    let text = if colours { text.ansi().to_string() } else { text.to_string() };
    text.trim_end().to_owned()
}

/// Runs a verb.
pub(super) fn start(log: LevelFilter, verb: impl FnOnce(&Runtime) -> Result<Exit, Failure>) -> ExitCode {
    crate::store::listen(say);
    listen(log);
    let outcome = runtime().and_then(|runtime| {
        let outcome = verb(&runtime);
        // Whichever way the verb ended: the last one to leave a store makes it one file.
        runtime.block_on(crate::store::close_all());
        outcome
    });
    outcome.map_or_else(|failure| fail(&failure), ExitCode::from)
}

fn fail(failure: &Failure) -> ExitCode {
    say(&format!("error: {}", told(failure)));
    failure.exit().into()
}

/// A failure as a person reads it. Its message is whole: see [`crate::cause`].
fn told(failure: &Failure) -> String {
    match failure {
        Failure::Config(errors) => in_their_places(errors),
        // These list what there is, a line each.
        Failure::Usage(_) | Failure::Predict(_) => failure.to_string(),
        _ => one_line(&failure.to_string()),
    }
}

/// What is wrong with a sweep file, each in its place in the text.
fn in_their_places(errors: &ConfigErrors) -> String {
    // Colours on a terminal that has them, the same shapes without elsewhere.
    let theme = match terminal::has_colours(&io::stderr()) {
        true => GraphicalTheme::unicode(),
        false => GraphicalTheme::unicode_nocolor(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(110);
    let mut message = format!("{errors}\n");
    for problem in errors.located() {
        message.push('\n');
        // A `String` takes whatever is written to it.
        let _ = handler.render_report(&mut message, &problem);
    }
    message.trim_end().to_owned()
}

/// Sends what is logged to standard error, and to the log of the attempt that runs.
fn listen(level: LevelFilter) {
    // Where a line cannot be written, the layers would say so by a macro that panics.
    let shown = tracing_subscriber::fmt::layer()
        .with_ansi(terminal::has_colours(&io::stderr()))
        .log_internal_errors(false)
        .with_writer(|| terminal::BestEffort);
    let attempt = tracing_subscriber::fmt::layer().with_ansi(false).log_internal_errors(false).with_writer(AttemptLog);
    tracing_subscriber::registry()
        .with(shown.with_filter(level))
        .with(
            attempt
                .with_filter(LevelFilter::DEBUG)
                .with_filter(filter_fn(|facts| facts.target().starts_with("didact"))),
        )
        .init();
}

fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::Machine(Context::new("cannot start threads", error).into()))
}
