//! Start of the executable: parsing, logs, the runtime, errors and exit codes.

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

/// Parses the command line. For help, version and usage errors, prints the text and returns the exit code as `Err`.
pub(super) fn parse<A: Parser>(command: Command) -> Result<A, ExitCode> {
    read::<A>(command).map_err(|error| {
        if error.use_stderr() {
            say(&rendered(&error, terminal::has_colours(&io::stderr())));
            return Exit::Usage.into();
        }
        match print(&rendered(&error, terminal::has_colours(&io::stdout()))) {
            Ok(()) => Exit::Done.into(),
            Err(failure) => fail(&failure),
        }
    })
}

fn read<A: Parser>(command: Command) -> Result<A, clap::Error> {
    let mut command = without_empty_variables(command);
    let mut matches = command.try_get_matches_from_mut(std::env::args_os().map(expand_home_in_argument))?;
    A::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// Makes empty environment variables count as unset, as everywhere in didact. clap would use the empty value.
fn without_empty_variables(command: Command) -> Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    command
        .mut_args(|argument| match argument.get_env().is_some_and(is_empty) {
            true => argument.env(Resettable::Reset),
            false => argument,
        })
        .mut_subcommands(without_empty_variables)
}

/// Renders clap's text. clap's own printing uses other rules for colours: it also reads `CI`.
fn rendered(error: &clap::Error, colours: bool) -> String {
    let text = error.render();
    let text = if colours { text.ansi().to_string() } else { text.to_string() };
    text.trim_end().to_owned()
}

/// Sets up logs and the runtime, runs a verb, and returns the exit code.
pub(super) fn start(log: LevelFilter, verb: impl FnOnce(&Runtime) -> Result<Exit, Failure>) -> ExitCode {
    crate::store::set_listener(say);
    start_logs(log);
    let outcome = runtime().and_then(|runtime| {
        let outcome = verb(&runtime);
        // Also after a failure: the last process that closes a store merges its log into one file.
        runtime.block_on(crate::store::close_all());
        outcome
    });
    outcome.map_or_else(|failure| fail(&failure), ExitCode::from)
}

fn fail(failure: &Failure) -> ExitCode {
    say(&format!("error: {}", text_of(failure)));
    failure.exit().into()
}

/// Formats a failure for the user. Its message contains its causes: see [`crate::cause`].
fn text_of(failure: &Failure) -> String {
    match failure {
        Failure::Config(errors) => located_errors(errors),
        // These contain lists with one line per item.
        Failure::Usage(_) | Failure::Predict(_) => failure.to_string(),
        _ => one_line(&failure.to_string()),
    }
}

/// Formats the errors of a sweep file, each with its position in the text.
fn located_errors(errors: &ConfigErrors) -> String {
    // With and without colours, the frames are the same.
    let theme = match terminal::has_colours(&io::stderr()) {
        true => GraphicalTheme::unicode(),
        false => GraphicalTheme::unicode_nocolor(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(110);
    let mut message = format!("{errors}\n");
    for problem in errors.located() {
        message.push('\n');
        // Writing to a `String` cannot fail.
        let _ = handler.render_report(&mut message, &problem);
    }
    message.trim_end().to_owned()
}

/// Sends log lines to standard error and to the log of the running attempt.
fn start_logs(level: LevelFilter) {
    // If a line cannot be written, the layers would report it by a macro that panics.
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
