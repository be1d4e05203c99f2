//! `didact report`: the report of a sweep.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::bar::Bar;
use super::failure::Failure;
use super::global::Global;
use super::metrics::metric_names;
use super::output::{notice, print_json, tell_aside};
use crate::analysis::Ranking;
use crate::evaluate::metrics::Metric;
use crate::exit::Exit;
use crate::outputs::{ForeignFiles, OutputPlace};
use crate::report::Written;
use crate::store::{Access, Artifacts, Store, Wanted};
use crate::{analysis, report};

/// Arguments of `didact report`.
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// The sweep's name; without one, the latest.
    sweep: Option<String>,
    /// Folder to write to [default: reports/NAME].
    #[arg(long)]
    out: Option<PathBuf>,
    /// Move files aside, to `replaced` in that folder, that would be overwritten and that no report of this sweep wrote.
    #[arg(long, conflicts_with = "json")]
    force: bool,
    /// Put numbers that were measured in different ways (map rule, size, data) into one table, and mark it.
    #[arg(long)]
    across_protocols: bool,
    /// Metrics to show, with commas; the first is that of the headline [default: `report.metrics` of the sweep file].
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = metric_names())]
    metrics: Vec<Metric>,
    /// Print what the report finds as JSON, and write nothing.
    #[arg(long, conflicts_with = "out")]
    json: bool,
    /// Write it again whenever more runs are done, until all are.
    #[arg(long, conflicts_with = "json")]
    watch: bool,
}

/// How often a watched sweep is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Runs the verb.
pub(super) async fn run(args: &ReportArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Read).await?;
    let (id, name) = store.find_sweep(args.sweep.as_deref()).await?;
    let ranking = if args.across_protocols { Ranking::AcrossProtocols } else { Ranking::WithinProtocols };
    if args.json {
        let rows = analysis::read(&store, &id, &args.metrics).await?;
        print_json(&analysis::findings(&rows, &global.artifacts(), ranking))?;
        return Ok(Exit::Done);
    }
    let folder = args.out.clone().unwrap_or_else(|| folder_of(&name));
    let place = OutputPlace { folder: &folder, foreign: ForeignFiles::forced(args.force) };
    let mut written = None;
    loop {
        let counts = store.run_counts(&Wanted { sweep: id.clone(), only: None }).await?;
        if written.as_ref() != Some(&counts) {
            write(&store, &id, &args.metrics, place, ranking, &global.artifacts()).await?;
        }
        if !args.watch || counts.open() == 0 {
            return Ok(Exit::Done);
        }
        written = Some(counts);
        tokio::time::sleep(LOOK).await;
    }
}

/// Where the report of a sweep goes unless told.
pub(super) fn folder_of(name: &str) -> PathBuf {
    Path::new("reports").join(name)
}

/// Whether the report of a sweep can be written when it ends: better known before hours of work than after.
pub(super) fn look(name: &str) -> Result<(), Failure> {
    report::look(name, &folder_of(name)).map_err(|error| {
        let advice = format!(": `didact report {name}` takes --out and --force, and --no-report writes no report");
        Failure::from(error).advised(advice)
    })
}

/// That a sweep could not write its report, and how it can still be had.
pub(super) fn unwritten(failure: Failure, name: &str) -> Failure {
    failure.advised(format!("; the results are in the store, and `didact report {name}` writes the report"))
}

/// Writes the report, with these metrics or those that the sweep file chooses, and tells where its page is.
pub(super) async fn write(
    store: &Store,
    sweep: &str,
    metrics: &[Metric],
    place: OutputPlace<'_>,
    ranking: Ranking,
    artifacts: &Artifacts,
) -> Result<(), Failure> {
    let bar = Bar::new(0, "{pos}/{len} {msg}");
    bar.show(0, 1, "reading the store");
    let rows = analysis::read(store, sweep, metrics).await?;
    let written =
        report::write(&rows, artifacts, ranking, place, &mut |step| bar.show(step.done, step.total, step.doing));
    bar.close();
    let Written { page, aside } = written?;
    aside.iter().for_each(tell_aside);
    notice(&format!("report: {}", page.display()));
    Ok(())
}
