//! `didact store`: whether the store and its artifacts are whole; copies of a store that is in use.

use std::path::PathBuf;

use super::failure::Failure;
use super::global::Global;
use super::output::{print, print_json};
use crate::exit::Exit;
use crate::store::{Access, Severity, Store};

/// Verbs of `didact store`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum StoreVerb {
    /// Look whether the store is whole, every artifact is what was published, and no states contradict each other.
    Check {
        /// Return to pending what is damaged; the sweep file makes it again.
        #[arg(long)]
        repair: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Copy the store to a file that does not exist yet, also while it is in use (artifacts are not copied).
    Backup {
        /// The copy.
        file: PathBuf,
    },
}

/// Runs a verb.
pub(super) async fn run(verb: &StoreVerb, global: &Global) -> Result<Exit, Failure> {
    match verb {
        StoreVerb::Check { repair, json } => check(*repair, *json, global).await,
        StoreVerb::Backup { file } => {
            let store = Store::open(&global.store, Access::Read).await?;
            store.back_up(file).await?;
            print(&format!("{} was copied to {}", store.path().display(), file.display()))?;
            Ok(Exit::Done)
        }
    }
}

async fn check(repair: bool, json: bool, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, if repair { Access::Serve } else { Access::Read }).await?;
    let artifacts = if repair { global.own_artifacts(&store).await? } else { global.artifacts() };
    let found = store.check(&artifacts, repair).await?;
    let count = |severity| found.iter().filter(|found| found.severity == severity).count();
    let (repairable, fatal) = (count(Severity::Repairable), count(Severity::Fatal));
    if json {
        print_json(&found)?;
    } else {
        for found in &found {
            print(&found.what)?;
        }
        let mut summary = match (repairable + fatal, repair) {
            (0, _) => "the store and its artifacts are whole".to_owned(),
            (count, true) if fatal == 0 => {
                format!("{count} problem(s) repaired: the sweep file makes again what is missing")
            }
            (count, _) => format!("{count} problem(s)"),
        };
        if fatal > 0 {
            summary += ": the file itself is damaged; put a copy of it back (`didact store backup` makes copies)";
        } else if repairable > 0 && !repair {
            summary +=
                "; `didact store check --repair` returns what is damaged to pending, and the sweep file makes it again";
        }
        print(&summary)?;
    }
    Ok(if fatal > 0 || (repairable > 0 && !repair) { Exit::Store } else { Exit::Done })
}
