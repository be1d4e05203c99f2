//! `didact report`: the report of a sweep.

use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::print;
use crate::report::{self, Rows};
use crate::store::{Access, Artifacts, Store};

/// Arguments of `didact report`.
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// The sweep's name; without one, the latest.
    sweep: Option<String>,
    /// Folder to write to [default: reports/NAME].
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Runs the verb.
pub(super) async fn run(args: &ReportArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Read).await?;
    let (id, name) = store.find_sweep(args.sweep.as_deref()).await?;
    let index = write(&store, &id, &name, args.out.as_deref(), &global.artifacts()).await?;
    print(&format!("report: {}", index.display()))?;
    Ok(Exit::Done)
}

/// Writes the report and returns its first page.
pub(super) async fn write(
    store: &Store,
    sweep: &str,
    name: &str,
    out: Option<&Path>,
    artifacts: &Artifacts,
) -> Result<PathBuf, Failure> {
    let rows = Rows::read(store, sweep).await?;
    let folder = out.map_or_else(|| Path::new("reports").join(name), Path::to_path_buf);
    Ok(report::write(&rows, artifacts, &folder)?)
}
