//! `didact report`: writes the report of a sweep.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::bar::Bar;
use super::failure::Failure;
use super::global::Global;
use super::metrics::{NamedMetrics, metric_names, metrics_of};
use super::output::{announce_moved_files, print_json, print_location};
use super::parse::run_page_choice;
use crate::analysis::{Analysis, Ranking, Rows};
use crate::evaluate::metrics::Metric;
use crate::exit::Exit;
use crate::outputs::{ForeignFiles, OutputPlace};
use crate::report::{RunHistory, RunPageChoice, WrittenReport};
use crate::schedule::yield_to_others;
use crate::store::{Access, Artifacts, Store, Wanted};
use crate::{analysis, report};

/// Arguments of `didact report`.
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// Sweep name [default: the latest sweep].
    sweep: Option<String>,
    /// Folder to write to [default: reports/NAME].
    #[arg(long)]
    out: Option<PathBuf>,
    /// Move existing files that no report of this sweep wrote to `replaced` in the output folder.
    #[arg(long, conflicts_with = "json")]
    force: bool,
    /// Rank numbers of different protocols (map rule, size, data) in one table, and mark it.
    #[arg(long)]
    across_protocols: bool,
    /// Metrics to show or a preset, comma-separated; the first is in the headline [default: `report.metrics` of the sweep file].
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = metric_names())]
    metrics: Vec<NamedMetrics>,
    /// Runs that get a page of their own: `drawn` by figures (at most 200), `all` or `none`.
    #[arg(long, value_name = "RUNS", value_parser = run_page_choice, default_value_t = RunPageChoice::Drawn, conflicts_with = "json")]
    run_pages: RunPageChoice,
    /// Print the findings as JSON instead of writing the report.
    #[arg(long, conflicts_with = "out")]
    json: bool,
    /// Write the report again whenever runs finish, until all are done.
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    /// Use only cores that no other process needs.
    #[arg(long, hide = true)]
    background: bool,
}

/// Interval at which `--watch` reads the store.
const WATCH_INTERVAL: Duration = Duration::from_secs(2);

/// Runs the verb.
pub(super) async fn run(args: &ReportArgs, global: &Global) -> Result<Exit, Failure> {
    if args.background {
        yield_to_others();
    }
    let store = Store::open(&global.store, Access::Read).await?;
    let (id, name) = store.find_sweep(args.sweep.as_deref()).await?;
    let metrics = metrics_of(&args.metrics);
    let ranking = if args.across_protocols { Ranking::AcrossProtocols } else { Ranking::WithinProtocols };
    if args.json {
        let rows = analysis::read(&store, &id, &metrics).await?;
        print_json(&analysis::findings(&Analysis::of(&rows, &global.artifacts()?, ranking)))?;
        return Ok(Exit::Done);
    }
    let folder = args.out.clone().unwrap_or_else(|| default_folder(&name));
    let place = OutputPlace { folder: &folder, foreign: ForeignFiles::forced(args.force) };
    let mut written = None;
    loop {
        let counts = store.run_counts(&Wanted { sweep: id.clone(), only: None }).await?;
        if written.as_ref() != Some(&counts) {
            let rows = rows(&store, &id, &metrics).await?;
            let artifacts = global.artifacts()?;
            let analysis = Analysis::of(&rows, &artifacts, ranking);
            write(&store, &rows, &analysis, place, args.run_pages, &artifacts).await?;
        }
        if !args.watch || counts.open() == 0 {
            return Ok(Exit::Done);
        }
        written = Some(counts);
        tokio::time::sleep(WATCH_INTERVAL).await;
    }
}

/// Returns the default folder of a sweep's report.
pub(super) fn default_folder(name: &str) -> PathBuf {
    Path::new("reports").join(name)
}

/// Checks whether the report could be written now, so that an error appears before hours of work.
pub(super) fn check_writable(name: &str) -> Result<(), Failure> {
    report::check_folder(name, &default_folder(name)).map_err(|error| {
        let hint = format!(" (`didact report {name}` takes --out and --force; --no-report writes no report)");
        Failure::from(error).with_hint(hint)
    })
}

/// Adds a hint to the failure of a sweep to write its report.
pub(super) fn with_report_hint(failure: Failure, name: &str) -> Failure {
    failure.with_hint(format!("; the results are in the store: run `didact report {name}` to write the report"))
}

/// Reads what a report shows. Without `metrics`, it shows those of the sweep file.
pub(super) async fn rows(store: &Store, sweep: &str, metrics: &[Metric]) -> Result<Rows, Failure> {
    let bar = Bar::new(0, "{pos}/{len} {msg}");
    bar.show(0, 1, "reading the store");
    let rows = analysis::read(store, sweep, metrics).await;
    bar.close();
    Ok(rows?)
}

/// Writes the report and prints the path of its page.
pub(super) async fn write(
    store: &Store,
    rows: &Rows,
    analysis: &Analysis<'_>,
    place: OutputPlace<'_>,
    choice: RunPageChoice,
    artifacts: &Artifacts,
) -> Result<(), Failure> {
    let bar = Bar::new(0, "{pos}/{len} {msg}");
    bar.show(0, 1, "reading the store");
    let history = RunHistory::read(store, rows, choice).await?;
    let written = report::write(analysis, artifacts, place, (choice, &history), &mut |step| {
        bar.show(step.done, step.total, step.doing);
    });
    bar.close();
    let WrittenReport { page, moved_aside } = written?;
    moved_aside.iter().for_each(announce_moved_files);
    print_location(&format!("report: {}", page.display()));
    Ok(())
}
