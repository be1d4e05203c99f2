//! `didact gc`: removes artifacts that no run needs.

use super::failure::Failure;
use super::global::Global;
use super::output::{print, size, table};
use crate::exit::Exit;
use crate::store::{Access, Store};
use crate::text::counted;

/// Arguments of `didact gc`.
#[derive(Debug, clap::Args)]
pub(super) struct GcArgs {
    /// List what would be removed, without removing it.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the verb.
pub(super) async fn run(args: &GcArgs, global: &Global) -> Result<Exit, Failure> {
    // Never create a store here: in an empty store, every artifact would look like garbage.
    let store = Store::open(&global.store, Access::Serve).await?;
    let found = store.collect(&global.own_artifacts(&store).await?, args.dry_run).await?;
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|garbage| {
            vec![garbage.path.display().to_string(), size(garbage.bytes), garbage.garbage.describe().to_owned()]
        })
        .collect();
    if !rows.is_empty() {
        print(&table(&["path", "size", "reason"], &rows))?;
    }
    let bytes: u64 = found.iter().map(|garbage| garbage.bytes).sum();
    let verb = if args.dry_run { "would be removed" } else { "removed" };
    print(&format!("{}, {} {verb}", counted(found.len(), "item"), size(bytes)))?;
    Ok(Exit::Done)
}
