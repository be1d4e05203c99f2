//! A progress bar for long work, shown only on a terminal that can redraw it.

use indicatif::{ProgressBar, ProgressStyle};

use crate::terminal;

/// A progress bar; `None` if it cannot be shown.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    /// Creates a bar with `total` steps. `tail` is the text after the bar, in indicatif's template language.
    pub(super) fn new(total: usize, tail: &str) -> Self {
        Self(terminal::can_redraw().then(|| {
            let style = ProgressStyle::with_template(&format!("{{bar:30}} {tail}"));
            ProgressBar::new(total as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        }))
    }

    /// Returns whether the bar is shown.
    pub(super) fn is_shown(&self) -> bool {
        self.0.is_some()
    }

    /// Shows that `done` of `total` steps are finished; `step` is the current one.
    pub(super) fn show(&self, done: usize, total: usize, step: &str) {
        if let Some(bar) = &self.0 {
            bar.set_length(total as u64);
            bar.set_message(step.to_owned());
            bar.set_position(done as u64);
        }
    }

    /// Removes the bar from the terminal.
    pub(super) fn close(&self) {
        self.0.iter().for_each(ProgressBar::finish_and_clear);
    }
}
