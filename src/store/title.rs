//! Titles of runs: `category · T07 settings · seed n`.

use super::derived::STAGES_PER_RUN;

/// SQL of the title of a run `r` with its row `st`; see [`TRIAL`].
pub(super) const TITLE: &str = "r.category || ' · ' || st.title || ' · seed ' || r.seed";

/// SQL that joins the row `st` of `sweep_trials` of a run `r` with its row `sr` of `sweep_runs`.
pub(super) const TRIAL: &str = "JOIN sweep_trials st ON st.sweep_id = sr.sweep_id AND st.trial_id = r.trial_id";

/// SQL of the title of the first run `r` that needs a stage, with its row `q` of `sweep_stages`. NULL if `condition` excludes the run.
///
/// The position of a stage in a sweep tells its first run. Thousands of runs may share the stage.
pub(super) fn of_first_run(condition: &str) -> String {
    format!(
        "(SELECT {TITLE} FROM sweep_runs sr JOIN runs r ON r.id = sr.run_id {TRIAL}
          WHERE sr.sweep_id = q.sweep_id AND sr.position = q.position / {STAGES_PER_RUN} AND {condition})"
    )
}
