//! `didact status`: how sweeps stand.

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::{print, print_json, table};
use crate::store::{Access, Store};

/// Arguments of `didact status`.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    /// The sweep's name; without one, the latest.
    sweep: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(super) async fn run(args: &StatusArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Read).await?;
    let (id, name) = store.find_sweep(args.sweep.as_deref()).await?;
    let status = store.status(&id, &name).await?;
    if args.json {
        print_json(&status)?;
        return Ok(Exit::Done);
    }
    print(&format!(
        "sweep {name}: {} of {} runs done, {} running, {} failed",
        status.runs_in("done"),
        status.total_runs(),
        status.runs_in("running"),
        status.runs_in("failed")
    ))?;
    let rows: Vec<Vec<String>> = status
        .runs
        .iter()
        .map(|row| vec![row.category.clone(), row.variant.clone(), row.state.clone(), row.count.to_string()])
        .collect();
    print(&format!("\n{}", table(&["category", "variant", "state", "runs"], &rows)))?;
    let rows: Vec<Vec<String>> =
        status.stages.iter().map(|row| vec![row.kind.clone(), row.state.clone(), row.count.to_string()]).collect();
    print(&format!("\n{}", table(&["stage", "state", "count"], &rows)))?;
    for failure in &status.failures {
        let reason = failure.reason.as_deref().unwrap_or("unknown");
        print(&format!(
            "\nfailed {}: {} · {} · seed {}\n  {reason}",
            &failure.run[..12.min(failure.run.len())],
            failure.category,
            failure.variant,
            failure.seed
        ))?;
    }
    Ok(Exit::Done)
}
