//! `didact store`: checks, repairs, merges, copies and backs up stores.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::global::Global;
use super::output::{print, print_json, size};
use crate::exit::Exit;
use crate::store::{Access, Artifacts, Severity, Store, StoreError, is_server};
use crate::text::{agreeing, counted};

/// Verbs of `didact store`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum StoreVerb {
    /// Check that the store, its states and its artifacts are intact.
    Check {
        /// Return damaged stages to pending, so that the next sweep computes them again.
        #[arg(long)]
        repair: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take the runs, numbers and artifacts of another store into this one.
    Merge {
        /// SQLite file of the other store, or postgres://USER@HOST/DATABASE.
        other: PathBuf,
        /// Place of the other store's artifacts, as for --artifacts [default: next to it].
        #[arg(long, value_name = "DIR")]
        from_artifacts: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Copy a store row for row to another database: from a SQLite file to a PostgreSQL server, or back.
    Copy {
        /// The store: a SQLite file, or postgres://USER@HOST/DATABASE.
        from: PathBuf,
        /// A file that does not exist, or an empty database on a server.
        to: PathBuf,
    },
    /// Copy the store to a new file, even while it is in use; artifacts are not copied.
    Backup {
        /// New file; it must not exist.
        file: PathBuf,
    },
}

/// Runs the verb.
pub(super) async fn run(verb: &StoreVerb, global: &Global) -> Result<Exit, Failure> {
    match verb {
        StoreVerb::Check { repair, json } => check(*repair, *json, global).await,
        StoreVerb::Merge { other, from_artifacts, json } => {
            merge(other, from_artifacts.as_deref(), *json, global).await
        }
        StoreVerb::Copy { from, to } => copy(from, to).await,
        StoreVerb::Backup { file } => {
            let store = Store::open(&global.store, Access::Read).await?;
            store.back_up(file).await?;
            print(&format!("copied {} to {}", store.path().display(), file.display()))?;
            Ok(Exit::Done)
        }
    }
}

async fn merge(other: &Path, from: Option<&Path>, json: bool, global: &Global) -> Result<Exit, Failure> {
    let theirs = Store::open(&other.display().to_string(), Access::Read).await?;
    let from = match from {
        Some(place) => Artifacts::at(place)?,
        None if is_server(&other.display().to_string()) => return Err(StoreError::NoArtifacts.into()),
        None => Artifacts::next_to(theirs.path()),
    };
    let store = Store::open(&global.store, Access::Write).await?;
    let artifacts = global.own_artifacts(&store).await?;
    let merged = store.merge(&artifacts, &theirs, &from).await?;
    if json {
        print_json(&merged)?;
    } else {
        for refused in &merged.refused {
            print(&format!("not taken: {refused}"))?;
        }
        if merged.below_refused > 0 {
            let (stages, need) =
                (counted(merged.below_refused, "stage"), agreeing(merged.below_refused, "needs", "need"));
            print(&format!("not taken: {stages}, which {need} one of these"))?;
        }
        let sweeps = match merged.sweeps.as_slice() {
            [] => "no new sweep".to_owned(),
            names => format!("{} {}", agreeing(names.len(), "sweep", "sweeps"), names.join(", ")),
        };
        print(&format!(
            "merged {} into {}: {sweeps}; {}; {} done there, {} of artifacts copied",
            theirs.path().display(),
            store.path().display(),
            counted(merged.runs, "new run"),
            counted(merged.stages, "stage"),
            size(merged.bytes)
        ))?;
    }
    Ok(if merged.refused.is_empty() { Exit::Done } else { Exit::Store })
}

async fn copy(from: &Path, to: &Path) -> Result<Exit, Failure> {
    let store = Store::open(&from.display().to_string(), Access::Read).await?;
    let copied = store.copy_to(&to.display().to_string()).await?;
    print(&format!("copied {} of {} to {}", counted(copied.rows, "row"), store.path().display(), copied.to.display()))?;
    print("artifacts were not copied: the copy can use their folder (--artifacts) once the original is gone")?;
    Ok(Exit::Done)
}

async fn check(repair: bool, json: bool, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, if repair { Access::Serve } else { Access::Read }).await?;
    let artifacts = if repair { global.own_artifacts(&store).await? } else { global.artifacts()? };
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
            (0, _) => "the store and its artifacts are intact".to_owned(),
            (count, true) if fatal == 0 => {
                format!("{} repaired: run the sweep file again to compute what is missing", counted(count, "problem"))
            }
            (count, _) => counted(count, "problem"),
        };
        if fatal > 0 {
            summary += ": the store file itself is damaged; restore a copy (`didact store backup` makes copies)";
        } else if repairable > 0 && !repair {
            summary += "; run `didact store check --repair` to return damaged stages to pending, then run the sweep file again";
        }
        print(&summary)?;
    }
    Ok(if fatal > 0 || (repairable > 0 && !repair) { Exit::Store } else { Exit::Done })
}
