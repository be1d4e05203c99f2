//! Failed stages: reason, key and log.

use ratatui::text::Line;

use super::theme::Theme;
use super::wrap::wrapped;
use crate::serve::{FailedStageProgress, failure_line};
use crate::stages::short_key;

/// Returns the reason and the log of each failed stage.
pub(super) fn lines(failures: &[FailedStageProgress], width: usize, theme: Theme) -> Vec<Line<'static>> {
    if failures.is_empty() {
        return vec![Line::styled("no stage has failed", theme.faint())];
    }
    let of_stage = |failure: &FailedStageProgress| {
        let stage = &failure.stage;
        let reason = format!("{}: {}", short_key(&stage.stage), failure_line(stage));
        let log = failure.log_path.iter().flat_map(|log| wrapped(&format!("log: {log}"), width));
        let reason = wrapped(&reason, width).into_iter().map(|text| Line::styled(text, theme.failed()));
        reason.chain(log.map(|text| Line::styled(text, theme.faint()))).collect::<Vec<_>>()
    };
    failures.iter().flat_map(of_stage).collect()
}
