//! Keeping a stage, and taking back what the dead left.

use super::claim::LEASE_SECONDS;
use super::row::row;
use super::{AttemptEnd, Claim, FailureClass, NOW, Store, StoreError, later, since};

row! {
    /// A stage that some worker holds.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Held {
        /// The attempt that holds it.
        pub token: String,
        /// The stage.
        pub stage_id: String,
        /// The holder's machine.
        pub host: String,
        /// Its process.
        pub pid: i64,
        /// When that process started; see [`super::AttemptStart`].
        pub process_started: Option<String>,
        /// When the lease ends.
        pub lease_until: Option<String>,
        /// Whether that time is over, by the database's clock.
        pub expired: bool,
        /// Whether it lies further ahead than a lease lasts: the clock was set back, and says nothing.
        pub implausible: bool,
    }
}

impl Store {
    /// Renews a lease; false if it is no longer ours.
    pub async fn renew(&self, claim: &Claim, worker: &str) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let held = sqlx::query(sqlx::AssertSqlSafe(format!(
            "UPDATE stage SET lease_until = {} WHERE id = ? AND token = ?",
            later(LEASE_SECONDS)
        )))
        .bind(claim.stage.as_str())
        .bind(&claim.token)
        .execute(&mut *tx)
        .await?
        .rows_affected()
            == 1;
        sqlx::query(sqlx::AssertSqlSafe(format!("UPDATE worker SET seen_at = {NOW} WHERE id = ?")))
            .bind(worker)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(held)
    }

    /// Whether any run still wants a stage: all may have been cancelled or pruned.
    pub async fn is_wanted(&self, claim: &Claim) -> Result<bool, StoreError> {
        let (wanted,): (bool,) = sqlx::query_as(
            "SELECT EXISTS (SELECT 1 FROM run_stage rs JOIN run r ON r.id = rs.run_id
                            WHERE rs.stage_id = ? AND r.state NOT IN ('cancelled', 'pruned'))",
        )
        .bind(claim.stage.as_str())
        .fetch_one(&self.pool)
        .await?;
        Ok(wanted)
    }

    /// Every stage that is held.
    pub async fn held(&self) -> Result<Vec<Held>, StoreError> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT a.id AS token, s.id AS stage_id, a.host, a.pid, a.process_started, s.lease_until,
                    COALESCE(s.lease_until < {NOW}, 1) AS expired,
                    COALESCE(s.lease_until > {}, 0) AS implausible
             FROM stage s JOIN attempt a ON a.id = s.token WHERE s.state = 'running'",
            later(1.5 * LEASE_SECONDS)
        )))
        .fetch_all(&self.pool)
        .await?)
    }

    /// Ends an attempt whose worker cannot do so itself; false if somebody else has done it. What the worker may still
    /// have to say is recorded as superseded.
    pub async fn take_back(&self, held: &Held, class: FailureClass, reason: &str) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let end = AttemptEnd::failed(class, reason.to_owned());
        let ours = self.end_stage(&mut tx, &held.stage_id, &held.token, &held.host, &end).await?;
        if ours {
            sqlx::query(sqlx::AssertSqlSafe(format!(
                "UPDATE attempt SET state = 'lost', failure_class = ?, reason = ?, finished_at = {NOW},
                     seconds = {spent} WHERE id = ?",
                spent = since("started_at"),
            )))
            .bind(class.name())
            .bind(reason)
            .bind(&held.token)
            .execute(&mut *tx)
            .await?;
        }
        crate::fault::point("take-back:before-commit");
        tx.commit().await?;
        crate::fault::point("take-back:after-commit");
        Ok(ours)
    }
}
