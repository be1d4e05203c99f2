//! Renews leases, and takes stages back from workers that no longer exist.

use super::claim::LEASE_SECONDS;
use super::row::row;
use super::sql::sql;
use super::{AttemptEnd, AttemptState, Claim, FailureClass, NOW, Store, StoreError, later, since};

row! {
    /// A worker's lease of a stage.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Lease {
        /// Id of the attempt that holds the lease.
        pub token: String,
        /// Key of the stage.
        pub stage_id: String,
        /// Host of the worker.
        pub host: String,
        /// Process id of the worker.
        pub pid: i64,
        /// Start time of that process; see [`super::AttemptStart`].
        pub process_started: Option<String>,
        /// End of the lease, UTC.
        pub lease_until: Option<String>,
        /// Whether the lease has expired, by the database's clock.
        pub expired: bool,
        /// Whether the lease ends later than any lease can: the clock was set back, and the end of the lease has no meaning.
        pub implausible: bool,
    }
}

impl Store {
    /// Renews a lease. Returns `false` if this worker no longer holds it.
    pub async fn renew(&self, claim: &Claim, worker: &str) -> Result<bool, StoreError> {
        let mut tx = self.write_relaxed().await?;
        let held =
            sql(format!("UPDATE stages SET lease_until = {} WHERE key = $1 AND token = $2", later(LEASE_SECONDS)))
                .bind(claim.stage.as_str())
                .bind(&claim.token)
                .execute(&mut tx)
                .await?
                == 1;
        sql(format!("UPDATE workers SET seen_at = {NOW} WHERE id = $1")).bind(worker).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(held)
    }

    /// Returns whether any run still needs a stage. All its runs may have been cancelled or pruned.
    pub async fn is_wanted(&self, claim: &Claim) -> Result<bool, StoreError> {
        sql("SELECT EXISTS (SELECT 1 FROM run_stages rs JOIN runs r ON r.id = rs.run_id
                            WHERE rs.stage_id = (SELECT id FROM stages WHERE key = $1) AND r.state NOT IN ('cancelled', 'pruned'))")
        .bind(claim.stage.as_str())
        .value(self)
        .await
    }

    /// Returns the leases of all running stages.
    pub async fn leases(&self) -> Result<Vec<Lease>, StoreError> {
        sql(format!(
            "SELECT a.token, s.key AS stage_id, a.host, a.pid, a.process_started, s.lease_until,
                    s.lease_until IS NULL OR s.lease_until < {NOW} AS expired,
                    s.lease_until IS NOT NULL AND s.lease_until > {} AS implausible
             FROM stages s JOIN attempts a ON a.token = s.token WHERE s.state = 'running'",
            later(1.5 * LEASE_SECONDS)
        ))
        .all(self)
        .await
    }

    /// Ends an attempt whose worker cannot end it itself. If the worker was asked to stop before, it was interrupted: Slurm, for instance,
    /// kills preempted workers that do not stop in time. Returns `false` if another process has already ended it. If the worker reports
    /// a result later, that result is recorded as superseded.
    pub async fn take_back(&self, lease: &Lease, class: FailureClass, reason: &str) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let stopping: Option<bool> = sql("SELECT stopping FROM attempts WHERE token = $1")
            .bind(&lease.token)
            .optional(&mut tx)
            .await?
            .map(|(stopping,)| stopping);
        let end = match stopping {
            Some(true) => AttemptEnd::Interrupted,
            Some(false) | None => AttemptEnd::failed(class, reason.to_owned()),
        };
        let ours = self.end_stage(&mut tx, &lease.stage_id, &lease.token, &lease.host, &end).await?.is_some();
        if ours {
            let (state, class) = match end {
                AttemptEnd::Interrupted => (AttemptState::Interrupted, None),
                AttemptEnd::Failed { .. } | AttemptEnd::Done(_) => (AttemptState::Lost, Some(class.name())),
            };
            sql(format!(
                "UPDATE attempts SET state = $1, failure_class = $2, reason = $3, finished_at = {NOW},
                     seconds = {spent} WHERE token = $4",
                spent = since("started_at"),
            ))
            .bind(state.name())
            .bind(class)
            .bind(reason)
            .bind(&lease.token)
            .execute(&mut tx)
            .await?;
        }
        crate::fault::point("take-back:before-commit");
        tx.commit().await?;
        crate::fault::point("take-back:after-commit");
        Ok(ours)
    }
}
