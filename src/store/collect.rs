//! Removes files that no run needs. Only files that didact created and that the store knows are removed; all others stay.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::artifacts::{COPY, REPLACED};
use super::database::Tx;
use super::inventory::Inventory;
use super::merge::temporary_prefix;
use super::sql::sql;
use super::{Artifacts, AttemptState, StageStatus, Store, StoreError};
use crate::stages::{StageJob, StageKind};

/// Reason why a file or folder can be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Garbage {
    /// Artifact of a finished stage that no sweep needs.
    Unwanted,
    /// Artifact of an unfinished stage that no sweep needs.
    Stray,
    /// File or folder left behind by an attempt that has ended.
    Temporary,
    /// Checkpoints of a stage that is done or that no sweep needs.
    Checkpoint,
    /// File that every stage that reads it has already read; see [`Stage::SPARE`](crate::stages::Stage::SPARE).
    Spare,
}

impl Garbage {
    /// Describes the reason for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Unwanted => "artifact that no sweep needs",
            Self::Stray => "artifact of an unfinished stage that no sweep needs",
            Self::Temporary => "left over from an attempt that has ended",
            Self::Checkpoint => "checkpoints that are no longer needed",
            Self::Spare => "file that is no longer needed",
        }
    }
}

/// A file or folder that can be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removable {
    /// Path below the artifacts folder.
    pub path: PathBuf,
    /// Size in bytes.
    pub bytes: u64,
    /// Reason why it can be removed.
    pub garbage: Garbage,
}

impl Store {
    /// Finds and removes files that no run needs. With `dry_run`, only finds them. Sweeps may run at the same time.
    ///
    /// All decisions and moves happen under the write lock, so that no stage is claimed or planned in between. A stage whose artifact is
    /// removed is pending again before another process can read the store.
    pub async fn collect(&self, artifacts: &Artifacts, dry_run: bool) -> Result<Vec<Removable>, StoreError> {
        let mut tx = self.write().await?;
        // A stage is wanted by a sweep if one of its runs there was not ended by a person.
        let stages: Vec<(String, StageKind, StageStatus, bool)> = sql(
            "SELECT s.key, s.kind, s.state, EXISTS (SELECT 1 FROM sweep_stages ss WHERE ss.stage_id = s.id AND ss.wanted = 1)
                 OR EXISTS (SELECT 1 FROM run_stages rs JOIN sweep_runs sr ON sr.run_id = rs.run_id JOIN runs r ON r.id = rs.run_id
                            WHERE rs.stage_id = s.id AND r.state <> 'cancelled') AS wanted
             FROM stages s",
        )
        .all(&mut tx)
        .await?;
        let attempts: Vec<(String, AttemptState)> = sql("SELECT token, state FROM attempts").all(&mut tx).await?;
        let id: String = sql("SELECT id FROM store").value(&mut tx).await?;
        let states = stages.into_iter().map(|(id, kind, state, wanted)| (id, (kind, state, wanted))).collect();
        let attempts = attempts.into_iter().map(|(id, state)| (id, state == AttemptState::Running)).collect();
        let place = Inventory::of(artifacts)?;
        let tmp = artifacts.root().join("tmp");
        let mut found = find(&place, &tmp, &states, &attempts, &id)?;
        found.extend(spare_files(&mut tx, &place, &states).await?);
        if artifacts.are_remote() {
            let copies = find(&Inventory::of_folder(artifacts), &tmp, &states, &attempts, &id)?;
            let is_new = |copy: &Removable| found.iter().all(|removable| removable.path != copy.path);
            // A copy of an artifact says nothing about its stage.
            let copies = copies.into_iter().filter(|copy| copy.garbage != Garbage::Unwanted && is_new(copy));
            found.extend(copies.collect::<Vec<_>>());
        }
        if dry_run || found.is_empty() {
            return Ok(found);
        }
        let trash = artifacts.create_temporary(&format!("{}{}", trash_prefix(&id), uuid::Uuid::now_v7()))?;
        for (index, garbage) in found.iter().enumerate() {
            artifacts.remote().map_or(Ok(()), |remote| remote.remove(&garbage.path))?;
            let from = artifacts.root().join(&garbage.path);
            crate::fault::point("collect:before-rename");
            match std::fs::rename(&from, trash.join(index.to_string())) {
                // The process that created it has already removed it.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                outcome => outcome.map_err(|source| StoreError::Artifact { path: from, source })?,
            }
            crate::fault::point("collect:after-rename");
            forget(&mut tx, garbage).await?;
        }
        crate::fault::point("collect:before-commit");
        tx.commit().await?;
        crate::fault::point("collect:after-commit");
        artifacts.discard_temporary(&trash);
        Ok(found)
    }
}

/// Name prefix of the folders in which this store's garbage waits for its removal.
fn trash_prefix(store: &str) -> String {
    format!("gc-{store}-")
}

/// Updates the store after a file or folder was moved away.
async fn forget(tx: &mut Tx, garbage: &Removable) -> Result<(), StoreError> {
    // The path is KIND/KEY or KIND/KEY/FILE.
    let key = garbage.path.iter().nth(1).unwrap_or_default().to_string_lossy().into_owned();
    match garbage.garbage {
        Garbage::Unwanted => {
            sql("UPDATE stages SET state = 'pending', reason = '`didact gc` removed its artifact', finished_at = NULL WHERE key = $1")
                .bind(&key)
                .execute(tx)
                .await?;
            sql("DELETE FROM artifacts WHERE stage_id = (SELECT id FROM stages WHERE key = $1)")
                .bind(&key)
                .execute(tx)
                .await?;
        }
        Garbage::Spare => {
            sql("UPDATE artifacts SET bytes = bytes - $1 WHERE stage_id = (SELECT id FROM stages WHERE key = $2)")
                .bind(garbage.bytes as i64)
                .bind(&key)
                .execute(tx)
                .await?;
        }
        Garbage::Stray | Garbage::Temporary | Garbage::Checkpoint => {}
    }
    Ok(())
}

/// Finds spare files of stages whose complete artifact is no longer needed.
async fn spare_files(tx: &mut Tx, place: &Inventory, states: &States) -> Result<Vec<Removable>, StoreError> {
    let mut found = Vec::new();
    for (kind, is_spare) in StageKind::ALL.into_iter().filter_map(|kind| Some((kind, kind.spare()?))) {
        for key in place.names(kind.name()) {
            let path = Path::new(kind.name()).join(&key);
            let is_kept = states.get(&key).is_some_and(|(_, state, wanted)| *state == StageStatus::Done && *wanted);
            let mut spare = place.names(&format!("{}/{key}", kind.name()));
            spare.retain(|file| is_spare(file));
            if is_kept && !spare.is_empty() && is_read(tx, &key).await? {
                for file in spare {
                    found.extend(removable(place, path.join(file), Garbage::Spare)?);
                }
            }
        }
    }
    Ok(found)
}

/// Returns whether stages exist that need a stage's complete artifact, and all of them are done.
async fn is_read(tx: &mut Tx, key: &str) -> Result<bool, StoreError> {
    let dependents: Vec<(String, StageStatus)> = sql(
        "SELECT j.job, s.state FROM stages n JOIN stage_dependencies d ON d.needs_id = n.id JOIN stages s ON s.id = d.stage_id
         JOIN stage_jobs j ON j.stage_id = s.id WHERE n.key = $1",
    )
    .bind(key)
    .all(tx)
    .await?;
    let needs_whole = |job: &str| {
        let needs = serde_json::from_str::<StageJob>(job).map(|job| job.needs()).unwrap_or_default();
        needs.iter().any(|need| need.spare_files && need.key.as_str() == key)
    };
    let mut readers = dependents.iter().filter(|(job, _)| needs_whole(job)).peekable();
    Ok(readers.peek().is_some() && readers.all(|(_, state)| *state == StageStatus::Done))
}

fn removable(place: &Inventory, path: PathBuf, garbage: Garbage) -> Result<Option<Removable>, StoreError> {
    // A worker removes its own checkpoints when its stage is done, so they may already be missing.
    Ok(place.bytes(&path)?.map(|bytes| Removable { path, bytes, garbage }))
}

/// Kind and state of each stage, and whether a run needs it.
type States = HashMap<String, (StageKind, StageStatus, bool)>;

/// Finds what no run needs. `tmp` is the folder of temporary files.
fn find(
    place: &Inventory,
    tmp: &Path,
    states: &States,
    attempts: &HashMap<String, bool>,
    store: &str,
) -> Result<Vec<Removable>, StoreError> {
    let mut found = Vec::new();
    let mut add = |folder: &str, name: String, garbage: Garbage| {
        found.extend(removable(place, Path::new(folder).join(name), garbage)?);
        Ok::<(), StoreError>(())
    };
    for kind in StageKind::ALL {
        for name in place.names(kind.name()) {
            match states.get(&name).filter(|(known, ..)| *known == kind) {
                Some((_, StageStatus::Done, true)) => {}
                Some((_, StageStatus::Done, false)) => add(kind.name(), name, Garbage::Unwanted)?,
                // An attempt published it and is about to record it, or died before that. The next attempt uses it.
                Some((_, StageStatus::Running, _) | (_, _, true)) => {}
                Some(_) => add(kind.name(), name, Garbage::Stray)?,
                // The owner is unknown.
                None => {}
            }
        }
    }
    for name in place.names("partial") {
        match states.get(&name) {
            None => {}
            Some((_, state, true)) if *state != StageStatus::Done => {
                for attempt in place.names(&format!("partial/{name}")) {
                    let folder = format!("partial/{name}/{attempt}");
                    for unfinished in place.names(&folder) {
                        // A running stage may still be writing it.
                        if unfinished.ends_with(".tmp") && *state != StageStatus::Running {
                            add(&folder, unfinished, Garbage::Temporary)?;
                        }
                    }
                }
            }
            Some((_, StageStatus::Running, _)) => {}
            Some(_) => add("partial", name, Garbage::Checkpoint)?,
        }
    }
    for name in place.names("tmp") {
        let attempt = attempts.get(name.strip_suffix(REPLACED).unwrap_or(&name));
        let is_ours = name.starts_with(&trash_prefix(store))
            || ((name.starts_with(&temporary_prefix(store)) || name.starts_with(COPY)) && is_old(&tmp.join(&name)));
        if attempt == Some(&false) || is_ours {
            add("tmp", name, Garbage::Temporary)?;
        }
    }
    Ok(found)
}

/// Returns whether a temporary folder has not changed for a day, so that no process uses it.
fn is_old(folder: &Path) -> bool {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let changed = std::fs::metadata(folder).and_then(|facts| facts.modified());
    changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > DAY))
}
