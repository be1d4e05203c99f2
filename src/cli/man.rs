//! `didact man`: manual pages of the program and its verbs.

use std::path::PathBuf;

use clap::Command;
use clap_mangen::Man;

use super::args;
use super::failure::Failure;
use super::output::{announce_moved_files, print, print_location};
use crate::exit::Exit;
use crate::outputs::{ForeignFiles, OutputFolder};

/// Arguments of `didact man`.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Write the pages of all commands to this folder, and print no page.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs the verb.
pub(super) fn run(args: &ManArgs) -> Result<Exit, Failure> {
    let command = args::built_command();
    let Some(folder) = &args.out else {
        print(String::from_utf8_lossy(&rendered(&command)?).trim_end())?;
        return Ok(Exit::Done);
    };
    let mut pages = Vec::new();
    collect(&command, "didact", &mut pages)?;
    let count = pages.len();
    let place = OutputFolder::open(folder, "manual pages");
    place.update(&pages, ForeignFiles::Refuse)?.iter().for_each(announce_moved_files);
    print_location(&format!("{count} manual pages in {}", folder.display()));
    Ok(Exit::Done)
}

/// Adds the pages of a command and its verbs: `didact-store-merge.1` describes `didact store merge`.
fn collect(command: &Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
    pages.push((format!("{name}.1"), rendered(command)?));
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        collect(verb, &format!("{name}-{}", verb.get_name()), pages)?;
    }
    Ok(())
}

fn rendered(command: &Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    Man::new(command.clone())
        .render(&mut page)
        .map_err(|error| super::output::write_failure("a manual page", error))?;
    Ok(page)
}
