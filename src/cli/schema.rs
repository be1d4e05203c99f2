//! `didact schema`: prints the settings of a sweep file.

use clap::ValueEnum;

use super::failure::Failure;
use super::output::{print, print_json};
use crate::config;
use crate::exit::Exit;

/// Arguments of `didact schema`.
#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

/// Format of the description.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// JSON schema (draft 2020-12), for editors.
    Json,
    /// Markdown page "The sweep file".
    Markdown,
}

/// Runs the verb.
pub(super) fn run(args: &SchemaArgs) -> Result<Exit, Failure> {
    match args.format {
        Format::Json => print_json(&config::schema())?,
        Format::Markdown => print(config::page().trim_end())?,
    }
    Ok(Exit::Done)
}
