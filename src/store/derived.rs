//! Columns and tables that follow from others: `sweep_stages`, `stage_counts` and `stages.open_needs`. Plans write them anew. In between,
//! triggers keep up with the states of stages; see `migrations/0003_scale.sql`.

use std::collections::BTreeSet;

use super::database::Tx;
use super::sql::{ROWS_PER_STATEMENT, list, sql};
use super::{Store, StoreError};
use crate::text::counted;

/// Number of positions of a sweep's stages per run. A run has fewer stages.
pub(super) const STAGES_PER_RUN: i64 = 64;

/// SQL of the right `sweep_stages` of the sweeps that a condition on `sr` selects.
fn stages_of(condition: &str) -> String {
    format!(
        "SELECT g.stage_id, g.sweep_id, g.position, g.wanted,
                CASE WHEN g.wanted = 1 AND s.state = 'pending' AND s.open_needs = 0 THEN 1 ELSE 0 END AS ready
         FROM (SELECT rs.stage_id, sr.sweep_id, MIN({STAGES_PER_RUN} * sr.position + rs.position) AS position,
                      MAX(CASE WHEN r.state IN ('cancelled', 'pruned') THEN 0 ELSE 1 END) AS wanted
               FROM sweep_runs sr JOIN runs r ON r.id = sr.run_id JOIN run_stages rs ON rs.run_id = r.id
               WHERE {condition} GROUP BY rs.stage_id, sr.sweep_id) g
         JOIN stages s ON s.id = g.stage_id WHERE 1 = 1"
    )
}

/// SQL of the right `stage_counts` of the sweeps that a condition on `ss` selects.
fn counts_of(condition: &str) -> String {
    format!(
        "SELECT ss.sweep_id, s.kind, s.family, s.state, ss.wanted, COUNT(*) AS stages, SUM(s.work) AS work
         FROM sweep_stages ss JOIN stages s ON s.id = ss.stage_id WHERE {condition}
         GROUP BY ss.sweep_id, s.kind, s.family, s.state, ss.wanted"
    )
}

/// Writes the stages and counts of the sweeps that share runs with a sweep anew. The runs have gained stages.
pub(super) async fn rebuild_sharing(tx: &mut Tx, sweep: i64) -> Result<(), StoreError> {
    let sharing: Vec<i64> =
        sql("SELECT DISTINCT o.sweep_id FROM sweep_runs sr JOIN sweep_runs o ON o.run_id = sr.run_id
         WHERE sr.sweep_id = $1 AND o.sweep_id <> $1")
        .bind(sweep)
        .column(&mut *tx)
        .await?;
    for sweep in sharing {
        rebuild(tx, sweep).await?;
    }
    Ok(())
}

/// Writes the stages and counts of a sweep anew.
pub(super) async fn rebuild(tx: &mut Tx, sweep: i64) -> Result<(), StoreError> {
    sql("DELETE FROM sweep_stages WHERE sweep_id = $1").bind(sweep).execute(tx).await?;
    let stages = stages_of("sr.sweep_id = $1");
    sql(format!("INSERT INTO sweep_stages (stage_id, sweep_id, position, wanted, ready) {stages}"))
        .bind(sweep)
        .execute(tx)
        .await?;
    sql("DELETE FROM stage_counts WHERE sweep_id = $1").bind(sweep).execute(tx).await?;
    let counts = counts_of("ss.sweep_id = $1");
    sql(format!("INSERT INTO stage_counts (sweep_id, kind, family, state, wanted, stages, work) {counts}"))
        .bind(sweep)
        .execute(tx)
        .await?;
    Ok(())
}

/// Adds the stages and counts of a sweep's runs from position `first` on. Earlier runs may share stages with them.
pub(super) async fn extend(tx: &mut Tx, sweep: i64, first: i64) -> Result<(), StoreError> {
    let stages = stages_of("sr.sweep_id = $1 AND sr.position >= $2");
    sql(format!(
        "INSERT INTO sweep_stages (stage_id, sweep_id, position, wanted, ready) {stages}
         ON CONFLICT (stage_id, sweep_id) DO UPDATE SET wanted = 1 WHERE sweep_stages.wanted = 0 AND excluded.wanted = 1"
    ))
    .bind(sweep)
    .bind(first)
    .execute(tx)
    .await?;
    // Stages that earlier runs share have the position of these, and are counted already.
    let counts = counts_of("ss.sweep_id = $1 AND ss.position >= $2");
    sql(format!(
        "INSERT INTO stage_counts (sweep_id, kind, family, state, wanted, stages, work) {counts}
         ON CONFLICT (sweep_id, kind, family, state, wanted)
         DO UPDATE SET stages = stage_counts.stages + excluded.stages, work = stage_counts.work + excluded.work"
    ))
    .bind(sweep)
    .bind(STAGES_PER_RUN * first)
    .execute(tx)
    .await?;
    Ok(())
}

/// Updates which stages are wanted, after runs were cancelled, pruned or revived.
pub(super) async fn update_wanted(tx: &mut Tx, runs: &[i64]) -> Result<(), StoreError> {
    let mut stages: BTreeSet<i64> = BTreeSet::new();
    for runs in runs.chunks(ROWS_PER_STATEMENT) {
        let query = format!("SELECT DISTINCT stage_id FROM run_stages WHERE run_id IN ({})", list(1, runs.len()));
        let found: Vec<i64> = sql(query).bind_all(runs.iter().copied()).column(&mut *tx).await?;
        stages.extend(found);
    }
    let stages: Vec<i64> = stages.into_iter().collect();
    for stages in stages.chunks(ROWS_PER_STATEMENT) {
        sql(format!(
            "UPDATE sweep_stages SET wanted = CASE WHEN EXISTS (
                 SELECT 1 FROM run_stages rs JOIN runs r ON r.id = rs.run_id JOIN sweep_runs sr ON sr.run_id = r.id
                 WHERE rs.stage_id = sweep_stages.stage_id AND sr.sweep_id = sweep_stages.sweep_id
                   AND r.state NOT IN ('cancelled', 'pruned')) THEN 1 ELSE 0 END
             WHERE stage_id IN ({})",
            list(1, stages.len())
        ))
        .bind_all(stages.iter().copied())
        .execute(tx)
        .await?;
    }
    Ok(())
}

/// Returns what is wrong with the derived columns and tables, one sentence each. A correct store has nothing.
pub(super) async fn wrong(store: &Store) -> Result<Vec<String>, StoreError> {
    let needs: i64 = sql(format!("SELECT COUNT(*) FROM stages WHERE open_needs <> {OPEN_NEEDS}")).value(store).await?;
    let listed = "SELECT stage_id, sweep_id, position, wanted, ready FROM sweep_stages";
    let stages = differences(store, listed, &stages_of("1 = 1")).await?;
    let kept = "SELECT sweep_id, kind, family, state, wanted, stages FROM stage_counts WHERE stages <> 0";
    let right = counts_of("1 = 1");
    let right_counts = format!("SELECT sweep_id, kind, family, state, wanted, stages FROM ({right}) c");
    // Sums of floats depend on the order of their terms.
    let work: i64 = sql(format!(
        "SELECT COUNT(*) FROM stage_counts c JOIN ({right}) r ON r.sweep_id = c.sweep_id AND r.kind = c.kind AND r.family = c.family
             AND r.state = c.state AND r.wanted = c.wanted
         WHERE ABS(c.work - r.work) > 0.000001 * (1.0 + r.work)"
    ))
    .value(store)
    .await?;
    let counts = differences(store, kept, &right_counts).await? + work;
    Ok([
        (needs, "stage", "with a wrong number of unfinished dependencies"),
        (stages, "wrong row", "of the queues of stages"),
        (counts, "wrong row", "of the counts of stages"),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, what, rest)| format!("{} {rest}", counted(count, what)))
    .collect())
}

/// Returns how many rows only one of two queries has.
async fn differences(store: &Store, a: &str, b: &str) -> Result<i64, StoreError> {
    sql(format!(
        "SELECT (SELECT COUNT(*) FROM (SELECT * FROM ({a}) x EXCEPT SELECT * FROM ({b}) y) d)
              + (SELECT COUNT(*) FROM (SELECT * FROM ({b}) x EXCEPT SELECT * FROM ({a}) y) d)"
    ))
    .value(store)
    .await
}

const OPEN_NEEDS: &str = "(SELECT COUNT(*) FROM stage_dependencies d JOIN stages n ON n.id = d.needs_id
    WHERE d.stage_id = stages.id AND n.state <> 'done')";

/// Corrects all derived columns and tables.
pub(super) async fn repair(tx: &mut Tx) -> Result<(), StoreError> {
    sql(format!("UPDATE stages SET open_needs = {OPEN_NEEDS} WHERE open_needs <> {OPEN_NEEDS}")).execute(tx).await?;
    let sweeps: Vec<i64> = sql("SELECT id FROM sweeps").column(&mut *tx).await?;
    for sweep in sweeps {
        rebuild(tx, sweep).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::{Access, RunState, settle};

    /// A change of a store with two sweeps of three runs each, which share a run.
    #[derive(Debug, Clone)]
    enum Change {
        Stage(i64, &'static str),
        Work(i64, f64),
        Runs(Vec<i64>, RunState),
        Rebuild(i64),
    }

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let states = prop::sample::select(vec!["pending", "running", "done", "failed", "skipped"]);
        let ended = prop::sample::select(vec![RunState::Pending, RunState::Cancelled, RunState::Pruned]);
        let change = prop_oneof![
            8 => (1..=11_i64, states).prop_map(|(stage, state)| Change::Stage(stage, state)),
            1 => (1..=11_i64, 1..9_u32).prop_map(|(stage, work)| Change::Work(stage, f64::from(work))),
            3 => (prop::collection::vec(1..=5_i64, 1..4), ended).prop_map(|(runs, state)| Change::Runs(runs, state)),
            1 => (1..=2_i64).prop_map(Change::Rebuild),
        ];
        prop::collection::vec(change, 1..30)
    }

    /// Fills a store: stage 1 is shared by all five runs; run n has the stages 2n and 2n + 1, each of which needs the one before.
    async fn fill(tx: &mut Tx) -> Result<(), StoreError> {
        for sweep in [1, 2_i64] {
            sql("INSERT INTO sweeps (id, key, name, origin, overrides, source, resolved, plan, created_at, updated_at)
                 VALUES ($1, 'w' || $1, 'w' || $1, '', '', '', '', '', '', '')")
            .bind(sweep)
            .execute(tx)
            .await?;
        }
        sql("INSERT INTO trials (id, key, settings) VALUES (1, 't', '{}')").execute(tx).await?;
        sql("INSERT INTO protocols (id, key, content) VALUES (1, 'p', '{}')").execute(tx).await?;
        for stage in 1..=11_i64 {
            sql("INSERT INTO stages (id, key, kind, family, work, open_needs) VALUES ($1, 's' || $1, $2, 'f' || $1 % 2, 1.0, $3)")
                .bind(stage)
                .bind(if stage == 1 { "features" } else { "joint" })
                .bind(stage > 1)
                .execute(tx)
                .await?;
        }
        for run in 1..=5_i64 {
            sql("INSERT INTO runs (id, key, trial_id, category, seed, protocol_id) VALUES ($1, 'r' || $1, 1, 'c', $1, 1)")
                .bind(run)
                .execute(tx)
                .await?;
            for (position, stage) in [1, 2 * run, 2 * run + 1].into_iter().enumerate() {
                sql("INSERT INTO run_stages (run_id, stage_id, position) VALUES ($1, $2, $3)")
                    .bind(run)
                    .bind(stage)
                    .bind(position as i64)
                    .execute(tx)
                    .await?;
            }
            for (stage, needed) in [(2 * run, 1), (2 * run + 1, 2 * run)] {
                sql("INSERT INTO stage_dependencies (stage_id, needs_id) VALUES ($1, $2)")
                    .bind(stage)
                    .bind(needed)
                    .execute(tx)
                    .await?;
            }
        }
        for (sweep, runs) in [(1, 1..=2_i64), (2, 3..=5)] {
            for (position, run) in (0..).zip(runs) {
                link(tx, sweep, position, run).await?;
            }
            rebuild(tx, sweep).await?;
        }
        // The first sweep takes up a run of the second.
        link(tx, 1, 2, 3).await?;
        extend(tx, 1, 2).await
    }

    async fn link(tx: &mut Tx, sweep: i64, position: i64, run: i64) -> Result<(), StoreError> {
        sql("INSERT INTO sweep_runs (sweep_id, position, run_id) VALUES ($1, $2, $3)")
            .bind(sweep)
            .bind(position)
            .bind(run)
            .execute(tx)
            .await?;
        Ok(())
    }

    async fn apply(tx: &mut Tx, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Stage(stage, state) => {
                sql("UPDATE stages SET state = $1 WHERE id = $2").bind(*state).bind(*stage).execute(tx).await?;
            }
            Change::Work(stage, work) => {
                sql("UPDATE stages SET work = $1, family = 'other' WHERE id = $2")
                    .bind(*work)
                    .bind(*stage)
                    .execute(tx)
                    .await?;
            }
            Change::Runs(runs, state) => settle::set_states(tx, runs, *state, None).await?,
            Change::Rebuild(sweep) => rebuild(tx, *sweep).await?,
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn derived_rows_are_right_after_every_change(changes in changes()) {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            let wrong: Result<Vec<Vec<String>>, StoreError> = runtime.block_on(async {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let store = Store::open(&folder.path().join("a.db").display().to_string(), Access::Write).await?;
                let mut tx = store.write().await?;
                fill(&mut tx).await?;
                tx.commit().await?;
                let mut found = vec![wrong(&store).await?];
                for change in &changes {
                    let mut tx = store.write().await?;
                    apply(&mut tx, change).await?;
                    tx.commit().await?;
                    found.push(wrong(&store).await?);
                }
                Ok(found)
            });
            prop_assert_eq!(wrong.expect("valid SQL").concat(), Vec::<String>::new());
        }
    }

    #[tokio::test]
    async fn wrong_rows_are_found_and_repaired() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.db").display().to_string();
        let store = Store::open(&path, Access::Write).await.expect("opens");
        for damage in [
            "UPDATE stages SET open_needs = 7 WHERE id = 4",
            "UPDATE sweep_stages SET ready = 1 WHERE stage_id = 5",
            "DELETE FROM sweep_stages WHERE stage_id = 1",
            "UPDATE stage_counts SET stages = stages + 1",
        ] {
            let mut tx = store.write().await.expect("begins");
            if damage.contains("open_needs") {
                fill(&mut tx).await.expect("filled");
            }
            sql(damage).execute(&mut tx).await.expect("damaged");
            tx.commit().await.expect("commits");
            assert!(!wrong(&store).await.expect("checked").is_empty(), "{damage}");
            let mut tx = store.write().await.expect("begins");
            repair(&mut tx).await.expect("repaired");
            tx.commit().await.expect("commits");
            assert_eq!(wrong(&store).await.expect("checked"), [""; 0], "{damage}");
        }
    }
}
