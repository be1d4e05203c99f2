//! A bar for work that takes a while: only on a terminal that can draw it.

use indicatif::{ProgressBar, ProgressStyle};

use crate::terminal;

/// A bar, or nothing where nobody would see it move.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    /// A bar of so many steps; `tail`: what stands behind it, in indicatif's template language.
    pub(super) fn new(total: usize, tail: &str) -> Self {
        Self(terminal::can_redraw().then(|| {
            let style = ProgressStyle::with_template(&format!("{{bar:30}} {tail}"));
            ProgressBar::new(total as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        }))
    }

    /// Whether it is shown.
    pub(super) fn is_shown(&self) -> bool {
        self.0.is_some()
    }

    /// So many steps of so many are done, and this is done now.
    pub(super) fn show(&self, done: usize, total: usize, doing: &str) {
        if let Some(bar) = &self.0 {
            bar.set_length(total as u64);
            bar.set_message(doing.to_owned());
            bar.set_position(done as u64);
        }
    }

    /// It goes away.
    pub(super) fn close(&self) {
        self.0.iter().for_each(ProgressBar::finish_and_clear);
    }
}
