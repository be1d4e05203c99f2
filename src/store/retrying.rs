//! Failed stages that didact retries automatically.

use serde::{Deserialize, Serialize};

use super::sql::sql;
use super::state::MAX_ATTEMPTS;
use super::{Store, StoreError, until};

/// When a stage is retried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Retrying {
    /// Number of attempts without progress so far.
    pub attempts: i64,
    /// Maximum number of attempts without progress. After it, the stage has failed for good.
    pub most: i64,
    /// Seconds until the next attempt.
    pub seconds: f64,
}

impl std::fmt::Display for Retrying {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { attempts, most, seconds } = self;
        write!(f, "attempt {attempts} of {most} without progress; will be retried in {seconds:.1} s")
    }
}

impl Store {
    /// Returns when a failed stage is retried. Returns `None` if it has failed for good or its last attempt did not fail.
    pub async fn retrying(&self, stage: &str) -> Result<Option<Retrying>, StoreError> {
        let row: Option<(i64, Option<f64>)> = sql(format!(
            "SELECT attempts, {pause} FROM stages WHERE key = $1 AND state = 'pending' AND failure_class IS NOT NULL",
            pause = until("not_before"),
        ))
        .bind(stage)
        .optional(self)
        .await?;
        Ok(row.map(|(attempts, seconds)| Retrying {
            attempts,
            most: MAX_ATTEMPTS,
            seconds: seconds.unwrap_or_default(),
        }))
    }
}
