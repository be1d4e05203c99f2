//! Checks that the store and its artifacts are intact and agree with each other.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::artifacts::size_of;
use super::manifest::Manifest;
use super::{Artifacts, Damage, Look, Store, StoreError, settle};
use crate::stages::{Key, StageKind, short_key};

/// Severity of a problem that `check` reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Information; the store is correct.
    Note,
    /// A problem that `--repair` fixes.
    Repairable,
    /// A problem that only a backup of the store can fix.
    Fatal,
}

/// One problem that `check` reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Severity of the problem.
    pub severity: Severity,
    /// What is wrong, and where.
    pub what: String,
}

impl Found {
    fn note(what: String) -> Self {
        Self { severity: Severity::Note, what }
    }

    fn repairable(what: String) -> Self {
        Self { severity: Severity::Repairable, what }
    }
}

super::row::row! {
    struct DoneStage {
        id: String,
        kind: StageKind,
        digest: Option<String>,
    }
}

/// SQL query for runs that contradict their stages, or that have no results.
const WRONG_RUNS: &str = "SELECT r.id, CASE WHEN EXISTS (
            SELECT 1 FROM run_stage rs JOIN stage s ON s.id = rs.stage_id WHERE rs.run_id = r.id AND s.state <> 'done')
        THEN 'is done, but not all of its stages are' ELSE 'is done and has no results' END
    FROM run r WHERE r.state = 'done' AND (
        EXISTS (SELECT 1 FROM run_stage rs JOIN stage s ON s.id = rs.stage_id WHERE rs.run_id = r.id AND s.state <> 'done')
        OR NOT EXISTS (SELECT 1 FROM result x WHERE x.run_id = r.id))
    ORDER BY r.id";

/// SQL query for stages in state `running` that no running attempt holds.
const WRONG_STAGES: &str = "SELECT s.id, s.kind FROM stage s LEFT JOIN attempt a ON a.id = s.token
    WHERE s.state = 'running' AND (a.id IS NULL OR a.state <> 'running') ORDER BY s.id";

impl Store {
    /// Checks the whole store. With `repair`, resets every stage that must be computed again to `pending`.
    pub async fn check(&self, artifacts: &Artifacts, repair: bool) -> Result<Vec<Found>, StoreError> {
        let mut found = self.check_file().await?;
        if found.iter().any(|found| found.severity == Severity::Fatal) {
            return Ok(found);
        }
        self.check_artifacts(artifacts, repair, &mut found).await?;
        self.check_states(artifacts, repair, &mut found).await?;
        self.look_for_strangers(artifacts, &mut found).await?;
        Ok(found)
    }

    /// Checks the SQLite file.
    async fn check_file(&self) -> Result<Vec<Found>, StoreError> {
        let fatal = |what| Found { severity: Severity::Fatal, what };
        let rows: Vec<(String,)> = match sqlx::query_as("PRAGMA integrity_check(20)").fetch_all(&self.pool).await {
            Ok(rows) => rows,
            Err(error) => return Ok(vec![fatal(format!("{}: {error}", self.path().display()))]),
        };
        let mut found: Vec<Found> = rows
            .into_iter()
            .filter(|(row,)| row != "ok")
            .map(|(row,)| fatal(format!("{}: {row}", self.path().display())))
            .collect();
        let links: Vec<(String, Option<i64>, String)> =
            sqlx::query_as("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check LIMIT 20")
                .fetch_all(&self.pool)
                .await?;
        found.extend(links.into_iter().map(|(table, row, parent)| {
            fatal(format!("row {} of table {table} names a row of {parent} that is not there", row.unwrap_or_default()))
        }));
        Ok(found)
    }

    /// Checks the artifacts of all finished stages.
    async fn check_artifacts(
        &self,
        artifacts: &Artifacts,
        repair: bool,
        found: &mut Vec<Found>,
    ) -> Result<(), StoreError> {
        let stages: Vec<DoneStage> = sqlx::query_as(
            "SELECT s.id, s.kind, a.digest FROM stage s LEFT JOIN artifact a ON a.stage_id = s.id
             WHERE s.state = 'done' ORDER BY s.kind, s.id",
        )
        .fetch_all(&self.pool)
        .await?;
        let folder = artifacts.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let look = |stage: &DoneStage| {
                let kind = stage.kind;
                let key = Key::from_hex(stage.id.clone());
                examine(&folder, kind, &key, stage).err().map(|damage| (kind, key, damage))
            };
            stages.par_iter().filter_map(look).collect::<Vec<_>>()
        });
        let damaged = looked.await.map_err(|error| StoreError::Row(error.into()))?;
        for (kind, key, damage) in damaged {
            if repair {
                self.reopen(artifacts, kind, &key, &damage).await?;
            }
            found.push(Found::repairable(format!("{} {}: {damage}", kind.name(), short_key(key.as_str()))));
        }
        Ok(())
    }

    /// Checks for rows that contradict each other.
    async fn check_states(
        &self,
        artifacts: &Artifacts,
        repair: bool,
        found: &mut Vec<Found>,
    ) -> Result<(), StoreError> {
        let stages: Vec<(String, String)> = sqlx::query_as(WRONG_STAGES).fetch_all(&self.pool).await?;
        let runs: Vec<(String, String)> = sqlx::query_as(WRONG_RUNS).fetch_all(&self.pool).await?;
        for (id, kind) in &stages {
            found.push(Found::repairable(format!("{kind} {} is running, but no attempt runs", short_key(id))));
        }
        for (id, what) in &runs {
            // If a damaged stage was just reset to `pending`, its run was reset with it and is not reported again.
            found.push(Found::repairable(format!("run {} {what}", short_key(id))));
        }
        let leftover: Vec<(String,)> = sqlx::query_as(
            "SELECT a.stage_id FROM artifact a JOIN stage s ON s.id = a.stage_id WHERE s.state <> 'done' ORDER BY 1",
        )
        .fetch_all(&self.pool)
        .await?;
        for (id,) in &leftover {
            found.push(Found::repairable(format!("stage {} is not done, but an artifact is recorded", short_key(id))));
        }
        if !repair || (stages.is_empty() && runs.is_empty() && leftover.is_empty()) {
            return Ok(());
        }
        let mut tx = self.write().await?;
        for (id, _) in &stages {
            sqlx::query(
                "UPDATE stage SET state = 'pending', token = NULL, lease_until = NULL, reason = 'nobody held it'
                 WHERE id = ? AND state = 'running'",
            )
            .bind(id)
            .execute(&mut *tx)
            .await?;
            settle::runs_of_stage(&mut tx, id).await?;
        }
        sqlx::query("DELETE FROM artifact WHERE stage_id IN (SELECT id FROM stage WHERE state <> 'done')")
            .execute(&mut *tx)
            .await?;
        for (id, _) in &runs {
            settle::run(&mut tx, id).await?;
        }
        crate::fault::point("check:before-commit");
        tx.commit().await?;
        let sweeps: Vec<(String,)> = sqlx::query_as("SELECT id FROM sweep").fetch_all(&self.pool).await?;
        for (sweep,) in sweeps {
            self.settle_evaluations(&sweep, artifacts).await?;
        }
        Ok(())
    }

    /// Reports files in the artifacts folder that the store does not know. They are never removed.
    async fn look_for_strangers(&self, artifacts: &Artifacts, found: &mut Vec<Found>) -> Result<(), StoreError> {
        let stages: Vec<(String, StageKind)> =
            sqlx::query_as("SELECT id, kind FROM stage").fetch_all(&self.pool).await?;
        let kinds: HashMap<&str, StageKind> = stages.iter().map(|(id, kind)| (id.as_str(), *kind)).collect();
        for kind in StageKind::ALL {
            let folder = artifacts.root().join(kind.name());
            for path in entries(&folder) {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if kinds.get(name.as_ref()) != Some(&kind) {
                    let bytes = size_of(&path).unwrap_or_default();
                    found.push(Found::note(format!(
                        "{} ({bytes} bytes) is of no stage of this store; it is never removed",
                        path.display()
                    )));
                } else if let Ok((manifest, _)) = Manifest::read(&path) {
                    let strange = manifest.unknown(&path);
                    found.extend(
                        strange.iter().map(|file| Found::note(format!("{} was not published", file.display()))),
                    );
                }
            }
        }
        Ok(())
    }
}

/// Compares an artifact with its manifest, including the digest of every file.
fn examine(artifacts: &Artifacts, kind: StageKind, key: &Key, stage: &DoneStage) -> Result<(), Damage> {
    match &stage.digest {
        Some(digest) => artifacts.verify(kind, key, Some(digest), Look::Digests),
        None => Err(Damage::unrecorded(artifacts.path(kind, key))),
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
