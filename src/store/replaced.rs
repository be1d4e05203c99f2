//! Stages that measure a run, replaced by others when a newer version of didact measures more.
//!
//! A run stays the same run when a metric is added, because its training and its maps stay. Only the key of its evaluations changes.

use std::collections::{BTreeSet, HashSet};

use super::StoreError;
use super::database::Tx;
use super::sql::{ROWS_PER_STATEMENT, list, sql};
use crate::stages::StageKind;

/// Removes the links of runs to stages with results that a plan replaces by other stages of the same kind. `kinds` are the kinds of the
/// plan's stages, and `planned` their ids.
///
/// The numbers of these stages stay until the new ones are copied over them. Only the number is removed that says that they were copied.
pub(super) async fn drop_replaced(
    tx: &mut Tx,
    runs: &[i64],
    kinds: &BTreeSet<StageKind>,
    planned: &HashSet<i64>,
) -> Result<(), StoreError> {
    for kind in kinds {
        let Some(copied) = kind.results() else { continue };
        for runs in runs.chunks(ROWS_PER_STATEMENT) {
            let linked: Vec<(i64, i64)> = sql(format!(
                "SELECT rs.run_id, rs.stage_id FROM run_stages rs JOIN stages s ON s.id = rs.stage_id
                 WHERE s.kind = $1 AND rs.run_id IN ({})",
                list(2, runs.len())
            ))
            .bind(kind.name())
            .bind_all(runs.iter().copied())
            .all(&mut *tx)
            .await?;
            let (runs, stages): (BTreeSet<i64>, BTreeSet<i64>) =
                linked.into_iter().filter(|(_, stage)| !planned.contains(stage)).unzip();
            let (runs, stages) = (Vec::from_iter(runs), Vec::from_iter(stages));
            if runs.is_empty() {
                continue;
            }
            // No run of the plan needs any of these stages, so both lists need not go together.
            for stages in stages.chunks(ROWS_PER_STATEMENT) {
                sql(format!(
                    "DELETE FROM run_stages WHERE run_id IN ({}) AND stage_id IN ({})",
                    list(1, runs.len()),
                    list(1 + runs.len(), stages.len())
                ))
                .bind_all(runs.iter().chain(stages).copied())
                .execute(&mut *tx)
                .await?;
            }
            sql(format!("DELETE FROM results WHERE name = $1 AND run_id IN ({})", list(2, runs.len())))
                .bind(copied.to_string())
                .bind_all(runs.iter().copied())
                .execute(&mut *tx)
                .await?;
        }
    }
    Ok(())
}
