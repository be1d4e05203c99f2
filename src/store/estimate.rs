//! Estimates the remaining time of a sweep from the stages that are done.

use std::collections::BTreeMap;

use super::claim::ONLY;
use super::sql::sql;
use super::{Store, StoreError, Wanted, since};
use crate::plan::PlannedStage;

/// Thread-seconds per unit of work, by cost class and by kind of stage.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rates {
    cost_classes: BTreeMap<String, f64>,
    kinds: BTreeMap<String, f64>,
}

impl Rates {
    /// Creates the rate of one cost class.
    #[cfg(test)]
    pub(crate) fn of_class(cost_class: &str, thread_seconds: f64) -> Self {
        Self { cost_classes: [(cost_class.to_owned(), thread_seconds)].into(), ..Self::default() }
    }

    /// Estimates the thread-seconds for an amount of work. Returns `None` if no stage of this kind has ever been done.
    pub fn thread_seconds(&self, cost_class: &str, work: f64) -> Option<f64> {
        let kind = cost_class.split(' ').next().unwrap_or(cost_class);
        self.cost_classes.get(cost_class).or_else(|| self.kinds.get(kind)).map(|rate| rate * work)
    }

    /// Estimates the thread-seconds of planned stages. Returns `None` if no stage of one of their kinds has ever been done.
    pub fn of_stages<'s>(&self, stages: impl IntoIterator<Item = &'s PlannedStage>) -> Option<f64> {
        stages.into_iter().map(|stage| self.thread_seconds(&stage.effort.cost_class, stage.effort.work)).sum()
    }
}

impl Store {
    /// Returns the rates of all stages that were done at the first attempt. One second on `n` threads counts as `n` thread-seconds.
    pub async fn rates(&self) -> Result<Rates, StoreError> {
        let rows: Vec<(String, String, f64, f64)> =
            sql("SELECT kind, family, thread_seconds, work FROM rates ORDER BY kind, family").all(self).await?;
        let mut rates = Rates::default();
        let mut kinds: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for (kind, cost_class, seconds, work) in rows {
            let sums = kinds.entry(kind).or_default();
            (sums.0, sums.1) = (sums.0 + seconds, sums.1 + work);
            rates.cost_classes.insert(cost_class, seconds / work);
        }
        rates.kinds = kinds.into_iter().map(|(kind, (seconds, work))| (kind, seconds / work)).collect();
        Ok(rates)
    }

    /// Estimates the thread-seconds of the open stages, minus the time that running stages have already used. Returns `None` if a stage of
    /// one of their kinds has never been done.
    pub async fn thread_seconds_left(&self, wanted: &Wanted) -> Result<Option<f64>, StoreError> {
        let open: Vec<(String, f64)> = match &wanted.only {
            None => sql(
                "SELECT c.family, SUM(c.work) FROM stage_counts c JOIN sweeps w ON w.id = c.sweep_id
                 WHERE w.key = $1 AND c.wanted = 1 AND c.state IN ('pending', 'running') AND c.stages > 0 GROUP BY c.family",
            )
            .bind(&wanted.sweep),
            Some(only) => sql(format!(
                "SELECT s.family, SUM(s.work) FROM stages s WHERE s.state IN ('pending', 'running') AND s.id IN (
                     SELECT rs.stage_id FROM {ONLY} JOIN run_stages rs ON rs.run_id = r.id
                     WHERE r.state NOT IN ('cancelled', 'pruned')) GROUP BY s.family"
            ))
            .bind(&wanted.sweep)
            .bind(only),
        }
        .all(self)
        .await?;
        let running: Vec<(String, f64)> = sql(format!(
            // CROSS JOIN makes SQLite start from the few running stages.
            "SELECT s.family, SUM(a.threads * {spent}) FROM stages s CROSS JOIN attempts a CROSS JOIN sweep_stages ss
             WHERE s.state = 'running' AND a.token = s.token AND ss.stage_id = s.id
               AND ss.sweep_id = (SELECT id FROM sweeps WHERE key = $1) GROUP BY s.family",
            spent = since("a.started_at"),
        ))
        .bind(&wanted.sweep)
        .all(self)
        .await?;
        let spent: BTreeMap<String, f64> = running.into_iter().collect();
        let rates = self.rates().await?;
        Ok(open
            .into_iter()
            .map(|(cost_class, work)| {
                let spent = spent.get(&cost_class).copied().unwrap_or(0.0);
                rates.thread_seconds(&cost_class, work).map(|total| (total - spent).max(0.0))
            })
            .sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_cost_class_or_else_that_of_the_kind() {
        let rates =
            Rates { cost_classes: [("joint none".to_owned(), 2.0)].into(), kinds: [("joint".to_owned(), 3.0)].into() };
        assert_eq!(rates.thread_seconds("joint none", 10.0), Some(20.0));
        assert_eq!(rates.thread_seconds("joint unet add 1 1", 10.0), Some(30.0));
        assert_eq!(rates.thread_seconds("pretrain unet add 1 1", 10.0), None);
    }
}
