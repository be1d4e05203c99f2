//! What the pages of runs show beyond the rows of a report: the states of stages, and more curves.

use std::collections::{HashMap, HashSet};

use super::choice::RunPageChoice;
use crate::analysis::Rows;
use crate::stages::Key;
use crate::store::{Curve, StageRecord, Store, StoreError};

/// The facts that only the pages of runs show.
#[derive(Debug, Clone, Default)]
pub struct RunHistory {
    /// The states of stages.
    stages: HashMap<Key, StageRecord>,
    /// Curves of runs that figures do not show.
    pub(super) curves: Vec<Curve>,
}

impl RunHistory {
    /// Reads what the chosen pages show.
    ///
    /// # Errors
    /// A query of the store fails.
    pub async fn read(store: &Store, rows: &Rows, choice: RunPageChoice) -> Result<Self, StoreError> {
        let sweep = &rows.sweep.id;
        if choice == RunPageChoice::None {
            return Ok(Self::default());
        }
        let stages = store.stage_records(sweep).await?;
        let curves = match choice {
            RunPageChoice::All => {
                let trials: HashSet<&str> = rows.runs.iter().map(|run| run.trial_id.as_str()).collect();
                store.curve_rows(sweep, &trials.into_iter().map(str::to_owned).collect::<Vec<_>>()).await?
            }
            RunPageChoice::Drawn | RunPageChoice::None => Vec::new(),
        };
        Ok(Self { stages: stages.into_iter().map(|stage| (stage.id.clone(), stage)).collect(), curves })
    }

    /// Returns the state of a stage.
    pub(super) fn stage(&self, stage: &Key) -> Option<&StageRecord> {
        self.stages.get(stage)
    }
}
