//! Takes the runs, numbers and artifacts of another store into this one (`didact store merge`).
//!
//! Keys are content, so rows with equal keys are the same. First, artifacts that only the other store has are copied and published; a merge
//! that is killed then has changed nothing else, and a second one finds them. Then one transaction writes all rows. The numbers of runs are
//! read from the artifacts, as after every evaluation.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::merge_rows::{Rows, insert_rows};
use super::row::row;
use super::sql::{Source, sql};
use super::{Artifacts, StageStatus, Store, StoreError, derived, settle};
use crate::stages::{Key, StageKind, short_key};

/// What a merge has done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Merged {
    /// Names of the sweeps that were added or extended.
    pub sweeps: Vec<String>,
    /// Number of runs that this store did not have.
    pub runs: usize,
    /// Number of stages that are done because of the merge.
    pub stages: usize,
    /// Total size of the copied artifacts, in bytes.
    pub bytes: u64,
    /// What was not taken, one sentence each: this store has something else under the same key, or the artifact is damaged.
    pub refused: Vec<String>,
    /// Number of stages that were not taken because they depend on refused ones.
    pub below_refused: usize,
}

row! {
    /// A stage of the other store.
    #[derive(Debug, Clone, PartialEq)]
    pub(super) struct TheirStage {
        pub id: i64,
        pub key: String,
        pub kind: StageKind,
        pub state: StageStatus,
        pub finished_at: Option<String>,
        pub family: String,
        pub work: f64,
        pub digest: Option<String>,
        pub bytes: Option<i64>,
    }
}

row! {
    /// A stage of this store.
    #[derive(Debug, Clone, PartialEq)]
    pub(super) struct OurStage {
        pub id: i64,
        pub key: String,
        pub state: StageStatus,
        pub digest: Option<String>,
    }
}

/// What happens to a stage of the other store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Only the other store has its artifact, which is taken.
    Take,
    /// Both stores have the same artifact.
    Same,
    /// Both stores have an artifact, and these differ. This store keeps its own.
    Differs,
    /// It was computed from an artifact that differs, so it does not belong to this store's artifact.
    Below,
    /// There is no artifact to take.
    Wait,
}

impl Store {
    /// Merges another store into this one.
    ///
    /// # Errors
    /// [`StoreError::SameStore`] if both are one file. Fails if a store or this store's artifacts folder cannot be read or written.
    pub async fn merge(&self, artifacts: &Artifacts, other: &Store, theirs: &Artifacts) -> Result<Merged, StoreError> {
        if self.path() == other.path() || (self.identity.is_some() && self.identity == other.identity) {
            return Err(StoreError::SameStore { path: other.path().to_owned() });
        }
        let stages: Vec<TheirStage> =
            sql("SELECT s.id, s.key, s.kind, s.state, s.finished_at, s.family, s.work, a.digest, a.bytes
             FROM stages s LEFT JOIN artifacts a ON a.stage_id = s.id ORDER BY s.id")
            .all(other)
            .await?;
        let needs: Vec<(i64, i64)> =
            sql("SELECT stage_id, needs_id FROM stage_dependencies ORDER BY stage_id, needs_id").all(other).await?;
        let mut merged = Merged::default();
        let verdicts = decide(&stages, &needs, &our_stages(self).await?, |stage| stage.digest.is_some());
        let copied = self.copy_artifacts(artifacts, theirs, &stages, &verdicts, &mut merged).await?;

        let mut tx = self.write().await?;
        // Other processes may have finished stages while artifacts were copied.
        let ours = our_stages(&mut tx).await?;
        let verdicts = decide(&stages, &needs, &ours, |stage| copied.contains(&stage.key));
        for stage in stages.iter().filter(|stage| verdicts.get(&stage.id) == Some(&Verdict::Differs)) {
            merged.refused.push(format!(
                "{} {}: this store has another artifact under this key and keeps it",
                stage.kind.name(),
                short_key(&stage.key)
            ));
        }
        let count = |wanted: Verdict| verdicts.values().filter(|verdict| **verdict == wanted).count();
        (merged.stages, merged.below_refused) = (count(Verdict::Take), count(Verdict::Below));
        let rows = Rows { other, stages: &stages, needs: &needs, ours: &ours, verdicts: &verdicts };
        let touched = insert_rows(&mut tx, &rows, &mut merged).await?;
        derived::repair(&mut tx).await?;
        let sweeps: Vec<(i64, String)> = sql("SELECT id, key FROM sweeps").all(&mut tx).await?;
        for (sweep, _) in &sweeps {
            settle::runs_of_sweep(&mut tx, *sweep, 0).await?;
        }
        for sweep in touched {
            let message = format!("runs of {} were added", other.path().display());
            sql(format!("INSERT INTO event (at, kind, sweep_id, message) VALUES ({}, 'merged', $1, $2)", super::NOW))
                .bind(sweep)
                .bind(message)
                .execute(&mut tx)
                .await?;
        }
        crate::fault::point("merge:before-commit");
        tx.commit().await?;
        crate::fault::point("merge:after-commit");
        for (_, key) in &sweeps {
            self.settle_evaluations(key, artifacts).await?;
        }
        Ok(merged)
    }

    /// Copies and publishes the artifacts that are taken. Returns the keys of their stages. Damaged ones are refused.
    async fn copy_artifacts(
        &self,
        artifacts: &Artifacts,
        theirs: &Artifacts,
        stages: &[TheirStage],
        verdicts: &HashMap<i64, Verdict>,
        merged: &mut Merged,
    ) -> Result<HashSet<String>, StoreError> {
        let temporary = format!("{}{}", temporary_prefix(&self.id().await?), uuid::Uuid::now_v7());
        let mut copied = HashSet::new();
        for stage in stages.iter().filter(|stage| verdicts.get(&stage.id) == Some(&Verdict::Take)) {
            let Some(digest) = stage.digest.as_deref() else { continue };
            let key = Key::from_hex(stage.key.clone());
            crate::fault::point("merge:before-copy");
            match artifacts.adopt(theirs, (stage.kind, &key), digest, &temporary)? {
                Ok(published) => {
                    merged.bytes += published.bytes;
                    copied.insert(stage.key.clone());
                }
                Err(damage) => {
                    merged.refused.push(format!("{} {}: {damage}", stage.kind.name(), short_key(&stage.key)));
                }
            }
        }
        Ok(copied)
    }
}

/// Beginning of the names of temporary folders in which merges into a store copy artifacts. `gc` removes old ones.
pub(super) fn temporary_prefix(store: &str) -> String {
    format!("merge-{store}-")
}

async fn our_stages(source: impl Into<Source<'_>>) -> Result<HashMap<String, OurStage>, StoreError> {
    let stages: Vec<OurStage> =
        sql("SELECT s.id, s.key, s.state, a.digest FROM stages s LEFT JOIN artifacts a ON a.stage_id = s.id")
            .all(source)
            .await?;
    Ok(stages.into_iter().map(|stage| (stage.key.clone(), stage)).collect())
}

/// Decides what happens to each stage, by its id. A stage has a higher id than those that it needs.
fn decide(
    stages: &[TheirStage],
    needs: &[(i64, i64)],
    ours: &HashMap<String, OurStage>,
    is_available: impl Fn(&TheirStage) -> bool,
) -> HashMap<i64, Verdict> {
    let mut verdicts: HashMap<i64, Verdict> = HashMap::with_capacity(stages.len());
    let mut links = needs.iter().peekable();
    for stage in stages {
        let mut below = false;
        while let Some((_, needed)) = links.next_if(|(id, _)| *id == stage.id) {
            below |= matches!(verdicts.get(needed), Some(Verdict::Differs | Verdict::Below));
        }
        let our = ours.get(&stage.key);
        let verdict = match our.map(|our| our.state) {
            _ if stage.state != StageStatus::Done => Verdict::Wait,
            Some(StageStatus::Done) if our.and_then(|our| our.digest.as_ref()) == stage.digest.as_ref() => {
                Verdict::Same
            }
            Some(StageStatus::Done) => Verdict::Differs,
            _ if below => Verdict::Below,
            // Its worker publishes the artifact itself.
            Some(StageStatus::Running) => Verdict::Wait,
            _ if is_available(stage) => Verdict::Take,
            _ => Verdict::Wait,
        };
        verdicts.insert(stage.id, verdict);
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn their(id: i64, digest: Option<&str>) -> TheirStage {
        TheirStage {
            id,
            key: id.to_string(),
            kind: StageKind::Joint,
            state: if digest.is_some() { StageStatus::Done } else { StageStatus::Pending },
            finished_at: None,
            family: String::new(),
            work: 1.0,
            digest: digest.map(str::to_owned),
            bytes: None,
        }
    }

    fn our(id: i64, state: StageStatus, digest: Option<&str>) -> (String, OurStage) {
        (id.to_string(), OurStage { id, key: id.to_string(), state, digest: digest.map(str::to_owned) })
    }

    #[test]
    fn only_what_belongs_to_this_stores_artifacts_is_taken() {
        use Verdict::{Below, Differs, Same, Take, Wait};
        let theirs: Vec<TheirStage> =
            [Some("a"), Some("b"), Some("c"), Some("d"), None, Some("f"), Some("g"), Some("h")]
                .into_iter()
                .zip(1..)
                .map(|(digest, id)| their(id, digest))
                .collect();
        let ours = HashMap::from([
            our(1, StageStatus::Done, Some("a")),
            our(2, StageStatus::Done, Some("other")),
            our(6, StageStatus::Running, None),
            our(7, StageStatus::Failed, None),
        ]);
        // 3 needs the same artifact, 4 one that differs, and 8 one that was computed from it.
        let needs = [(3, 1), (4, 2), (8, 1), (8, 4)];
        let verdicts = decide(&theirs, &needs, &ours, |_| true);
        let found: Vec<Verdict> = (1..=8).map(|id| verdicts[&id]).collect();
        assert_eq!(found, [Same, Differs, Take, Below, Wait, Wait, Take, Below]);
        let none = decide(&theirs, &needs, &HashMap::new(), |stage| stage.id != 3);
        assert_eq!((none[&3], none[&4]), (Wait, Take), "an artifact that was not copied is not taken");
    }
}
