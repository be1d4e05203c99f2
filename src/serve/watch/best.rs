//! The best trials so far.

use ratatui::text::Line;

use super::panel::table_lines;
use super::theme::Theme;
use super::wrap::wrapped;
use crate::serve::{Progress, Standing, Standings, search_line, tuned_lines};
use crate::text::{signed, truncated_middle};

/// Width of the numbers in front of the name of a trial.
const NUMBERS: usize = 37;

/// Returns what is known about the search, the chosen trials, and the best trials of each protocol.
pub(super) fn lines(progress: &Progress, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let sentences = progress.search.iter().map(search_line).chain(progress.tuned.iter().map(tuned_lines));
    let mut lines: Vec<Line<'static>> = sentences.flat_map(|text| wrapped(&text, width)).map(Line::raw).collect();
    for standings in &progress.best {
        lines.extend(wrapped(&title(standings), width).into_iter().map(|text| Line::styled(text, theme.faint())));
        let rows: Vec<Vec<String>> = standings.rows.iter().map(|row| cells(row, width)).collect();
        lines.extend(table_lines(&["mean", "vs ST-FPM", "seeds", "runs", "trial"], &rows, width, theme));
        if standings.left_out > 0 {
            lines.push(Line::styled(format!("… and {} more", standings.left_out), theme.faint()));
        }
    }
    if lines.is_empty() {
        lines.push(Line::styled("no run has a number yet", theme.faint()));
    }
    lines
}

/// Returns "protocol 1, image AUROC: mean over seeds, and paired difference from ST-FPM".
fn title(standings: &Standings) -> String {
    let mark = standings.mark.map(|mark| format!("[{mark}] ")).unwrap_or_default();
    let protocol = standings.protocol.map(|number| format!("protocol {number}, ")).unwrap_or_default();
    format!("{mark}{protocol}{}: mean of the finished runs, and paired difference", standings.metric.label)
}

fn cells(row: &Standing, width: usize) -> Vec<String> {
    vec![
        format!("{:.4}", row.mean),
        row.difference.map(signed).unwrap_or_default(),
        row.seeds.to_string(),
        format!("{}/{}", row.measured, row.runs),
        // Names often differ at their end.
        truncated_middle(&row.trial, width.saturating_sub(NUMBERS).max(10)),
    ]
}
