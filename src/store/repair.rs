//! Repairs damaged artifacts: their stages return to pending and compute them again.

use super::database::Tx;
use super::sql::sql;
use super::{Artifacts, Damage, NOW, StageStatus, Store, StoreError, VerifyScope, settle};
use crate::cause::Context;
use crate::stages::{Key, StageJob, StageKind, short_key};

/// State of a stage's artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactState {
    /// The artifact matches its manifest.
    Intact,
    /// The stage is not done.
    NotDone,
    /// The artifact is damaged.
    Damaged(StageKind, Damage),
}

super::row::row! {
    struct RecordedArtifact {
        kind: StageKind,
        state: StageStatus,
        digest: Option<String>,
    }
}

impl Store {
    /// Verifies the artifact of a stage.
    pub async fn examine(
        &self,
        artifacts: &Artifacts,
        key: &Key,
        scope: VerifyScope<'static>,
    ) -> Result<ArtifactState, StoreError> {
        let row: Option<RecordedArtifact> =
            sql("SELECT s.kind, s.state, a.digest FROM stages s LEFT JOIN artifacts a ON a.stage_id = s.id WHERE s.key = $1")
                .bind(key.as_str())
                .optional(self)
                .await?;
        let Some(row) = row.filter(|row| row.state == StageStatus::Done) else { return Ok(ArtifactState::NotDone) };
        let kind = row.kind;
        let (artifacts, key) = (artifacts.clone(), key.clone());
        let verified = tokio::task::spawn_blocking(move || match row.digest {
            Some(digest) => artifacts.verify(kind, &key, Some(&digest), scope),
            None => Ok(Err(Damage::unrecorded(artifacts.path(kind, &key)))),
        });
        match verified.await {
            Ok(verified) => Ok(match verified? {
                Ok(()) => ArtifactState::Intact,
                Err(damage) => ArtifactState::Damaged(kind, damage),
            }),
            Err(error) => Err(StoreError::Row(Context::new("cannot verify an artifact", error).into())),
        }
    }

    /// Verifies every artifact that a job reads. Reports damaged ones and resets their stages to pending.
    ///
    /// Returns `false` if any artifact is damaged or its stage is not done.
    pub async fn inputs_are_intact(&self, artifacts: &Artifacts, job: &StageJob) -> Result<bool, StoreError> {
        let mut intact = true;
        for need in job.needs() {
            let scope = if need.spare_files { VerifyScope::Everything } else { VerifyScope::Digests };
            match self.examine(artifacts, &need.key, scope).await? {
                ArtifactState::Intact => {}
                // Another process noticed the damage first.
                ArtifactState::NotDone => intact = false,
                ArtifactState::Damaged(kind, damage) => {
                    self.reopen(artifacts, kind, &need.key, &damage).await?;
                    intact = false;
                }
            }
        }
        Ok(intact)
    }

    /// Resets a stage with a damaged artifact to pending. Returns `false` if the stage is no longer done.
    pub async fn reopen(
        &self,
        artifacts: &Artifacts,
        kind: StageKind,
        key: &Key,
        damage: &Damage,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let reopened = reopen(&mut tx, artifacts, kind, key, damage).await?;
        crate::fault::point("reopen:before-commit");
        tx.commit().await?;
        crate::fault::point("reopen:after-commit");
        Ok(reopened)
    }
}

/// Does the same as [`Store::reopen`] within a transaction. The caller updates the states of the runs.
pub(super) async fn reopen(
    tx: &mut Tx,
    artifacts: &Artifacts,
    kind: StageKind,
    key: &Key,
    damage: &Damage,
) -> Result<bool, StoreError> {
    let reopened: Option<(i64,)> =
        sql("UPDATE stages SET state = 'pending', reason = $1, attempts = 0, failure_class = NULL, finished_at = NULL,
             not_before = NULL WHERE key = $2 AND state = 'done' RETURNING id")
        .bind(format!("its artifact was damaged: {damage}"))
        .bind(key.as_str())
        .optional(&mut *tx)
        .await?;
    let Some((id,)) = reopened else { return Ok(false) };
    sql("DELETE FROM artifacts WHERE stage_id = $1").bind(id).execute(tx).await?;
    artifacts.retract(kind, key);
    // Checkpoints may have been computed from the damaged files. A running stage detects the damage itself.
    let dependents: Vec<String> = sql("SELECT s.key FROM stage_dependencies d JOIN stages s ON s.id = d.stage_id
         WHERE d.needs_id = $1 AND s.state NOT IN ('running', 'done')")
    .bind(id)
    .column(&mut *tx)
    .await?;
    dependents.into_iter().for_each(|key| artifacts.discard_partial(&Key::from_hex(key)));
    // Stages that failed because of the damage are retried as well.
    sql("UPDATE stages SET state = 'pending', attempts = 0, failure_class = NULL, reason = NULL, finished_at = NULL,
             not_before = NULL
         WHERE state = 'failed' AND failure_class = 'store'
           AND id IN (SELECT stage_id FROM stage_dependencies WHERE needs_id = $1)")
    .bind(id)
    .execute(tx)
    .await?;
    settle::runs_of_stage(tx, id).await?;
    let message = format!("{} {} will be computed again: {damage}", kind.name(), short_key(key.as_str()));
    // A missing artifact is logged as information: a store that was moved without its artifacts has thousands of them.
    match artifacts.is_here(kind, key) {
        true => tracing::warn!("{message}"),
        false => tracing::info!("{message}"),
    }
    sql(format!("INSERT INTO event (at, kind, stage_id, message) VALUES ({NOW}, 'damaged', $1, $2)"))
        .bind(key.as_str())
        .bind(message)
        .execute(tx)
        .await?;
    Ok(true)
}
