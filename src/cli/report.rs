//! `didact report`: the report of a sweep.

use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::{print, print_json};
use crate::report::{self, Ranking, Rows};
use crate::store::{Access, Artifacts, Store};

/// Arguments of `didact report`.
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// The sweep's name; without one, the latest.
    sweep: Option<String>,
    /// Folder to write to [default: reports/NAME].
    #[arg(long)]
    out: Option<PathBuf>,
    /// Put numbers that were measured in different ways (map rule, size, data) into one table, and mark it.
    #[arg(long)]
    across_protocols: bool,
    /// Print what the report finds as JSON, and write nothing.
    #[arg(long, conflicts_with = "out")]
    json: bool,
}

/// Runs the verb.
pub(super) async fn run(args: &ReportArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Read).await?;
    let (id, name) = store.find_sweep(args.sweep.as_deref()).await?;
    let ranking = if args.across_protocols { Ranking::AcrossProtocols } else { Ranking::WithinProtocols };
    if args.json {
        let rows = Rows::read(&store, &id).await?;
        print_json(&report::findings(&rows, &global.artifacts(), ranking))?;
        return Ok(Exit::Done);
    }
    let folder = args.out.clone().unwrap_or_else(|| folder_of(&name));
    let index = write(&store, &id, &folder, ranking, &global.artifacts()).await?;
    print(&format!("report: {}", index.display()))?;
    Ok(Exit::Done)
}

/// Where the report of a sweep goes unless told.
pub(super) fn folder_of(name: &str) -> PathBuf {
    Path::new("reports").join(name)
}

/// Writes the report and returns its first page.
pub(super) async fn write(
    store: &Store,
    sweep: &str,
    folder: &Path,
    ranking: Ranking,
    artifacts: &Artifacts,
) -> Result<PathBuf, Failure> {
    let rows = Rows::read(store, sweep).await?;
    Ok(report::write(&rows, artifacts, ranking, folder)?)
}
