//! What a person sees while a sweep runs: bars on a terminal, one plain line a finished stage elsewhere.

use std::io::IsTerminal;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Message;

/// The display of one sweep.
pub(super) struct Display {
    /// Overall bar, then one a worker; none off a terminal.
    bars: Option<(MultiProgress, ProgressBar, Vec<ProgressBar>)>,
    finished: u64,
    total: u64,
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Display {
    /// `done` of `total` stages are finished already.
    pub(super) fn new(workers: usize, done: u64, total: u64) -> Self {
        let bars = std::io::stderr().is_terminal().then(|| {
            let multi = MultiProgress::new();
            let overall = multi.add(ProgressBar::new(total));
            overall.set_style(style("{bar:30} {pos}/{len} stages  {elapsed_precise} elapsed, about {eta} left"));
            overall.set_position(done);
            overall.reset_eta();
            let lines = (0..workers)
                .map(|_| {
                    let line = multi.add(ProgressBar::new_spinner());
                    line.set_style(style("  {spinner} {msg}"));
                    line
                })
                .collect();
            (multi, overall, lines)
        });
        Self { bars, finished: done, total }
    }

    /// A worker said something.
    #[expect(clippy::print_stderr, reason = "progress goes to standard error")]
    pub(super) fn show(&mut self, worker: usize, current: &mut String, message: &Message) {
        match message {
            Message::Claimed { kind, title, .. } => {
                *current = format!("{kind:<8} {title}");
                self.line(worker, current.clone());
            }
            Message::Progress { done, total, unit, loss } => {
                let loss = loss.map(|loss| format!(", loss {loss:.4}")).unwrap_or_default();
                self.line(worker, format!("{current}  {unit} {done}/{total}{loss}"));
            }
            Message::Finished { kind, title, state, reason, seconds } => {
                self.finished += u64::from(state == "done");
                let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let text =
                    format!("[{}/{}] {kind:<8} {title}  {state} in {seconds:.1} s{reason}", self.finished, self.total);
                match &self.bars {
                    None => eprintln!("{text}"),
                    Some((multi, overall, lines)) => {
                        overall.set_position(self.finished);
                        if let Some(line) = lines.get(worker) {
                            line.set_message("idle");
                        }
                        if state != "done" {
                            // A bar that cannot be drawn is no reason to stop.
                            let _ = multi.println(text);
                        }
                    }
                }
            }
        }
    }

    fn line(&self, worker: usize, text: String) {
        if let Some(line) = self.bars.as_ref().and_then(|(_, _, lines)| lines.get(worker)) {
            line.set_message(text);
            line.tick();
        }
    }

    /// Something for people outside the bars.
    #[expect(clippy::print_stderr, reason = "progress goes to standard error")]
    pub(super) fn say(&self, text: &str) {
        match &self.bars {
            None => eprintln!("{text}"),
            Some((multi, _, _)) => {
                let _ = multi.println(text);
            }
        }
    }

    /// Removes the bars.
    pub(super) fn close(&self) {
        if let Some((multi, _, _)) = &self.bars {
            let _ = multi.clear();
        }
    }
}
