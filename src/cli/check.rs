//! placeholder
use super::exit::{Exit, Failure};
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {}
pub(super) fn run(_: &CheckArgs) -> Result<Exit, Failure> { Ok(Exit::Done) }
