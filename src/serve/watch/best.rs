//! The best trials so far.

use ratatui::text::Line;

use super::panel::table_lines;
use super::theme::Theme;
use super::wrap::wrapped;
use crate::serve::{Progress, Standing, Standings, search_line, tuned_lines};
use crate::text::{signed, truncated_middle};

/// Returns what is known about the search, the chosen trials, and the best trials of each protocol.
pub(super) fn lines(progress: &Progress, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let sentences = progress.search.iter().map(search_line).chain(progress.tuned.iter().map(tuned_lines));
    let mut lines: Vec<Line<'static>> = sentences.flat_map(|text| wrapped(&text, width)).map(Line::raw).collect();
    progress.best.iter().for_each(|standings| lines.extend(table(standings, width, theme)));
    if lines.is_empty() {
        lines.push(Line::styled("no run has a number yet", theme.faint()));
    }
    lines
}

/// Returns the trials of one protocol. The mean has the name of its metric.
fn table(standings: &Standings, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let head = [standings.metric.label, "vs ST-FPM", "seeds", "runs"];
    let numbers: Vec<[String; 4]> = standings.rows.iter().map(numbers).collect();
    let widest = |column: usize| {
        let cells = numbers.iter().map(|cells| cells[column].chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0) + 2
    };
    let rest = width.saturating_sub((0..head.len()).map(widest).sum()).max(10);
    let row = |(numbers, row): (&[String; 4], &Standing)| {
        // Names often differ at their end.
        numbers.iter().cloned().chain([truncated_middle(&row.trial, rest)]).collect()
    };
    let rows: Vec<Vec<String>> = numbers.iter().zip(&standings.rows).map(row).collect();
    let facts = standings.mark.map(str::to_owned).into_iter();
    let facts: Vec<String> = facts.chain(standings.protocol.map(|number| format!("protocol {number}"))).collect();
    let title = (!facts.is_empty()).then(|| Line::styled(format!("[{}]", facts.join(", ")), theme.faint()));
    let more =
        (standings.left_out > 0).then(|| Line::styled(format!("… and {} more", standings.left_out), theme.faint()));
    let head: Vec<&str> = head.into_iter().chain(["trial"]).collect();
    title.into_iter().chain(table_lines(&head, &rows, width, theme)).chain(more).collect()
}

fn numbers(row: &Standing) -> [String; 4] {
    [
        format!("{:.4}", row.mean),
        row.difference.map(signed).unwrap_or_default(),
        row.seeds.to_string(),
        format!("{}/{}", row.measured, row.runs),
    ]
}
