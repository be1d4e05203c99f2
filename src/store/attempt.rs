//! One execution of a stage: who, on what, how it ended, what it cost.

use std::collections::BTreeMap;

use super::{Artifacts, Claim, NOW, Store, StoreError, settle};

/// Who executes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptStart {
    /// The worker's id.
    pub worker: String,
    /// Its machine.
    pub host: String,
    /// Its process.
    pub pid: u32,
    /// When that process started, as the kernel counts: tells it from a later one with the same id.
    pub process_started: Option<String>,
    /// "cpu", "cuda:0".
    pub device: String,
    /// Threads that it may use.
    pub threads: usize,
}

/// Why a stage failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// Memory ran out.
    Oom,
    /// It took too long.
    Timeout,
    /// Its process was killed.
    Signal,
    /// Training diverged.
    Nan,
    /// Images, masks or weights are wrong.
    Data,
    /// Database or disk.
    Store,
    /// didact's own fault.
    Bug,
}

impl FailureClass {
    /// The name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Oom => "oom",
            Self::Timeout => "timeout",
            Self::Signal => "signal",
            Self::Nan => "nan",
            Self::Data => "data",
            Self::Store => "store",
            Self::Bug => "bug",
        }
    }

    /// Whether another attempt may succeed where this one failed.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Oom | Self::Timeout | Self::Signal | Self::Store)
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// Its artifact, of so many bytes, is in place.
    Done {
        /// Size of the artifact.
        bytes: u64,
    },
    /// It failed.
    Failed {
        /// Why, coarsely.
        class: FailureClass,
        /// Why, for people.
        reason: String,
    },
    /// It was asked to stop and left a checkpoint.
    Interrupted,
}

impl Store {
    /// Ends an attempt. False if the lease was lost: the attempt is recorded as superseded and changes nothing else.
    pub async fn finish(
        &self,
        claim: &Claim,
        end: &AttemptEnd,
        seconds: f64,
        costs: &BTreeMap<String, f64>,
        peak_rss: Option<u64>,
    ) -> Result<bool, StoreError> {
        let kind = claim.job.kind();
        let mut tx = self.write().await?;
        let (stage_state, class, reason) = match end {
            AttemptEnd::Done { .. } => ("done", None, None),
            AttemptEnd::Failed { class, reason } if class.is_transient() => ("pending", Some(*class), Some(reason)),
            AttemptEnd::Failed { class, reason } => ("failed", Some(*class), Some(reason)),
            AttemptEnd::Interrupted => ("pending", None, None),
        };
        let class = class.map(FailureClass::name);
        let updated = sqlx::query(sqlx::AssertSqlSafe(format!(
            "UPDATE stage SET state = ?, failure_class = ?, reason = ?, token = NULL, lease_until = NULL,
                 finished_at = CASE WHEN ? IN ('done', 'failed') THEN {NOW} END,
                 attempts = attempts - ? WHERE id = ? AND token = ?"
        )))
        .bind(stage_state)
        .bind(class)
        .bind(reason)
        .bind(stage_state)
        // An interruption is nobody's failure and does not count.
        .bind(i64::from(*end == AttemptEnd::Interrupted))
        .bind(claim.stage.as_str())
        .bind(&claim.token)
        .execute(&mut *tx)
        .await?;
        let ours = updated.rows_affected() == 1;
        let attempt_state = match end {
            _ if !ours => "superseded",
            AttemptEnd::Done { .. } => "done",
            AttemptEnd::Failed { .. } => "failed",
            AttemptEnd::Interrupted => "interrupted",
        };
        let costs_json = serde_json::to_string(costs).map_err(|error| StoreError::Row(error.to_string()))?;
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "UPDATE attempt SET state = ?, failure_class = ?, reason = ?, finished_at = {NOW}, seconds = ?,
                 images_per_second = ?, peak_rss_bytes = ?, costs = ? WHERE id = ?"
        )))
        .bind(attempt_state)
        .bind(class)
        .bind(reason)
        .bind(seconds)
        .bind(costs.get("images_per_second"))
        .bind(peak_rss.map(|bytes| bytes as i64))
        .bind(costs_json)
        .bind(&claim.token)
        .execute(&mut *tx)
        .await?;
        if ours {
            if let AttemptEnd::Done { bytes } = end {
                sqlx::query(sqlx::AssertSqlSafe(format!(
                    "INSERT INTO artifact (stage_id, path, bytes, created_at) VALUES (?, ?, ?, {NOW})
                     ON CONFLICT (stage_id) DO UPDATE SET bytes = excluded.bytes, created_at = excluded.created_at"
                )))
                .bind(claim.stage.as_str())
                .bind(Artifacts::relative(kind, &claim.stage))
                .bind(*bytes as i64)
                .execute(&mut *tx)
                .await?;
            }
            settle::limit_attempts(&mut tx, claim.stage.as_str()).await?;
            settle::runs_of_stage(&mut tx, claim.stage.as_str()).await?;
        }
        tx.commit().await?;
        Ok(ours)
    }

    /// Stores curve points of a stage; false if the lease was lost.
    pub async fn add_metrics(&self, claim: &Claim, points: &[(String, u64, f64)]) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let held: Option<(String,)> = sqlx::query_as("SELECT id FROM stage WHERE id = ? AND token = ?")
            .bind(claim.stage.as_str())
            .bind(&claim.token)
            .fetch_optional(&mut *tx)
            .await?;
        if held.is_none() {
            return Ok(false);
        }
        // A stage that gets on is not a stage that fails: only attempts without progress count.
        sqlx::query("UPDATE stage SET attempts = 1 WHERE id = ?").bind(claim.stage.as_str()).execute(&mut *tx).await?;
        for (name, step, value) in points {
            sqlx::query(
                "INSERT INTO metric (stage_id, name, step, value) VALUES (?, ?, ?, ?)
                 ON CONFLICT (stage_id, name, step) DO UPDATE SET value = excluded.value",
            )
            .bind(claim.stage.as_str())
            .bind(name)
            .bind(*step as i64)
            .bind(value)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Removes curve points after `step`: the checkpoint that a resumed stage starts from does not know them.
    pub async fn rewind_metrics(&self, claim: &Claim, step: u64) -> Result<(), StoreError> {
        sqlx::query(
            "DELETE FROM metric WHERE stage_id = ? AND step > ?
             AND EXISTS (SELECT 1 FROM stage s WHERE s.id = metric.stage_id AND s.token = ?)",
        )
        .bind(claim.stage.as_str())
        .bind(step as i64)
        .bind(&claim.token)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
