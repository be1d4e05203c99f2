//! `didact schema`: what a sweep file can hold.

use clap::ValueEnum;

use super::failure::Failure;
use super::output::{print, print_json};
use crate::config;
use crate::exit::Exit;

/// Arguments of `didact schema`.
#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {
    /// Format of the description.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

/// How the settings are described.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// JSON schema (draft 2020-12), for editors.
    Json,
    /// The page "The sweep file".
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
