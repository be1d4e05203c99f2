//! Why a run or stage is as it is.

use sqlx::FromRow;

use super::{Store, StoreError};

/// One stage of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct StageExplanation {
    /// Its key.
    pub id: String,
    /// Kind.
    pub kind: String,
    /// State.
    pub state: String,
    /// Why it is in this state.
    pub reason: Option<String>,
    /// Attempts so far.
    pub attempts: i64,
    /// Runs that want it.
    pub shared_by: i64,
}

/// What `didact why` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The run or stage in one line.
    pub headline: String,
    /// The run's stages, or the stage and those that it needs.
    pub stages: Vec<StageExplanation>,
}

const STAGE: &str = "SELECT s.id, s.kind, s.state, s.reason, s.attempts,
    (SELECT COUNT(*) FROM run_stage x WHERE x.stage_id = s.id) AS shared_by FROM stage s";

impl Store {
    /// Explains the run, else the stage, whose key starts with `prefix`.
    pub async fn explain(&self, prefix: &str) -> Result<Option<Explanation>, StoreError> {
        if prefix.is_empty() || !prefix.chars().all(|c| c.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let pattern = format!("{}%", prefix.to_lowercase());
        let run: Option<(String, String, i64, String, Option<String>)> =
            sqlx::query_as("SELECT id, category, seed, state, reason FROM run WHERE id LIKE ? ORDER BY id LIMIT 1")
                .bind(&pattern)
                .fetch_optional(&self.pool)
                .await?;
        if let Some((id, category, seed, state, reason)) = run {
            let sql =
                format!("{STAGE} JOIN run_stage rs ON rs.stage_id = s.id WHERE rs.run_id = ? ORDER BY rs.position");
            let stages = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(&id).fetch_all(&self.pool).await?;
            let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            let headline = format!("run {} ({category}, seed {seed}) is {state}{reason}", &id[..12]);
            return Ok(Some(Explanation { headline, stages }));
        }
        let sql = format!(
            "{STAGE} WHERE s.id LIKE ? OR s.id IN (SELECT d.needs_id FROM stage_dependency d WHERE d.stage_id LIKE ?)
             ORDER BY CASE WHEN s.id LIKE ? THEN 0 ELSE 1 END, s.kind"
        );
        let stages: Vec<StageExplanation> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(&pattern)
            .bind(&pattern)
            .bind(&pattern)
            .fetch_all(&self.pool)
            .await?;
        let Some(first) = stages.first() else { return Ok(None) };
        let headline = format!(
            "stage {} ({}) is {}; below it, the stages that it needs",
            &first.id[..12],
            first.kind,
            first.state
        );
        Ok(Some(Explanation { headline, stages }))
    }
}
