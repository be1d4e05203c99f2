//! `didact list`: lists the sweeps in a store.

use super::failure::Failure;
use super::global::Global;
use super::output::{print, print_json, table};
use crate::exit::Exit;
use crate::store::{Access, ListedSweep, Store, Tag};

/// Arguments of `didact list`.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// List only sweeps with this tag. Repeat it for sweeps with several tags.
    #[arg(long, value_name = "TAG")]
    tag: Vec<Tag>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(super) async fn run(args: &ListArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Read).await?;
    let mut sweeps = store.list().await?;
    sweeps.retain(|sweep| args.tag.iter().all(|tag| sweep.tags.0.contains(tag)));
    if args.json {
        print_json(&sweeps)?;
        return Ok(Exit::Done);
    }
    if sweeps.is_empty() {
        print(if args.tag.is_empty() { "the store contains no sweeps" } else { "no sweep has these tags" })?;
        return Ok(Exit::Done);
    }
    let rows: Vec<Vec<String>> = sweeps.iter().map(row).collect();
    print(&table(
        &["sweep", "state", "trials", "runs", "done", "failed", "last started (UTC)", "tags", "file"],
        &rows,
    ))?;
    Ok(Exit::Done)
}

fn row(sweep: &ListedSweep) -> Vec<String> {
    vec![
        sweep.name.clone(),
        sweep.state().to_string(),
        sweep.trials.to_string(),
        sweep.runs.to_string(),
        sweep.done.to_string(),
        sweep.failed.to_string(),
        sweep.updated_at.get(..16).unwrap_or(&sweep.updated_at).replace('T', " "),
        sweep.tags.to_string(),
        sweep.file.clone().unwrap_or_else(|| "(embedded demo)".to_owned()),
    ]
}
