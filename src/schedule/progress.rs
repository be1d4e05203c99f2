//! What a person sees while a sweep runs: bars on a terminal, one plain line a finished stage elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Message;
use crate::store::RunCounts;

/// The display of one sweep.
pub(super) struct Display {
    /// Overall bar, then one line a worker; none off a terminal.
    bars: Option<(MultiProgress, ProgressBar, Vec<ProgressBar>)>,
    /// What each worker is at.
    titles: Vec<String>,
    counts: RunCounts,
    left: Option<Duration>,
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// "45 s", "12 min", "3 h 20 min".
pub(crate) fn spoken(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => {
            let minutes = (s / 60.0).round() as u64;
            format!("{} h {} min", minutes / 60, minutes % 60)
        }
        s => format!("{:.1} days", s / 86_400.0),
    }
}

impl Display {
    /// For so many workers.
    pub(super) fn new(workers: usize, counts: RunCounts) -> Self {
        let bars = std::io::stderr().is_terminal().then(|| {
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
        let mut display = Self { bars, titles: vec![String::new(); workers], counts, left: None };
        display.standing(counts);
        display
    }

    /// How many runs are through.
    pub(super) fn standing(&mut self, counts: RunCounts) {
        self.counts = counts;
        if let Some((_, overall, _)) = &self.bars {
            overall.set_length(counts.total as u64);
            overall.set_position((counts.total - counts.open()) as u64);
            overall.set_message(self.summary());
        }
    }

    /// How long the rest will take; none while nobody can know.
    pub(super) fn left(&mut self, left: Option<Duration>) {
        self.left = left;
        self.standing(self.counts);
    }

    /// "3/27 runs, 1 failed, about 12 min left".
    fn summary(&self) -> String {
        let RunCounts { total, done, failed, given_up } = self.counts;
        let mut text = format!("{done}/{total} runs");
        for (count, what) in [(failed, "failed"), (given_up, "given up")] {
            if count > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        if let Some(left) = self.left.filter(|_| self.counts.open() > 0) {
            text.push_str(&format!(", about {} left", spoken(left)));
        }
        text
    }

    /// A worker said something.
    pub(super) fn show(&mut self, worker: usize, message: &Message) {
        match message {
            Message::Claimed { kind, title, .. } => {
                self.titles[worker] = format!("{kind:<8} {title}");
                self.line(worker, self.titles[worker].clone());
            }
            Message::Progress { done, total, unit, loss } => {
                let loss = loss.map(|loss| format!(", loss {loss:.4}")).unwrap_or_default();
                self.line(worker, format!("{}  {unit} {done}/{total}{loss}", self.titles[worker]));
            }
            Message::Finished { kind, title, state, reason, seconds } => {
                let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let text = format!("[{}] {kind:<8} {title}  {state} in {seconds:.1} s{reason}", self.summary());
                // The bars tell what goes well.
                if self.bars.is_none() || state != "done" {
                    self.say(&text);
                }
            }
            Message::Idle => {
                self.line(worker, "waits: what is left is in other hands, or rests after a failure".to_owned());
            }
            Message::Stopped { .. } => self.line(worker, "stopped".to_owned()),
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
            Some((multi, ..)) => {
                // A bar that cannot be drawn is no reason to stop.
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
    fn times_are_told_as_people_do() {
        let tell = |seconds| spoken(Duration::from_secs(seconds));
        assert_eq!([tell(45), tell(600), tell(12_000), tell(200_000)], ["45 s", "10 min", "3 h 20 min", "2.3 days"]);
    }

    #[test]
    fn the_line_tells_what_is_through_and_what_is_left() {
        let mut display = Display {
            bars: None,
            titles: vec![],
            counts: RunCounts { total: 27, done: 3, failed: 1, given_up: 0 },
            left: None,
        };
        assert_eq!(display.summary(), "3/27 runs, 1 failed");
        display.left(Some(Duration::from_secs(720)));
        assert_eq!(display.summary(), "3/27 runs, 1 failed, about 12 min left");
    }
}
