//! Stages in state `running` whose processes no longer exist.

use std::collections::{BTreeMap, BTreeSet};

use super::row::row;
use super::sql::sql;
use super::state::SHOWN_STATE;
use super::{RunState, RunStates, StageStatus, Store, StoreError, SweepStatus};
use crate::stages::StageKind;

row! {
    /// A stage of a sweep that a process holds, with one of the runs that need it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct HeldStage {
        /// Key of the stage.
        pub stage: String,
        /// Kind of the stage.
        pub kind: StageKind,
        /// Key of the run.
        pub run: String,
        /// Category of the run.
        pub category: String,
        /// Short id and settings of the run's trial.
        pub trial: String,
        /// State of the run.
        pub run_state: RunState,
        /// Host of the process.
        pub host: String,
        /// Process id.
        pub pid: i64,
        /// Start time of that process; see [`super::AttemptStart`].
        pub process_started: Option<String>,
    }
}

impl Store {
    /// Returns the running stages of a sweep that a process holds, one row per run that needs the stage.
    pub async fn held_stages(&self, sweep: &str) -> Result<Vec<HeldStage>, StoreError> {
        sql(format!(
            // CROSS JOIN makes SQLite start from the few running stages.
            "SELECT s.key AS stage, s.kind, r.key AS run, r.category, st.title AS trial, {SHOWN_STATE} AS run_state,
                    a.host, a.pid, a.process_started
             FROM stages s CROSS JOIN attempts a CROSS JOIN run_stages rs CROSS JOIN sweep_runs sr
             JOIN runs r ON r.id = sr.run_id
             JOIN sweep_trials st ON st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id
             WHERE s.state = 'running' AND a.token = s.token AND a.state = 'running' AND rs.stage_id = s.id
               AND sr.run_id = rs.run_id AND sr.sweep_id = (SELECT id FROM sweeps WHERE key = $1)"
        ))
        .bind(sweep)
        .all(self)
        .await
    }
}

impl SweepStatus {
    /// Shows stages and runs of processes that no longer exist as pending. The store itself does not change.
    ///
    /// `has_ended` receives the host, the process id and the start time of a process.
    pub fn show_ended_as_pending(&mut self, held: &[HeldStage], has_ended: impl Fn(&str, i64, Option<&str>) -> bool) {
        self.workers.retain(|worker| !has_ended(&worker.host, worker.pid, worker.process_started.as_deref()));
        let mut stages: BTreeMap<&str, StageKind> = BTreeMap::new();
        let mut idle: BTreeMap<&str, &HeldStage> = BTreeMap::new();
        let mut busy: BTreeSet<&str> = BTreeSet::new();
        for row in held {
            if has_ended(&row.host, row.pid, row.process_started.as_deref()) {
                stages.insert(&row.stage, row.kind);
                idle.insert(&row.run, row);
            } else {
                busy.insert(&row.run);
            }
        }
        for kind in stages.values() {
            let states = (StageStatus::Running, StageStatus::Pending);
            move_to_pending(&mut self.stages, states, |row| row.kind == *kind, |row| (&mut row.state, &mut row.count));
        }
        for row in idle.values().filter(|row| row.run_state == RunState::Running && !busy.contains(row.run.as_str())) {
            let same = |shown: &RunStates| shown.category == row.category && shown.trial == row.trial;
            let states = (RunState::Running, RunState::Pending);
            move_to_pending(&mut self.runs, states, same, |shown| (&mut shown.state, &mut shown.count));
        }
        self.gone_stages = stages.len() as i64;
    }
}

/// Moves one item from the running count to the pending count, among the rows for which `same` holds.
fn move_to_pending<R: Clone, S: Copy + PartialEq>(
    rows: &mut Vec<R>,
    (running, pending): (S, S),
    same: impl Fn(&R) -> bool,
    parts: impl for<'r> Fn(&'r mut R) -> (&'r mut S, &'r mut i64),
) {
    let find = |rows: &mut [R], state: S| rows.iter_mut().position(|row| same(row) && *parts(row).0 == state);
    let Some(position) = find(rows, running) else { return };
    let mut moved = rows[position].clone();
    *parts(&mut rows[position]).1 -= 1;
    match find(rows, pending) {
        Some(pending) => *parts(&mut rows[pending]).1 += 1,
        None => {
            (*parts(&mut moved).0, *parts(&mut moved).1) = (pending, 1);
            rows.insert(position, moved);
        }
    }
    rows.retain_mut(|row| *parts(row).1 > 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Remarks, StageCount, WorkerRow};

    fn held(stage: &str, run: &str, pid: i64) -> HeldStage {
        let text = |text: &str| text.to_owned();
        HeldStage {
            stage: text(stage),
            kind: StageKind::Joint,
            run: text(run),
            category: text("weave"),
            trial: text("T01"),
            run_state: RunState::Running,
            host: text("here"),
            pid,
            process_started: None,
        }
    }

    #[test]
    fn stages_and_runs_of_ended_processes_are_shown_as_pending() {
        let text = |text: &str| text.to_owned();
        let worker = |pid: i64| WorkerRow {
            id: pid.to_string(),
            host: text("here"),
            job: None,
            pid,
            process_started: None,
            device: text("cpu"),
            threads: 1,
            seen_at: String::new(),
            stage: None,
            kind: None,
            seconds: None,
            log: None,
            title: None,
        };
        let stages = |state, count| StageCount { kind: StageKind::Joint, state, count };
        let runs = |state, count| RunStates {
            category: text("weave"),
            variant: text("ST-FPM"),
            trial: text("T01"),
            state,
            count,
        };
        let mut status = SweepStatus {
            name: text("s"),
            remarks: Remarks::default(),
            stages: vec![stages(StageStatus::Done, 1), stages(StageStatus::Running, 2)],
            runs: vec![runs(RunState::Pending, 4), runs(RunState::Running, 3)],
            failures: Vec::new(),
            workers: vec![worker(1), worker(2)],
            gone_stages: 0,
            search: None,
            thread_seconds_left: None,
            events: Vec::new(),
        };
        // Process 2 no longer exists. Two runs need its stage; one of them has another stage that is running.
        let rows = [held("a", "x", 1), held("b", "x", 2), held("b", "y", 2)];
        status.show_ended_as_pending(&rows, |host, pid, _| host == "here" && pid == 2);
        assert_eq!(
            status.stages,
            [StageStatus::Done, StageStatus::Pending, StageStatus::Running].map(|state| stages(state, 1))
        );
        assert_eq!(status.runs, [runs(RunState::Pending, 5), runs(RunState::Running, 2)]);
        assert_eq!((status.workers.len(), status.gone_stages), (1, 1));
        status.show_ended_as_pending(&rows, |_, _, _| false);
        assert_eq!(status.gone_stages, 0);
    }
}
