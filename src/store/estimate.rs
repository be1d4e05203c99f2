//! How long the rest of a sweep will take, from the stages that are through.

use std::collections::BTreeMap;

use super::claim::WANTED;
use super::{Store, StoreError, Wanted, since};
use crate::plan::PlannedStage;

/// Thread-seconds that a unit of work took, by family and by kind of stage.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rates {
    families: BTreeMap<String, f64>,
    kinds: BTreeMap<String, f64>,
}

impl Rates {
    /// Thread-seconds of so much work; none where nothing of the kind was ever done.
    pub fn thread_seconds(&self, family: &str, work: f64) -> Option<f64> {
        let kind = family.split(' ').next().unwrap_or(family);
        self.families.get(family).or_else(|| self.kinds.get(kind)).map(|rate| rate * work)
    }

    /// Thread-seconds of planned stages; none where one of them is of a kind that was never done.
    pub fn of_stages<'s>(&self, stages: impl IntoIterator<Item = &'s PlannedStage>) -> Option<f64> {
        stages.into_iter().map(|stage| self.thread_seconds(&stage.effort.family, stage.effort.work)).sum()
    }
}

impl Store {
    /// Rates of all stages that were ever done. Work on several threads counts as so many thread-seconds.
    pub async fn rates(&self) -> Result<Rates, StoreError> {
        let rows: Vec<(String, String, f64, f64)> = sqlx::query_as(
            "SELECT s.kind, s.family, SUM(a.seconds * a.threads), SUM(s.work)
             FROM attempt a JOIN stage s ON s.id = a.stage_id
             WHERE a.state = 'done' AND a.seconds IS NOT NULL AND s.work > 0
               AND NOT EXISTS (SELECT 1 FROM attempt o WHERE o.stage_id = a.stage_id AND o.id <> a.id)
             GROUP BY s.kind, s.family",
        )
        .fetch_all(&self.pool)
        .await?;
        let mut rates = Rates::default();
        let mut kinds: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for (kind, family, seconds, work) in rows {
            let sums = kinds.entry(kind).or_default();
            (sums.0, sums.1) = (sums.0 + seconds, sums.1 + work);
            rates.families.insert(family, seconds / work);
        }
        rates.kinds = kinds.into_iter().map(|(kind, (seconds, work))| (kind, seconds / work)).collect();
        Ok(rates)
    }

    /// Thread-seconds of the stages that are open, less what the running ones have spent; none while something is of a kind that
    /// was never done.
    pub async fn thread_seconds_left(&self, wanted: &Wanted) -> Result<Option<f64>, StoreError> {
        let open: Vec<(String, f64, f64)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT s.family, SUM(s.work), SUM(COALESCE(a.threads * {spent}, 0.0))
             FROM stage s LEFT JOIN attempt a ON a.id = s.token
             WHERE s.state IN ('pending', 'running') AND s.id IN (
                 SELECT rs.stage_id FROM sweep_run sr JOIN run r ON r.id = sr.run_id
                 JOIN run_stage rs ON rs.run_id = r.id
                 WHERE {WANTED} AND sr.over = 0)
             GROUP BY s.family",
            spent = since("a.started_at"),
        )))
        .bind(&wanted.sweep)
        .bind(&wanted.only)
        .fetch_all(&self.pool)
        .await?;
        let rates = self.rates().await?;
        Ok(open
            .into_iter()
            .map(|(family, work, spent)| rates.thread_seconds(&family, work).map(|all| (all - spent).max(0.0)))
            .sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_told_by_its_own_past_else_by_its_kinds() {
        let rates =
            Rates { families: [("joint none".to_owned(), 2.0)].into(), kinds: [("joint".to_owned(), 3.0)].into() };
        assert_eq!(rates.thread_seconds("joint none", 10.0), Some(20.0));
        assert_eq!(rates.thread_seconds("joint unet add 1 1", 10.0), Some(30.0));
        assert_eq!(rates.thread_seconds("pretrain unet add 1 1", 10.0), None);
    }
}
