//! `didact completions`: scripts that make a shell complete commands, options and their values.

use clap_complete::Shell;

use super::args;
use super::failure::Failure;
use super::output::print;
use crate::exit::Exit;

/// Arguments of `didact completions`.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// Shell that reads the script.
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the verb.
pub(super) fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "didact", &mut script);
    print(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Done)
}
