//! Shows the progress of a sweep: bars on a terminal, otherwise one plain line per finished stage.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Message;
use crate::store::{AttemptState, Retrying, RunCounts};
use crate::terminal;
use crate::text::rough_duration;

/// Progress display of one sweep.
pub(super) struct Display {
    /// Overall bar, then one line per worker; `None` if standard error is not a terminal.
    bars: Option<(MultiProgress, ProgressBar, Vec<ProgressBar>)>,
    /// What each worker is doing.
    titles: Vec<String>,
    /// When to print the next progress line of each worker.
    timers: Vec<LineTimer>,
    counts: RunCounts,
    time_left: Option<Duration>,
}

/// Decides when to print a progress line of a stage.
#[derive(Debug, Clone, Copy)]
struct LineTimer {
    claimed: Instant,
    last_line: Option<Instant>,
}

/// Age of a stage at which its first progress line is printed.
const FIRST_LINE_AFTER: Duration = Duration::from_secs(1);
/// Time between two progress lines of a stage, where there are no bars.
const LINE_INTERVAL: Duration = Duration::from_secs(30);

impl LineTimer {
    fn new(now: Instant) -> Self {
        Self { claimed: now, last_line: None }
    }

    /// Returns whether a line is due: the first after `FIRST_LINE_AFTER`, the next ones every `LINE_INTERVAL`.
    fn is_due(&mut self, now: Instant) -> bool {
        let due = match self.last_line {
            None => now.duration_since(self.claimed) >= FIRST_LINE_AFTER,
            Some(last_line) => now.duration_since(last_line) >= LINE_INTERVAL,
        };
        if due {
            self.last_line = Some(now);
        }
        due
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Display {
    /// Creates the display for a number of workers.
    pub(super) fn new(workers: usize, counts: RunCounts) -> Self {
        let bars = terminal::can_redraw().then(|| {
            let multi = MultiProgress::new();
            let overall = multi.add(ProgressBar::new(0));
            overall.set_style(style("{bar:30} {msg}"));
            let lines = (0..workers)
                .map(|_| {
                    let line = multi.add(ProgressBar::new_spinner());
                    line.set_style(style("  {spinner} {msg}"));
                    line
                })
                .collect();
            (multi, overall, lines)
        });
        let timers = vec![LineTimer::new(Instant::now()); workers];
        let mut display = Self { bars, titles: vec![String::new(); workers], timers, counts, time_left: None };
        display.set_counts(counts);
        display
    }

    /// Sets the numbers of finished and failed runs.
    pub(super) fn set_counts(&mut self, counts: RunCounts) {
        self.counts = counts;
        if let Some((_, overall, _)) = &self.bars {
            overall.set_length(counts.total as u64);
            overall.set_position((counts.total - counts.open()) as u64);
            overall.set_message(self.summary());
        }
    }

    /// Sets the estimated time until the sweep is complete; `None` if unknown.
    pub(super) fn set_time_left(&mut self, time_left: Option<Duration>) {
        self.time_left = time_left;
        self.set_counts(self.counts);
    }

    /// Formats the counts: "3/27 runs, 1 failed, about 12 min left".
    fn summary(&self) -> String {
        let RunCounts { total, done, failed, given_up } = self.counts;
        let mut text = format!("{done}/{total} runs");
        for (count, state) in [(failed, "failed"), (given_up, "pruned or cancelled")] {
            if count > 0 {
                text.push_str(&format!(", {count} {state}"));
            }
        }
        if let Some(left) = self.time_left.filter(|_| self.counts.open() > 0) {
            text.push_str(&format!(", about {} left", rough_duration(left)));
        }
        text
    }

    /// Shows a message of a worker.
    pub(super) fn show_message(&mut self, worker: usize, message: &Message) {
        match message {
            Message::Claimed { kind, title, .. } => {
                self.titles[worker] = format!("{kind:<8} {title}");
                self.timers[worker] = LineTimer::new(Instant::now());
                self.set_worker_line(worker, self.titles[worker].clone());
            }
            Message::Progress { done, total, unit, loss } => {
                let loss = loss.map(|loss| format!(", loss {loss:.4}")).unwrap_or_default();
                let text = format!("{}  {unit} {done}/{total}{loss}", self.titles[worker]);
                if self.bars.is_none() && self.timers[worker].is_due(Instant::now()) {
                    self.print_line(&format!("[{}] {text}", self.summary()));
                }
                self.set_worker_line(worker, text);
            }
            Message::Finished { kind, title, state, reason, seconds, retrying } => {
                let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let retrying = retrying.map(|retrying| format!(" ({retrying})")).unwrap_or_default();
                let text =
                    format!("[{}] {kind:<8} {title}  {state} in {seconds:.1} s{reason}{retrying}", self.summary());
                // The bars already show successful stages.
                if self.bars.is_none() || *state != AttemptState::Done {
                    self.print_line(&text);
                }
            }
            Message::Idle => {
                self.set_worker_line(
                    worker,
                    "idle: remaining stages are running elsewhere or waiting to be retried".to_owned(),
                );
            }
            Message::Stopped { .. } | Message::Refused { .. } => self.set_worker_line(worker, "stopped".to_owned()),
        }
    }

    /// Shows that the stage of a worker that died is retried.
    pub(super) fn show_lost_stage(&self, worker: usize, retrying: &Retrying) {
        self.print_line(&format!(
            "[{}] {}  failed because worker {} died ({retrying})",
            self.summary(),
            self.titles[worker],
            worker + 1
        ));
    }

    fn set_worker_line(&self, worker: usize, text: String) {
        if let Some(line) = self.bars.as_ref().and_then(|(_, _, lines)| lines.get(worker)) {
            line.set_message(text);
            line.tick();
        }
    }

    /// Prints a line above the bars.
    pub(super) fn print_line(&self, text: &str) {
        match &self.bars {
            None => terminal::say(text),
            Some((multi, ..)) => {
                // A bar that cannot be drawn must not stop the sweep.
                let _ = multi.println(text);
            }
        }
    }

    /// Removes the bars.
    pub(super) fn close(&self) {
        if let Some((multi, ..)) = &self.bars {
            let _ = multi.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_stage_has_a_line_early_and_then_at_intervals() {
        let start = Instant::now();
        let mut timer = LineTimer::new(start);
        let due =
            [0.1, 0.9, 1.2, 2.0, 31.0, 31.3, 61.2, 61.4].map(|s| timer.is_due(start + Duration::from_secs_f64(s)));
        assert_eq!(due, [false, false, true, false, false, true, false, true]);
    }

    #[test]
    fn the_summary_shows_finished_failed_and_remaining_time() {
        let mut display = Display {
            bars: None,
            titles: vec![],
            timers: vec![],
            counts: RunCounts { total: 27, done: 3, failed: 1, given_up: 0 },
            time_left: None,
        };
        assert_eq!(display.summary(), "3/27 runs, 1 failed");
        display.set_time_left(Some(Duration::from_secs(720)));
        assert_eq!(display.summary(), "3/27 runs, 1 failed, about 12 min left");
    }
}
