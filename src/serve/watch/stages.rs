//! Stages by kind: a bar and the number in each state.

use ratatui::text::{Line, Span};

use super::theme::Theme;
use crate::serve::{RunTotals, StageProgress};

/// Widest bar, in characters.
const MAX_BAR: usize = 60;

/// Numbers of things, of which all together fill a bar.
#[derive(Debug, Clone, Copy)]
struct Counts {
    done: i64,
    running: i64,
    failed: i64,
    total: i64,
}

/// Returns a line for each kind of stage.
pub(super) fn lines(stages: &[StageProgress], width: usize, theme: Theme) -> Vec<Line<'static>> {
    let numbers: Vec<(String, String, String)> = stages.iter().map(numbers).collect();
    let widest = |of: fn(&(String, String, String)) -> &str| {
        numbers.iter().map(|parts| of(parts).chars().count()).max().unwrap_or(0)
    };
    let (kind, count, states) = (widest(|parts| &parts.0), widest(|parts| &parts.1), widest(|parts| &parts.2));
    let bar_width = width.saturating_sub(kind + count + states + 4).clamp(4, MAX_BAR);
    let line = |(stage, (name, counted, others)): (&StageProgress, (String, String, String))| {
        let counts = Counts {
            done: stage.done,
            running: stage.running,
            failed: stage.failed + stage.skipped,
            total: stage.total(),
        };
        let mut spans = vec![Span::raw(format!("{name:<kind$}  "))];
        spans.extend(bar(counts, bar_width, theme));
        let style = if stage.failed > 0 { theme.failed() } else { theme.faint() };
        spans.extend([Span::raw(format!(" {counted:>count$} ")), Span::styled(others, style)]);
        Line::from(spans)
    };
    stages.iter().zip(numbers).map(line).collect()
}

/// Returns the bar of all runs.
pub(super) fn runs_bar(runs: &RunTotals, width: usize, theme: Theme) -> Line<'static> {
    // Pruned and cancelled runs are none of the work.
    let total = runs.open() + runs.done + runs.failed;
    let counts = Counts { done: runs.done, running: runs.running, failed: runs.failed, total };
    Line::from(bar(counts, width, theme))
}

/// Returns kind, done of all, and the other states: "joint", "12/45", "2 running, 1 failed".
fn numbers(stage: &StageProgress) -> (String, String, String) {
    let states = [(stage.running, "running"), (stage.failed, "failed"), (stage.skipped, "skipped")];
    let states = states.into_iter().filter(|(count, _)| *count > 0).map(|(count, state)| format!("{count} {state}"));
    let states = states.collect::<Vec<_>>().join(", ");
    (stage.kind.to_string(), format!("{}/{}", stage.done, stage.total()), states)
}

/// Draws done, failed, running and waiting parts, in this order. Signs tell them apart without colours.
fn bar(counts: Counts, width: usize, theme: Theme) -> Vec<Span<'static>> {
    let until = |count: i64| (count.max(0) as usize * width) / counts.total.max(1) as usize;
    let done = until(counts.done);
    let failed = until(counts.done + counts.failed);
    let running = until(counts.done + counts.failed + counts.running);
    vec![
        Span::styled("█".repeat(done), theme.done()),
        Span::styled("×".repeat(failed - done), theme.failed()),
        Span::styled("▒".repeat(running - failed), theme.running()),
        Span::styled("░".repeat(width - running), theme.faint()),
    ]
}
