//! Checks that the store and its artifacts are intact and agree with each other.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::artifacts::Recorded;
use super::inventory::Inventory;
use super::manifest::Manifest;
use super::sql::sql;
use super::{Artifacts, Store, StoreError, derived, settle};
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
pub struct StoreProblem {
    /// Severity of the problem.
    pub severity: Severity,
    /// What is wrong, and where.
    pub what: String,
}

impl StoreProblem {
    fn note(what: String) -> Self {
        Self { severity: Severity::Note, what }
    }

    fn repairable(what: String) -> Self {
        Self { severity: Severity::Repairable, what }
    }
}

super::row::row! {
    struct DoneStage {
        key: String,
        kind: StageKind,
        digest: Option<String>,
    }
}

/// SQL query for runs that contradict their stages, or that have no results.
const WRONG_RUNS: &str = "SELECT r.id, r.key, CASE WHEN EXISTS (
            SELECT 1 FROM run_stages rs JOIN stages s ON s.id = rs.stage_id WHERE rs.run_id = r.id AND s.state <> 'done')
        THEN 'is marked as done, but not all of its stages are done' ELSE 'is marked as done, but has no results' END
    FROM runs r WHERE r.state = 'done' AND (
        EXISTS (SELECT 1 FROM run_stages rs JOIN stages s ON s.id = rs.stage_id WHERE rs.run_id = r.id AND s.state <> 'done')
        OR NOT EXISTS (SELECT 1 FROM results x WHERE x.run_id = r.id))
    ORDER BY r.key";

/// SQL query for stages in state `running` that no running attempt holds.
const WRONG_STAGES: &str = "SELECT s.id, s.key, s.kind FROM stages s LEFT JOIN attempts a ON a.token = s.token
    WHERE s.state = 'running' AND (a.id IS NULL OR a.state <> 'running') ORDER BY s.key";

impl Store {
    /// Checks the whole store. With `repair`, resets every stage that must be computed again to `pending`.
    pub async fn check(&self, artifacts: &Artifacts, repair: bool) -> Result<Vec<StoreProblem>, StoreError> {
        let mut problems = self.check_file().await?;
        if problems.iter().any(|problem| problem.severity == Severity::Fatal) {
            return Ok(problems);
        }
        self.check_artifacts(artifacts, repair, &mut problems).await?;
        self.check_states(artifacts, repair, &mut problems).await?;
        self.check_unknown_files(artifacts, &mut problems).await?;
        Ok(problems)
    }

    /// Checks the SQLite file.
    async fn check_file(&self) -> Result<Vec<StoreProblem>, StoreError> {
        let fatal = |what| StoreProblem { severity: Severity::Fatal, what };
        // A server checks its own files.
        let Some(pool) = self.pool.sqlite() else { return Ok(Vec::new()) };
        let rows: Vec<(String,)> = match sqlx::query_as("PRAGMA integrity_check(20)").fetch_all(pool).await {
            Ok(rows) => rows,
            Err(error) => return Ok(vec![fatal(format!("{}: {error}", self.path().display()))]),
        };
        let mut problems: Vec<StoreProblem> = rows
            .into_iter()
            .filter(|(row,)| row != "ok")
            .map(|(row,)| fatal(format!("{}: {row}", self.path().display())))
            .collect();
        let links: Vec<(String, Option<i64>, String)> =
            sqlx::query_as("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check LIMIT 20")
                .fetch_all(pool)
                .await?;
        problems.extend(links.into_iter().map(|(table, row, parent)| {
            let row = row.unwrap_or_default();
            fatal(format!("row {row} of table {table} refers to a row of table {parent} that does not exist"))
        }));
        Ok(problems)
    }

    /// Checks the artifacts of all finished stages.
    async fn check_artifacts(
        &self,
        artifacts: &Artifacts,
        repair: bool,
        problems: &mut Vec<StoreProblem>,
    ) -> Result<(), StoreError> {
        let stages: Vec<DoneStage> =
            sql("SELECT s.key, s.kind, a.digest FROM stages s LEFT JOIN artifacts a ON a.stage_id = s.id
             WHERE s.state = 'done' ORDER BY s.kind, s.key")
            .all(self)
            .await?;
        let folder = artifacts.clone();
        let verified = tokio::task::spawn_blocking(move || {
            let damage_of = |stage: &DoneStage| {
                let kind = stage.kind;
                let key = Key::from_hex(stage.key.clone());
                let artifact = Recorded { kind, key: &key, digest: stage.digest.as_deref(), bytes: 0 };
                match folder.verify_at_place(&artifact) {
                    Ok(Ok(())) => None,
                    Ok(Err(damage)) => Some(Ok((kind, key, damage))),
                    Err(error) => Some(Err(error)),
                }
            };
            stages.par_iter().filter_map(damage_of).collect::<Result<Vec<_>, _>>()
        });
        let damaged = verified.await.map_err(|error| StoreError::Row(error.into()))??;
        for (kind, key, damage) in damaged {
            if repair {
                self.reopen(artifacts, kind, &key, &damage).await?;
            }
            problems.push(StoreProblem::repairable(format!("{} {}: {damage}", kind.name(), short_key(key.as_str()))));
        }
        Ok(())
    }

    /// Checks for rows that contradict each other.
    async fn check_states(
        &self,
        artifacts: &Artifacts,
        repair: bool,
        problems: &mut Vec<StoreProblem>,
    ) -> Result<(), StoreError> {
        let stages: Vec<(i64, String, String)> = sql(WRONG_STAGES).all(self).await?;
        let runs: Vec<(i64, String, String)> = sql(WRONG_RUNS).all(self).await?;
        for (_, key, kind) in &stages {
            problems.push(StoreProblem::repairable(format!(
                "{kind} {} is marked as running, but no attempt runs it",
                short_key(key)
            )));
        }
        for (_, key, what) in &runs {
            // If a damaged stage was just reset to `pending`, its run was reset with it and is not reported again.
            problems.push(StoreProblem::repairable(format!("run {} {what}", short_key(key))));
        }
        let leftover: Vec<String> = sql(
            "SELECT s.key FROM artifacts a JOIN stages s ON s.id = a.stage_id WHERE s.state <> 'done' ORDER BY s.key",
        )
        .column(self)
        .await?;
        for key in &leftover {
            problems.push(StoreProblem::repairable(format!(
                "stage {} is not done, but an artifact is recorded",
                short_key(key)
            )));
        }
        let derived = derived::wrong(self).await?;
        problems.extend(derived.iter().map(|what| StoreProblem::repairable(what.clone())));
        if !repair || (stages.is_empty() && runs.is_empty() && leftover.is_empty() && derived.is_empty()) {
            return Ok(());
        }
        let mut tx = self.write().await?;
        for (id, ..) in &stages {
            sql("UPDATE stages SET state = 'pending', token = NULL, lease_until = NULL, reason = 'no attempt was running it'
                 WHERE id = $1 AND state = 'running'")
            .bind(*id)
            .execute(&mut tx)
            .await?;
            settle::runs_of_stage(&mut tx, *id).await?;
        }
        sql("DELETE FROM artifacts WHERE stage_id IN (SELECT id FROM stages WHERE state <> 'done')")
            .execute(&mut tx)
            .await?;
        for (id, ..) in &runs {
            settle::run(&mut tx, *id).await?;
        }
        derived::repair(&mut tx).await?;
        crate::fault::point("check:before-commit");
        tx.commit().await?;
        let sweeps: Vec<String> = sql("SELECT key FROM sweeps").column(self).await?;
        for sweep in sweeps {
            self.settle_evaluations(&sweep, artifacts).await?;
        }
        Ok(())
    }

    /// Reports files in the artifacts folder that the store does not know. They are never removed.
    async fn check_unknown_files(
        &self,
        artifacts: &Artifacts,
        problems: &mut Vec<StoreProblem>,
    ) -> Result<(), StoreError> {
        let stages: Vec<(String, StageKind)> = sql("SELECT key, kind FROM stages").all(self).await?;
        let kinds: HashMap<&str, StageKind> = stages.iter().map(|(id, kind)| (id.as_str(), *kind)).collect();
        let inventory = Inventory::of(artifacts)?;
        for kind in StageKind::ALL {
            for name in inventory.names(kind.name()) {
                let below = Path::new(kind.name()).join(&name);
                let path = artifacts.place().join(&below);
                if kinds.get(name.as_str()) != Some(&kind) {
                    let bytes = inventory.bytes(&below).ok().flatten().unwrap_or_default();
                    problems.push(StoreProblem::note(format!(
                        "{} ({bytes} bytes) belongs to no stage of this store; didact never removes it",
                        path.display()
                    )));
                } else if let Ok((manifest, _)) = Manifest::read(&path) {
                    let describe = |file: &PathBuf| format!("{} is not part of the published artifact", file.display());
                    problems.extend(manifest.unknown(&path).iter().map(|file| StoreProblem::note(describe(file))));
                }
            }
        }
        Ok(())
    }
}
