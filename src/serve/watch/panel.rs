//! The panels of the view.

use ratatui::text::Line;

use super::theme::Theme;
use super::{best, failures, stages, workers};
use crate::serve::Progress;
use crate::text::truncated;

/// A panel. Its content is a list of lines, of which it shows as many as it has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Panel {
    /// Stages by kind and state.
    Stages,
    /// Workers and their stages.
    Workers,
    /// The best trials.
    Best,
    /// Failed stages with their reasons.
    Failures,
}

impl Panel {
    /// All panels in the order of their numbers.
    pub(super) const ALL: [Self; 4] = [Self::Stages, Self::Workers, Self::Best, Self::Failures];

    /// Returns the index of the panel in [`Self::ALL`].
    pub(super) fn index(self) -> usize {
        self as usize
    }

    /// Returns the panel `steps` places further, beginning again after the last one.
    pub(super) fn after(self, steps: usize) -> Self {
        Self::ALL[(self.index() + steps) % Self::ALL.len()]
    }

    /// Returns the title, with its number and the number of items.
    pub(super) fn title(self, progress: &Progress) -> String {
        let number = self.index() + 1;
        match self {
            Self::Stages => format!("{number} Stages"),
            Self::Workers => format!("{number} Workers ({})", progress.workers.len()),
            Self::Best => format!("{number} Best so far"),
            Self::Failures => format!("{number} Failures ({})", progress.failures.len()),
        }
    }

    /// Returns the content in lines of at most `width` characters.
    pub(super) fn lines(self, progress: &Progress, width: usize, theme: Theme) -> Vec<Line<'static>> {
        match self {
            Self::Stages => stages::lines(&progress.stages, width, theme),
            Self::Workers => workers::lines(&progress.workers, width, theme),
            Self::Best => best::lines(progress, width, theme),
            Self::Failures => failures::lines(&progress.failures, width, theme),
        }
    }
}

/// Returns the lines of a table, cut to `width` characters; the first line is its head.
pub(super) fn table_lines(head: &[&str], rows: &[Vec<String>], width: usize, theme: Theme) -> Vec<Line<'static>> {
    let text = crate::text::table(head, rows);
    let mut lines: Vec<Line<'static>> = text.lines().map(|line| Line::raw(truncated(line, width))).collect();
    lines.iter_mut().take(1).for_each(|line| *line = line.clone().style(theme.faint()));
    lines
}
